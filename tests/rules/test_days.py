"""Days in words as spans of the calendar; what they mean in conditions is among the cases in days.yaml."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.rules.days import Days, anniversary_in, read_days

ANY_DAY = st.dates(date(1901, 1, 1), date(8999, 12, 31))
WORDS = (
    "today",
    "this week",
    "last month",
    "next year",
    "last 7 days",
    "next 2 weeks",
    "day 15 of the month",
    "december",
)


@pytest.mark.parametrize("written", ["First  Mon of the Month", "first monday of the month"])
def test_words_are_kept_in_one_form(written: str) -> None:
    assert read_days(written) == Days("first monday of the month")


@given(ANY_DAY, st.sampled_from(WORDS))
def test_days_in_words_are_there_on_every_day_and_in_their_order(today: date, words: str) -> None:
    span = read_days(words).span(today)
    assert span is not None and span[0] <= span[1]


@given(ANY_DAY, st.integers(0, 1199), st.sampled_from(["days", "weeks", "months"]))
def test_so_long_ago_is_never_later_than_a_shorter_time_ago(today: date, count: int, unit: str) -> None:
    earlier, later = (read_days(f"{number} {unit} ago").span(today) for number in (count + 1, count))
    assert earlier is not None and later is not None and earlier < later


@given(ANY_DAY, st.integers(0, 6))
def test_the_weekdays_of_a_month_are_a_week_apart_and_all_of_that_month(today: date, weekday: int) -> None:
    name = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[weekday]
    spans = [read_days(f"{place} {name} of the month").span(today) for place in ("first", "second", "third", "fourth")]
    days = [span[0] for span in spans if span is not None]
    assert len(days) == 4 and {day.weekday() for day in days} == {weekday}
    assert {(day.year, day.month) for day in days} == {(today.year, today.month)} and days[0].day <= 7
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(weeks=1)}


@given(ANY_DAY, st.integers(1, 60))
def test_every_day_has_one_anniversary_in_each_later_year(day: date, years: int) -> None:
    year = day.year + years
    within = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    found = [one for one in (*within, date(year, 12, 31)) if anniversary_in(day, (one, one))]
    assert len(set(found)) == 1
    assert anniversary_in(day, (date(year, 1, 1), date(year, 12, 31)))
    assert not anniversary_in(day, (date(day.year, 1, 1), date(day.year, 12, 31)))


def test_days_beyond_the_calendar_are_none() -> None:
    assert read_days("100 years ago").span(date(50, 1, 1)) is None
    assert read_days("tomorrow").span(date.max) is None
