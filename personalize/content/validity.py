"""From when until when an item may be shown: days and instants as editors write them, in the site's zone."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from personalize.content.values import parse_day
from personalize.problems import Problems, quoted
from personalize.yaml_tree import Mapping, Node, Scalar

_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(Z|[-+][0-9]{2}:[0-9]{2})?")
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 9000


def read_validity(front: Mapping, zone: tzinfo, problems: Problems) -> tuple[datetime | None, datetime | None]:
    """`from` and `until` of an item as aware UTC datetimes, the second one excluded; None is no bound.

    A day means all of it in the site's zone: `from` its beginning, `until` the beginning of the next day. An
    instant without an offset is one of the site's zone.
    """
    from_at = _bound(front.get("from"), zone, problems, days_later=0)
    until_node = front.get("until")
    until_at = _bound(until_node, zone, problems, days_later=1)
    if from_at is not None and until_at is not None and until_at <= from_at:
        hint = "is the year right? `until` comes after `from`"
        problems.error("E427", "the item ends before it begins, so it would never be shown", until_node, hint)
    return from_at, until_at


def _bound(node: Node | None, zone: tzinfo, problems: Problems, *, days_later: int) -> datetime | None:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    try:
        return _instant(node.text.strip() if isinstance(node, Scalar) else "", zone, days_later)
    except ValueError as error:
        hint = "write a day, such as 2026-12-24, or a day and a time, such as 2026-12-24 18:00"
        problems.error("E426", str(error), node, hint)
        return None


def _instant(text: str, zone: tzinfo, days_later: int) -> datetime:
    """The instant that a text names. Where clocks jump, a missing time is the moment of the jump or after it."""
    match = _INSTANT.fullmatch(text)
    day = parse_day(text if match is None else match[1])
    if not _EARLIEST_YEAR <= day.year <= _LATEST_YEAR:
        raise ValueError(f"{quoted(text)} is not a year in which this site will be read")
    if match is None:
        return datetime.combine(day + timedelta(days=days_later), time(), zone).astimezone(UTC)
    try:
        clock = time.fromisoformat(match[2] + (match[3] or ""))
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no time of day") from error
    return datetime.combine(day, clock, clock.tzinfo or zone).astimezone(UTC)
