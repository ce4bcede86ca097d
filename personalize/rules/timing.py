"""Reads `when:`: between which dates, on which days, in which hours a rule may show something."""

from datetime import datetime, timedelta

from personalize.rules.arguments import ArgumentError, read_value
from personalize.rules.conditions import Leaf
from personalize.rules.conventions import Conventions
from personalize.rules.facts import NOW_INSTANT, WEEKDAYS, Fact, FactType
from personalize.rules.operators import IN_WINDOW
from personalize.rules.reading import Reading
from personalize.rules.window import Window
from personalize.yaml_tree import Mapping, Node, Scalar

_KEYS = ("from", "until", "weekdays", "hours")
_WEEKDAY = Fact("weekdays", "now", "weekday", FactType.CHOICE, choices=WEEKDAYS)
_CLOCK = Fact("hours", "now", "time", FactType.CLOCK)


def read_window(node: Node | None, conventions: Conventions, reading: Reading) -> Leaf | None:
    """The time window as a question about now, or None where a rule says nothing of time."""
    mapping = reading.mapping(node, "`when`")
    if mapping is None:
        return None
    reading.only(mapping, _KEYS, "`when`")
    window = Window(
        zone=conventions.zone,
        from_at=_bound(mapping, "from", conventions, reading),
        until_at=_bound(mapping, "until", conventions, reading),
        weekdays=_weekdays(mapping, conventions, reading),
        hours=_hours(mapping.get("hours"), conventions, reading),
    )
    if window.from_at is not None and window.until_at is not None and window.until_at <= window.from_at:
        reading.problems.error("E230", "`until` lies before `from`, so the rule never shows", mapping, "swap them")
    return Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, window, place=mapping.place)


def _bound(mapping: Mapping, key: str, conventions: Conventions, reading: Reading) -> datetime | None:
    """A written moment; a date as `until` includes that whole day."""
    text = reading.text(mapping, key, "`when`")
    if not text:
        return None
    try:
        if len(text) == len("2026-12-24") and key == "until":
            day = datetime.fromisoformat(text).date()
            return conventions.midnight(day + timedelta(days=1))
        return conventions.moment(text)
    except (ValueError, OverflowError):
        reading.problems.error(
            "E215",
            f'`{key}`: "{text}" is not a date or moment',
            mapping.get(key),
            "write it as 2026-12-24 or 2026-12-24T18:00",
        )
        return None


def _weekdays(mapping: Mapping, conventions: Conventions, reading: Reading) -> frozenset[str]:
    named = reading.scalars(mapping.get("weekdays"), "`weekdays`")
    return frozenset(str(_read(scalar, _WEEKDAY, conventions, reading)) for scalar in named)


def _hours(node: Node | None, conventions: Conventions, reading: Reading) -> tuple[timedelta, timedelta] | None:
    if node is None:
        return None
    ends = node.text.split("-") if isinstance(node, Scalar) else []
    if len(ends) != 2:
        reading.problems.error("E215", "`hours` are a start and an end", node, "write them as 08:00-18:00")
        return None
    clocks = [_read(Scalar(end.strip(), end.strip(), node.place), _CLOCK, conventions, reading) for end in ends]
    start, end = (clock if isinstance(clock, timedelta) else timedelta() for clock in clocks)
    if start == end and None not in clocks:
        reading.problems.error("E230", "`hours` end when they begin, so the rule never shows", node)
    return (start, end)


def _read(scalar: Scalar, fact: Fact, conventions: Conventions, reading: Reading) -> object:
    try:
        return read_value(scalar, fact, conventions)
    except ArgumentError as error:
        reading.problems.error("E215", f"`{fact.name}`: {error}", scalar, error.hint)
        return None
