"""When the answer to a question may turn as time goes by, if nothing else happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from math import ceil, floor

from personalize.events.event import from_micros
from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import FactType
from personalize.rules.now_facts import NOW
from personalize.rules.times import Times
from personalize.rules.window import Window

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MIDNIGHT = timedelta()
#: Clocks tell the time by the second, so what is more than 18:00 begins a second later.
_TICK = timedelta(seconds=1)
_FINEST = timedelta(microseconds=1)
#: The facts of the moment that tell the same each week.
_WEEKLY = frozenset({"time", "hour", "weekday"})


@dataclass(frozen=True, slots=True)
class Turns:
    """The first moments of another answer: some `moments`, and each day some times of the `clocks` of a zone.

    Where it is `weekly`, the same answers come round each week.
    """

    moments: frozenset[datetime] = frozenset()
    clocks: frozenset[timedelta] = frozenset()
    zone: tzinfo = UTC
    weekly: bool = False


def turns_of(leaf: Leaf, value: object, local: datetime) -> Turns:
    """When the answer may turn, for the present value of the fact, as `local` is the moment by the visitor's clock."""
    argument = leaf.argument
    if isinstance(argument, Window):
        zone = argument.zone or local.tzinfo or UTC
        bounds = frozenset(argument.bounds(local))
        return Turns(bounds, clocks_of(leaf) | {_MIDNIGHT}, zone, weekly=not (bounds or argument.on))
    if isinstance(argument, timedelta | Times) and leaf.fact.root != NOW:
        return Turns(frozenset(_ends(leaf, value)))
    zone = local.tzinfo or UTC
    weekly = leaf.fact.root == NOW and leaf.fact.key in _WEEKLY
    return Turns(frozenset(_midnights(leaf, zone)), clocks_of(leaf) | {_MIDNIGHT}, zone, weekly)


def clocks_of(leaf: Leaf) -> frozenset[timedelta]:
    """The times of day that a question about now names, at which its answer may turn."""
    if isinstance(leaf.argument, Window):
        return frozenset(leaf.argument.hours or ()) - {_DAY}
    if leaf.fact.root != NOW:
        return frozenset()
    found: set[timedelta] = set()
    for one in leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,):
        if isinstance(one, timedelta):
            found |= {one, one + _TICK}
        elif leaf.fact.key == "hour" and isinstance(one, int | Decimal) and -1 <= one <= 24:
            found |= {floor(one) * _HOUR, ceil(one) * _HOUR, (floor(one) + 1) * _HOUR}
    return frozenset(clock for clock in found if _MIDNIGHT <= clock < _DAY)


def _midnights(leaf: Leaf, zone: tzinfo) -> Iterator[datetime]:
    """When the days that a question about now names begin and end."""
    for one in leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,):
        if leaf.fact.type is FactType.DATE and isinstance(one, date) and date.min < one < date.max - _DAY:
            yield from (datetime.combine(day, time(), zone).astimezone(UTC) for day in (one, one + _DAY))


def _ends(leaf: Leaf, value: object) -> Iterator[datetime]:
    """The moments just behind a length of time since what happened."""
    argument = leaf.argument
    if isinstance(argument, Times):
        if argument.within is not None and isinstance(value, tuple) and len(value) >= argument.count:
            yield from_micros(value[-argument.count]) + argument.within + _FINEST
        return
    for one in value if isinstance(value, list | tuple) else (value,):
        read = one if leaf.cast is None else leaf.cast.read(one)
        if leaf.uses_now and isinstance(read, datetime) and read.tzinfo is not None:
            yield read + argument + _FINEST  # type: ignore[operator]  # a length of time, as was just asked
