"""Lengths of time: read as people write them, refused with advice, printed as they are read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30 days", timedelta(days=30)),
        ("1 day", timedelta(days=1)),
        ("1 days", timedelta(days=1)),
        ("2 weeks", timedelta(days=14)),
        ("30 minutes", timedelta(minutes=30)),
        ("1 day 12 hours", timedelta(hours=36)),
        ("12 hours 1 day", timedelta(hours=36)),
        ("  1  week   5 seconds ", timedelta(days=7, seconds=5)),
        ("30days", timedelta(days=30)),
        ("30 Days", timedelta(days=30)),
        ("0 seconds", timedelta()),
        ("36525 days", LONGEST),
    ],
)
def test_a_length_of_time_is_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("30 dyas", ['"dyas"', '"30 dyas"', "seconds, minutes, hours, days, weeks", "did you mean `days`?"]),
        ("30 min", ["did you mean `minutes`?"]),
        ("5 h", ["did you mean `hours`?"]),
        ("3 months", ["months are not all of one length", '"90 days"']),
        ("1 year", ["years are not all of one length", '"365 days"']),
        ("30", ['"30"', '"30 days"', "seconds, minutes, hours, days, weeks"]),
        ("days", ["whole numbers with a unit"]),
        ("", ["whole numbers with a unit"]),
        ("1.5 days", ["whole numbers", '"1 day 12 hours"']),
        ("-1 day", ["whole numbers"]),
        ("1 day, 2 hours", ["whole numbers"]),
        ("1 day 2 days", ["names days twice"]),
        ("1 s s", ["whole numbers"]),
        ("3 s", ["did you mean `seconds`?"]),
        ("36526 days", ["longer than 100 years"]),
        ("99999999999999999999 weeks", ["longer than 100 years"]),
        ("9" * 5_000 + " days", ["…", "whole numbers"]),
        ("٣ days", ["whole numbers"]),
        ("1\nday", ["whole numbers"]),
    ],
)
def test_what_is_no_length_of_time_is_refused_with_advice(text: str, says: list[str]) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_duration(text)
    assert all(words in str(refused.value) for words in says), str(refused.value)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=30), "30 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=14), "14 days"),
        (timedelta(hours=36), "1 day 12 hours"),
        (timedelta(minutes=61, seconds=1), "1 hour 1 minute 1 second"),
        (timedelta(), "0 seconds"),
        (timedelta(milliseconds=2_900), "2 seconds"),
    ],
)
def test_a_length_of_time_is_printed_in_days_hours_minutes_and_seconds(length: timedelta, text: str) -> None:
    assert format_duration(length) == text


def test_a_negative_length_of_time_is_not_printed() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        format_duration(timedelta(seconds=-1))


@given(seconds=st.integers(0, int(LONGEST.total_seconds())))
def test_what_is_printed_is_read_as_the_same(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@given(text=st.text())
def test_any_other_text_is_a_value_error(text: str) -> None:
    try:
        assert timedelta() <= parse_duration(text)
    except ValueError as refused:
        assert str(refused)
