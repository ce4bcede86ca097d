"""`publish`: what goes live, what it replaces, and what keeps it from going live."""

import re
from collections.abc import Callable
from pathlib import Path

from personalize.stores.protocols import Live, Store
from tests.cli.terminal import Terminal

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC")


def masked(text: str) -> str:
    """The text in one line, with moments of today masked."""
    return MOMENT.sub("<moment>", " ".join(text.split()))


async def live(store: Store) -> Live | None:
    return await store.live()


def test_the_first_version_goes_live_and_says_its_name(shop: Terminal) -> None:
    text = shop.well("publish", "--by", "Liv")
    now = shop.stored(live)
    assert now is not None
    assert now.by == "Liv"
    assert text == f"Published {now.version}.\nIt is the first version of this site to go live.\n"


def test_without_a_name_it_is_whoever_is_logged_in(shop: Terminal) -> None:
    shop.well("publish")
    now = shop.stored(live)
    assert now is not None
    assert now.by == "ola"


def test_publishing_the_same_files_again_does_nothing(shop: Terminal) -> None:
    shop.well("publish", "--by", "Liv")
    first = shop.stored(live)
    assert first is not None
    text = shop.well("publish")
    assert masked(text) == f"Nothing to do: {first.version} is live already, since <moment> (by Liv)."
    assert all(len(line) <= 80 for line in text.splitlines())
    assert shop.stored(live) == first


def test_a_change_says_what_it_replaces_and_whether_profiles_were_made_again(sold: Terminal) -> None:
    first = sold.stored(live)
    assert first is not None
    sold.change("rules/segments.yaml", "title: Five purchases or more", "title: Five or more")
    text = sold.well("publish")
    assert "made from the log again" not in text
    second = sold.stored(live)
    assert second is not None
    assert masked(text) == (
        f"Published {second.version}. 1 file changed: rules/segments.yaml. "
        f"It replaces {first.version}, which was live since <moment> (by ola)."
    )
    sold.change(
        "rules/segments.yaml", "who: {purchase.count: {at_least: 5}}", "who: {did: purchase, times: {at_least: 5}}"
    )
    before = sold.well("segments", "--at", "1997-10-01", "--format", "json").partition('"segments"')[2]
    assert sold.well("publish").endswith(
        "It counts other things than before, so all profiles were made from the log\nagain.\n"
    )
    assert sold.well("segments", "--at", "1997-10-01", "--format", "json").partition('"segments"')[2] == before
    assert (
        sold.well("segments", "--live", "--format", "json").partition('"segments"')[2]
        == (sold.well("segments", "--format", "json").partition('"segments"')[2])
    )


def test_what_is_new_changed_and_gone_is_named(shop: Terminal) -> None:
    shop.well("publish")
    item = shop.folder / "content/heroes/box-set.md"
    item.write_text(item.read_text(encoding="utf-8") + "\nMore of it.\n", encoding="utf-8")
    (shop.folder / "content/heroes/another.md").write_text("---\ntitle: T\n---\n", encoding="utf-8")
    (shop.folder / "rules/more.yaml").write_text("slots: {more: {}}\n", encoding="utf-8")
    lines = shop.well("publish").splitlines()
    assert lines[1:4] == [
        "1 item new: heroes/another.",
        "1 file new: rules/more.yaml.",
        "1 item changed: heroes/box-set.",
    ]
    (shop.folder / "content/heroes/another.md").unlink()
    assert shop.well("publish").splitlines()[1] == "1 item removed: heroes/another."


def test_files_with_an_error_are_refused_and_what_was_live_stays(shop: Terminal) -> None:
    shop.well("publish")
    first = shop.stored(live)
    shop.change("rules/slots.yaml", "segment: recent-buyers", "segment: recent-buyer")
    said = shop.said("publish", exit_code=1)
    assert said.startswith('error[E222]: there is no segment "recent-buyer"\n  --> rules/slots.yaml:16:23\n')
    assert said.endswith("1 error in 1 file. Nothing was published; what was live stays live.\n")
    assert shop.stored(live) == first


def test_warnings_are_said_and_keep_nothing_from_going_live(shop: Terminal, write: Callable[[str, str], Path]) -> None:
    write(
        "rules/more.yaml",
        "slots: {note: {rules: [{id: a, to: {purchase.count: {is_not: 3}}, show: heroes/box-set}]}}\n",
    )
    result = shop.run("publish")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning[W201]: ")
    assert result.stdout.startswith("Published ")


def test_a_live_version_that_no_longer_loads_can_be_replaced(shop: Terminal) -> None:
    shop.well("publish")
    (shop.folder / "content_templates/hero.html").rename(shop.folder / "content_templates/picture.html")
    shop.change("content/collections.yaml", "hero.html", "picture.html")
    assert "It replaces" in shop.well("publish")


def test_the_texts_of_all_files_are_kept(shop: Terminal) -> None:
    async def saved(store: Store) -> set[str]:
        now = await store.live()
        assert now is not None
        return set(await store.rule_set(now.version))

    shop.well("publish")
    assert "rules/slots.yaml" in shop.stored(saved)
    assert "content/heroes/box-set.md" in shop.stored(saved)


def test_files_whose_own_tests_fail_stay_a_draft(shop: Terminal) -> None:
    tried = "segments:\n  tried: {who: {visitor.known: true}, examples: [{matches: true}]}\n"
    (shop.folder / "rules/tried.yaml").write_text(tried, encoding="utf-8")
    said = shop.said("publish", exit_code=1)
    assert "error[E280]: the example does not match the segment tried" in said
    assert "visitor.known is true: no (seen: false)" in said
    assert said.endswith("1 error in 1 file. Nothing was published; what was live stays live.\n")
    assert shop.stored(lambda store: store.live()) is None
    assert shop.run("segments").exit_code == 0
