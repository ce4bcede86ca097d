"""`plan`: what publishing would change, in words and for whom; `publish --plan` does exactly that or says why not."""

import json
from datetime import UTC, datetime

import pytest

from personalize.errors import StaleVersion
from personalize.problems import Problems
from personalize.runtime.draft import Draft, read_draft
from personalize.runtime.publish import publish_over
from personalize.runtime.saved_plan import SavedPlan, read_plan
from personalize.settings import load_settings
from personalize.stores.protocols import Live, Store
from tests.cli.terminal import Terminal


def change(terminal: Terminal) -> None:
    """One rule reaches more people than before."""
    terminal.change("rules/slots.yaml", "to: {segment: spent-100-recent}", "to: {segment: spent-100}")


def test_the_same_files_are_nothing_to_publish(sold: Terminal) -> None:
    assert sold.well("plan", "--detailed-exitcode").startswith("Nothing to publish: the files say the same as what")
    sold.change("rules/slots.yaml", "slots:\n", "# A remark\nslots:\n")
    assert sold.run("plan", "--detailed-exitcode").exit_code == 0


def test_a_plan_says_what_changes_and_for_whom(sold: Terminal) -> None:
    change(sold)
    text = sold.well("plan", "--at", "1997-10-01")
    assert (
        "  ~ rule home-hero/best (matches fewer than 20, wins fewer than 20)\n"
        '      was: Show heroes/box-set to everyone in "$100 or more in all, the last\n'
        '           within 60 days".\n'
        '      is:  Show heroes/box-set to everyone in "$100 or more in all".\n'
    ) in text
    assert "\nPlan: 0 to add, 1 to change, 0 to move, 0 to remove.\n" in text
    assert " visitors seen in the last 28 days would see something else (" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_status_tells_changes_and_errors_apart(sold: Terminal) -> None:
    change(sold)
    assert sold.run("plan").exit_code == 0
    assert sold.run("plan", "--detailed-exitcode").exit_code == 2
    sold.change("rules/slots.yaml", "{segment: spent-100}\n        show: heroes/box-set", "{segment: nobody}\n")
    assert sold.run("plan", "--detailed-exitcode").exit_code == 1


def test_over_nothing_a_plan_adds_everything(shop: Terminal) -> None:
    found = json.loads(shop.well("plan", "--format", "json"))
    assert (found["base"], found["reach"]) == (None, None)
    assert found["summary"]["added"] == len(found["edits"])
    assert "Nothing is live so far." in shop.well("plan")


def test_programs_get_the_numbers_with_their_shares(sold: Terminal) -> None:
    change(sold)
    found = json.loads(sold.well("plan", "--at", "1997-10-01", "--format", "json"))
    assert [edit["name"] for edit in found["edits"]] == ["home-hero/best"]
    (best,) = [rule for rule in found["reach"]["rules"] if rule["rule"] == "home-hero/best"]
    assert best["before"]["matches"]["share"] <= best["after"]["matches"]["share"]
    assert found["summary"] == {"added": 0, "changed": 1, "moved": 0, "removed": 0}


def test_a_kept_plan_is_published_as_it_is(sold: Terminal) -> None:
    change(sold)
    sold.well("plan", "--out", "the.plan")
    version = json.loads((sold.folder / "the.plan").read_text())["version"]
    assert sold.well("publish", "--plan", "the.plan").startswith(f"Published {version}.\n")
    assert sold.well("publish", "--plan", "the.plan").startswith("Nothing to do: ")


def test_a_plan_is_stale_when_the_files_moved_on(sold: Terminal) -> None:
    change(sold)
    sold.well("plan", "--out", "the.plan")
    sold.change("rules/slots.yaml", "title: Two offers below it", "title: Two offers")
    (sold.folder / "rules/more.yaml").write_text("segments: {}\n")
    before = sold.stored(live)
    assert sold.said("publish", "--plan", "the.plan", exit_code=2) == (
        "Error: the plan is stale, so nothing was published:\n"
        "  rules/more.yaml is new.\n"
        "  rules/slots.yaml was changed.\n"
        'Make a new one with "personalize plan".\n'
    )
    assert sold.stored(live) == before


async def live(store: Store) -> Live | None:
    return await store.live()


def test_a_plan_is_stale_when_another_version_went_live(sold: Terminal) -> None:
    base = sold.stored(live)
    assert base is not None
    change(sold)
    sold.well("plan", "--out", "the.plan")
    planned = (sold.folder / "rules/slots.yaml").read_text()
    (sold.folder / "rules/slots.yaml").write_text(planned.replace("title: Two offers below it", "title: Two offers"))
    sold.well("publish", "--by", "Kari")
    (sold.folder / "rules/slots.yaml").write_text(planned)
    said = sold.said("publish", "--plan", "the.plan", exit_code=2)
    assert f"  {base.version} was live then, and " in said
    assert "(by Kari):" in " ".join(said.split())
    assert "1 file changed: rules/slots.yaml." in said


@pytest.mark.parametrize("text", ["", "[]", '{"form": 1}', '{"form": 2}', '{"form": 1, "base": 1, "version": "a"}'])
def test_what_is_no_plan_is_refused(sold: Terminal, text: str) -> None:
    (sold.folder / "no.plan").write_text(text)
    assert "Error: no.plan is no plan: " in sold.said("publish", "--plan", "no.plan", exit_code=2)


def test_a_plan_comes_back_from_its_file_as_it_was() -> None:
    saved = SavedPlan.of(Draft({"rules/a.yaml": "slots: {}\n"}), None)
    assert read_plan(json.dumps(saved.as_data())) == saved


def test_a_version_that_goes_live_between_the_look_and_the_move_stops_the_publishing(sold: Terminal) -> None:
    change(sold)
    site = load_settings(sold.folder / "personalize.toml", {})
    draft = read_draft(site, Problems())

    async def publish(store: Store) -> None:
        await publish_over(store, draft, site, at=datetime(2026, 1, 1, tzinfo=UTC), by="Kari", base="of-old")

    before = sold.stored(live)
    with pytest.raises(StaleVersion):
        sold.stored(publish)
    assert sold.stored(live) == before
