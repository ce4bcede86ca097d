"""Which items a rule has to show at this moment."""

from datetime import UTC, datetime

import pytest

from personalize.decisions.choose import choose
from personalize.rules.definitions import Named, Show
from personalize.rules.pages import candidates_of
from personalize.yaml_tree import Place
from tests.rules.small_site import rule_set_of

LIBRARY = rule_set_of("").library
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
PLACE = Place("a.yaml", 1, 1, 0, 1)


def named(*ids: str) -> Show:
    return Show(items=tuple(Named(one, PLACE) for one in ids))


def all_of(collection: str, *tags: str, limit: int = 50) -> Show:
    return Show(collection=Named(collection, PLACE), tagged=tags, limit=limit)


def shown(show: Show, now: datetime = SUMMER, room: int = 50, taken: frozenset[str] = frozenset()) -> list[str]:
    found = choose(candidates_of(show, LIBRARY), LIBRARY, now, room=room, taken=taken)
    return [item.removeprefix("offers/") for item in found]


@pytest.mark.parametrize(
    ("show", "items"),
    [
        (named("offers/two", "offers/one"), ["two", "one"]),
        (named("offers/two", "offers/two"), ["two"]),
        (named("notes/hello"), ["notes/hello"]),
        (all_of("offers"), ["one", "three", "two"]),
        (all_of("offers", "winter"), ["three", "two"]),
        (all_of("offers", "winter", "outdoor"), ["one", "three", "two"]),
        (all_of("offers", "none"), []),
        (all_of("offers", limit=2), ["one", "three"]),
        (all_of("elsewhere"), []),
    ],
)
def test_items_come_in_the_order_written_or_by_priority(show: Show, items: list[str]) -> None:
    assert shown(show) == items


def test_there_is_room_for_so_many_and_no_more() -> None:
    assert shown(all_of("offers"), room=1) == ["one"]
    assert shown(all_of("offers", limit=2), room=1) == ["one"]
    assert shown(all_of("offers", limit=1), room=2) == ["one"]


def test_what_is_taken_leaves_its_place_to_the_next() -> None:
    assert shown(all_of("offers"), room=2, taken=frozenset({"offers/one"})) == ["three", "two"]
    assert shown(all_of("offers", limit=1), taken=frozenset({"offers/one"})) == ["three"]
    assert shown(named("offers/one"), taken=frozenset({"offers/one"})) == []


@pytest.mark.parametrize(
    ("now", "is_shown"),
    [
        (datetime(2026, 11, 30, 22, 59, 59, 999999, tzinfo=UTC), False),
        (datetime(2026, 11, 30, 23, tzinfo=UTC), True),
        (datetime(2026, 12, 24, 22, 59, 59, 999999, tzinfo=UTC), True),
        (datetime(2026, 12, 24, 23, tzinfo=UTC), False),
    ],
)
def test_an_item_is_shown_from_its_first_day_to_the_end_of_its_last(now: datetime, is_shown: bool) -> None:
    """Days of the site's zone, Oslo; what cannot be shown takes no place of the limit."""
    assert shown(named("offers/christmas"), now) == (["christmas"] if is_shown else [])
    assert shown(all_of("offers", limit=1), now) == ["one"]
    assert ("christmas" in shown(all_of("offers"), now)) is is_shown
