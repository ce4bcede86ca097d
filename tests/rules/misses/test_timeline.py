"""When a clock answers as wanted: held against a walk over every minute, over the days on which clocks are put."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from personalize.events.schema import Schema
from personalize.rules.conditions import Leaf
from personalize.rules.facts import Facts
from personalize.rules.misses.timeline import Timeline
from personalize.rules.misses.turns import turns_of
from personalize.rules.misses.ways import Wanted
from personalize.rules.now_facts import now_value
from personalize.rules.operators import OPERATORS

OSLO = ZoneInfo("Europe/Oslo")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FINEST = timedelta(microseconds=1)
#: On the last days of March and October clocks are put forward and back.
FORWARD, BACK = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


def of_clock(word: str, argument: object, key: str = "time") -> Leaf:
    fact = Facts(Schema()).get(f"now.{key}")
    assert fact is not None
    return Leaf(fact, OPERATORS[word], word, argument)


def is_answered(wanted: Wanted, at: datetime) -> bool:
    leaf, answer = wanted
    return leaf.holds(now_value(leaf.fact, at.astimezone(OSLO)), at) == answer


def nearest(now: datetime, *asked: Wanted) -> datetime | None:
    turns = {one: turns_of(one[0], None, now.astimezone(OSLO)) for one in asked}
    return Timeline(now, is_answered).nearest(turns)


def by_the_minute(now: datetime, *asked: Wanted) -> datetime | None:
    """The first minute to come, within three days, at which all are answered as wanted."""
    minutes = (now + number * MINUTE for number in range(3 * DAY // MINUTE))
    return next((at for at in minutes if all(is_answered(one, at) for one in asked)), None)


HALF_PAST_TWO, THREE = timedelta(hours=2, minutes=30), timedelta(hours=3)
ASKED = {
    "from a time that the clock leaps over": [(of_clock("at_least", HALF_PAST_TWO), True)],
    "within the hour that comes twice": [(of_clock("between", (HALF_PAST_TWO, THREE)), True)],
    "not at night": [(of_clock("at_least", 6, "hour"), True), (of_clock("less_than", 22, "hour"), True)],
    "later than a time, to the second": [(of_clock("more_than", timedelta(hours=18)), True)],
    "on a day, before a time": [(of_clock("is", "sun", "weekday"), True), (of_clock("at_least", THREE), False)],
    "in an hour that is none": [(of_clock("at_least", 20, "hour"), True), (of_clock("less_than", 9, "hour"), True)],
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("hours", [0, 11, 13, 14, 15, 18])
@pytest.mark.parametrize("day", [FORWARD, BACK], ids=["put forward", "put back"])
def test_the_moment_is_the_first_of_its_minute_on_any_day(day: datetime, hours: int, asked: list[Wanted]) -> None:
    now = day + timedelta(hours=hours)
    if all(is_answered(one, now) for one in asked):
        return
    found, minute = nearest(now, *asked), by_the_minute(now, *asked)
    if minute is None:
        assert found is None or found >= now + 3 * DAY
        return
    assert found is not None
    assert minute - MINUTE < found <= minute
    assert all(is_answered(one, found) for one in asked)
    assert not all(is_answered(one, found - FINEST) for one in asked)


def test_what_is_over_is_found_in_the_past_at_its_last_moment() -> None:
    day = of_clock("before", date(2026, 3, 20), "date")
    found = nearest(FORWARD, (day, True), (of_clock("is", 9, "hour"), True))
    assert found is not None
    assert found.astimezone(OSLO) == datetime(2026, 3, 19, 10, tzinfo=OSLO) - FINEST


def test_a_day_years_away_is_found_by_the_moments_that_it_tells() -> None:
    found = nearest(FORWARD, (of_clock("is", date(2029, 5, 1), "date"), True), (of_clock("is", 9, "hour"), True))
    assert found == datetime(2029, 5, 1, 9, tzinfo=OSLO).astimezone(UTC)
