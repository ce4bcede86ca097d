"""Reads `when:`: between which dates, on which days, in which hours a rule may show something."""

import re
from datetime import date, datetime, time, timedelta

from personalize.guesses import Guess
from personalize.problems import quoted
from personalize.rules.arguments import ArgumentError, read_days, read_value
from personalize.rules.conditions import Leaf
from personalize.rules.conventions import Conventions
from personalize.rules.days import Days
from personalize.rules.facts import NOW_INSTANT, WEEKDAYS, Fact, FactType
from personalize.rules.operators import IN_WINDOW
from personalize.rules.reading.dates_meant import date_meant
from personalize.rules.reading.reading import Reading, shown
from personalize.rules.window import Window
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

WHEN_KEYS = ("from", "until", "weekdays", "on", "hours", "zone")
_WEEKDAY = Fact("weekdays", "now", "weekday", FactType.CHOICE, choices=WEEKDAYS)
_DATE = Fact("on", "now", "date", FactType.DATE)
_CLOCK = Fact("hours", "now", "time", FactType.CLOCK)
_HOUR = re.compile(r"([01]?[0-9]|2[0-4])(?:[:.]([0-5][0-9]))?", re.ASCII)
_MIDNIGHT = timedelta(hours=24)


def read_window(
    node: Node | None, conventions: Conventions, reading: Reading, local_now: Fact | None = None
) -> Leaf | None:
    """The time window as a question about now, or None where a rule says nothing of time. `local_now` is the fact of
    the moment in the visitor's zone, for a window of it; None where nothing tells that zone."""
    mapping = reading.mapping(node, "`when`")
    if mapping is None:
        return None
    reading.only(mapping, WHEN_KEYS, "`when`")
    until = mapping.get("until")
    is_local = _is_local(mapping, reading, local_now)
    window = Window(
        zone=None if is_local else conventions.zone,
        from_at=_bound(mapping, "from", conventions, reading, is_local=is_local),
        until_at=_bound(mapping, "until", conventions, reading, is_local=is_local),
        on=_days(mapping.get("on"), conventions, reading),
        weekdays=_weekdays(mapping, conventions, reading),
        hours=_hours(mapping.get("hours"), conventions, reading),
        until_day=_day(until.text) if isinstance(until, Scalar) else None,
    )
    if _is_backwards(window, conventions):
        reading.problems.error(
            "E230",
            "`until` is not after `from`, so the rule never shows",
            mapping,
            "is the year right? `until` comes after `from`",
        )
    fact = local_now if local_now is not None and is_local else NOW_INSTANT
    return Leaf(fact, IN_WINDOW, IN_WINDOW.word, window, place=mapping.place)


def _is_local(mapping: Mapping, reading: Reading, local_now: Fact | None) -> bool:
    """Whether the window is one of the visitor's zone; where nothing tells it, the site's is all there is."""
    wanted = reading.choice(mapping, "zone", ("site", "visitor"), "`when`") == "visitor"
    if wanted and local_now is None:
        hint = "declare an attribute with `zone: true`"
        message = "nothing tells the visitor's time zone, so this window is one of the site's"
        reading.problems.warning("W250", message, mapping.key_node("zone"), hint)
    return wanted and local_now is not None


def _is_backwards(window: Window, conventions: Conventions) -> bool:
    """Whether the window ends before it begins; bounds by the visitor's clock are compared as if by the site's."""
    from_at, until_at = (_at_site(at, conventions) for at in (window.from_at, window.until_at))
    return from_at is not None and until_at is not None and until_at <= from_at


def _at_site(at: datetime | None, conventions: Conventions) -> datetime | None:
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=conventions.zone)


def _days(node: Node | None, conventions: Conventions, reading: Reading) -> tuple[Days, ...]:
    found: list[Days] = []
    for scalar in reading.scalars(node, "`on`"):
        try:
            days = read_days(scalar, _DATE, conventions)
        except ArgumentError as error:
            reading.problems.error("E215", f"`on`: {error}", scalar, error.hint)
        else:
            assert isinstance(days, Days)
            found.append(days)
    if isinstance(node, Sequence) and not node.items:
        reading.problems.error("E213", "`on` names no day", node, "leave it out to mean every day")
    return tuple(found)


def _bound(
    mapping: Mapping, key: str, conventions: Conventions, reading: Reading, *, is_local: bool
) -> datetime | None:
    """A written moment; a date as `until` includes that whole day. One by the visitor's clock has no zone."""
    node = mapping.get(key)
    if node is None:
        return None
    text = reading.text(mapping, key, "`when`")
    if not (isinstance(node, Scalar) and node.value is not None):
        return None
    try:
        day = _day(text) if key == "until" else None
        at = conventions.moment(text) if day is None else conventions.end_of(day)
        return _by_the_clock(text, day) if is_local else at
    except ValueError:
        hint = date_meant(text) or "write it as 2026-12-24 or 2026-12-24T18:00"
        reading.problems.error("E215", f"`{key}`: {quoted(text)} is not a date or moment", node, hint)
        return None


def _by_the_clock(text: str, day: date | None) -> datetime:
    """What the visitor's clock shows at a bound, unless a zone is written."""
    return datetime.fromisoformat(text) if day is None else datetime.combine(day + timedelta(days=1), time())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _weekdays(mapping: Mapping, conventions: Conventions, reading: Reading) -> frozenset[str]:
    node = mapping.get("weekdays")
    named = reading.scalars(node, "`weekdays`")
    if isinstance(node, Sequence) and not node.items:
        reading.problems.error("E213", "`weekdays` names no day", node, "leave it out to mean every day")
    # A list of days can't stand in the place of one day of a list.
    in_list = isinstance(node, Sequence)
    return frozenset(str(_read(scalar, _WEEKDAY, conventions, reading, in_list=in_list)) for scalar in named)


def _hours(node: Node | None, conventions: Conventions, reading: Reading) -> tuple[timedelta, timedelta] | None:
    if node is None:
        return None
    ends = node.text.split("-") if isinstance(node, Scalar) else []
    if len(ends) != 2:
        reading.problems.error("E215", "`hours` are a start and an end", node, "write them as 08:00-18:00")
        return None
    if (meant := _hours_meant(ends)) is not None:
        hint = Guess(f"write them as {meant}", "-".join(ends), meant)
        reading.problems.error("E215", f"`hours`: {shown(node)} are no times of day", node, hint)
        return None
    clocks = [_read(Scalar(end.strip(), end.strip(), node.place), _CLOCK, conventions, reading) for end in ends]
    start, end = (clock if isinstance(clock, timedelta) else timedelta() for clock in clocks)
    if None not in clocks and (start == end or (start, end) == (_MIDNIGHT, timedelta())):
        reading.problems.error("E230", "`hours` end when they begin, so the rule never shows", node)
    return (start, end)


def _hours_meant(ends: list[str]) -> str | None:
    """The hours as they are written, for ends of which one is a bare hour, as in `8-18`; None for any others."""
    found = [_HOUR.fullmatch(end.strip()) for end in ends]
    if None in found or all(one is not None and one[2] for one in found):
        return None
    return "-".join(f"{int(one[1]):02}:{one[2] or '00'}" for one in found if one is not None)


def _read(scalar: Scalar, fact: Fact, conventions: Conventions, reading: Reading, *, in_list: bool = False) -> object:
    try:
        return read_value(scalar, fact, conventions)
    except ArgumentError as error:
        hint = str(error.hint) if in_list and error.hint is not None else error.hint
        reading.problems.error("E215", f"`{fact.name}`: {error}", scalar, hint)
        return None
