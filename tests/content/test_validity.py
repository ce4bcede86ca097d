"""Days and instants of an item, in the zone of its site."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from personalize.content.validity import read_validity
from personalize.problems import Problems
from personalize.yaml_tree import Mapping, parse_yaml
from tests.content.shelf import load


def validity(front: str, zone: str = "Europe/Oslo") -> tuple[datetime | None, datetime | None]:
    problems = Problems()
    node = parse_yaml(front, "x", problems)
    assert isinstance(node, Mapping)
    found = read_validity(node, ZoneInfo(zone), problems)
    assert not problems.list
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "begins"),
    [
        ("2026-12-01", "Europe/Oslo", "2026-11-30T23:00"),
        ("2026-07-01", "Europe/Oslo", "2026-06-30T22:00"),
        ("2026-12-01", "UTC", "2026-12-01T00:00"),
        ("2026-12-01", "Asia/Kathmandu", "2026-11-30T18:15"),
        ("2026-12-01", "America/New_York", "2026-12-01T05:00"),
        ("2026-12-01 18:00", "Europe/Oslo", "2026-12-01T17:00"),
        ("2026-12-01T18:00:30", "Europe/Oslo", "2026-12-01T17:00:30"),
        ("2026-12-01T18:00Z", "Europe/Oslo", "2026-12-01T18:00"),
        ("2026-12-01 18:00-05:00", "Europe/Oslo", "2026-12-01T23:00"),
        # The clock jumps over midnight: the day begins with the jump.
        ("2022-09-11", "America/Santiago", "2022-09-11T04:00"),
        # 02:30 does not exist that day: an hour after 01:30.
        ("2026-03-29 02:30", "Europe/Oslo", "2026-03-29T01:30"),
        # 02:30 comes twice that day: the first one.
        ("2026-10-25 02:30", "Europe/Oslo", "2026-10-25T00:30"),
    ],
)
def test_from_is_the_beginning_of_its_day_or_its_instant(written: str, zone: str, begins: str) -> None:
    assert validity(f"from: {written}", zone) == (utc(begins), None)


@pytest.mark.parametrize(
    ("written", "zone", "ends"),
    [
        ("2026-12-26", "Europe/Oslo", "2026-12-26T23:00"),
        # Days of 23 and 25 hours.
        ("2026-03-29", "Europe/Oslo", "2026-03-29T22:00"),
        ("2026-10-25", "Europe/Oslo", "2026-10-25T23:00"),
        ("2026-02-28", "UTC", "2026-03-01T00:00"),
        ("2026-12-31", "UTC", "2027-01-01T00:00"),
        ("2022-09-10", "America/Santiago", "2022-09-11T04:00"),
        ("2026-12-26 18:00", "Europe/Oslo", "2026-12-26T17:00"),
    ],
)
def test_until_is_the_end_of_its_day_or_its_instant(written: str, zone: str, ends: str) -> None:
    assert validity(f"until: {written}", zone) == (None, utc(ends))


def test_days_of_23_and_25_hours_are_whole() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        from_at, until_at = validity(f"from: {day}\nuntil: {day}")
        assert from_at is not None
        assert until_at is not None
        assert (until_at - from_at).total_seconds() == hours * 3600


def test_nothing_written_is_no_bound() -> None:
    assert validity("title: T") == (None, None)
    assert validity("from:\nuntil: ~") == (None, None)


def test_an_item_is_current_from_its_first_moment_to_before_its_last() -> None:
    library, _ = load({"offers/a.md": "---\ntitle: T\nfrom: 2026-12-01\nuntil: 2026-12-24\n---\n"})
    item = library.items["offers/a"]
    assert not item.is_current(utc("2026-11-30T22:59:59.999999"))
    assert item.is_current(utc("2026-11-30T23:00"))
    assert item.is_current(utc("2026-12-24T22:59:59.999999"))
    assert not item.is_current(utc("2026-12-24T23:00"))
