"""`rollback`: to the version before, or to a named one."""

import pytest

from personalize.stores.protocols import Store
from tests.cli.terminal import Terminal
from tests.cli.test_publish import masked


async def versions(store: Store) -> list[str]:
    return [live.version for live in await store.versions()]


@pytest.fixture
def twice(shop: Terminal) -> Terminal:
    """The shop with two versions that have been live."""
    shop.well("publish")
    shop.change("rules/segments.yaml", "title: Five purchases or more", "title: Five or more")
    shop.well("publish", "--by", "Liv")
    return shop


def test_the_version_before_goes_live_again(twice: Terminal) -> None:
    first, second = twice.stored(versions)
    assert masked(twice.well("rollback")) == (
        f"{first} is live again. It replaces {second}, which was live since <moment> (by Liv). "
        f'Nothing was live before it; "personalize rollback {second}" goes forward again. '
        "The files on disk stay as they are: the next publish brings them back."
    )
    assert twice.stored(versions) == [first, second, first]
    twice.well("publish")
    assert twice.stored(versions) == [first, second, first, second]


def test_going_back_again_goes_further_back_and_never_to_what_was_gone_back_from(twice: Terminal) -> None:
    twice.change("rules/segments.yaml", "title: Five or more", "title: Five, or still more")
    twice.well("publish")
    first, second, third = twice.stored(versions)
    said = masked(twice.well("rollback"))
    assert said.startswith(f"{second} is live again. It replaces {third}, ")
    assert f'"personalize rollback" goes further back, to {first}; "personalize rollback {third}" goes forward' in said
    assert twice.well("rollback").startswith(f"{first} is live again.\n")
    assert twice.said("rollback", exit_code=2) == (
        f"Error: {first} is the first version that was live, so there is nothing further back.\n"
        f'"personalize rollback {second}" goes forward again; "personalize rollback --list" shows all versions.\n'
    )
    assert twice.stored(versions) == [first, second, third, second, first]


def test_all_versions_can_be_listed(twice: Terminal) -> None:
    first, second = twice.stored(versions)
    lines = twice.well("rollback", "--list").splitlines()
    assert [masked(line) for line in lines[1:]] == [f"{second} <moment> Liv live now", f"{first} <moment> ola"]
    assert twice.stored(versions) == [first, second]


def test_before_the_first_version_there_is_nothing_to_list(shop: Terminal) -> None:
    assert shop.well("rollback", "--list") == "Nothing has been published yet.\n"


def test_a_version_can_be_named_by_its_first_letters(twice: Terminal) -> None:
    first, second = twice.stored(versions)
    assert twice.well("rollback", first[:5]).startswith(f"{first} is live again.\n")
    assert twice.well("rollback", second).startswith(f"{second} is live again.\n")
    assert twice.well("rollback", second) == f"Nothing to do: {second} is live already.\n"


def test_a_version_that_is_not_known_is_answered_with_those_that_are(twice: Terminal) -> None:
    first, second = twice.stored(versions)
    said = twice.said("rollback", "zzz", exit_code=2)
    lines = said.splitlines()
    assert lines[0] == 'Error: "zzz" is no version that has been live. These have been:'
    assert lines[2].split() == ["version", "went", "live", "by"]
    assert [masked(line) for line in lines[3:]] == [f"{second} <moment> Liv live now", f"{first} <moment> ola"]
    assert 'Error: "" is the beginning of several versions.' in twice.said("rollback", "", exit_code=2)


def test_with_nothing_to_go_back_to_it_says_so(shop: Terminal) -> None:
    assert shop.said("rollback", exit_code=2) == (
        "Error: nothing has been published yet, so there is nothing to go back to.\n"
    )
    shop.well("publish")
    (only,) = shop.stored(versions)
    assert shop.said("rollback", exit_code=2) == (
        f"Error: only {only} has been live so far, so there is nothing to go back to.\n"
    )


def test_a_version_whose_template_is_gone_is_not_brought_back(twice: Terminal) -> None:
    first, second = twice.stored(versions)
    (twice.folder / "content_templates/hero.html").unlink()
    said = twice.said("rollback", exit_code=1)
    assert said.startswith('error[E415]: there is no template "hero.html"\n --> content/collections.yaml:2\n')
    assert twice.stored(versions) == [first, second]
