"""The facts of the moment itself: what the clock and the calendar of a place say."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from personalize.rules.facts import WEEKDAYS, Fact, FactType

#: The root of the facts of the moment.
NOW = "now"
#: The two clocks by which they are told: the site's, and the visitor's where its zone may be another.
CLOCKS = ("the site's clock", "the visitor's clock")


def now_value(fact: Fact, local: datetime) -> object:
    """The value that a `now` fact has by a clock that shows this aware moment; the moment itself for the instant."""
    return local if fact.type is FactType.INSTANT else _NOW[fact.key](local)


def clock_of(fact: Fact) -> str:
    """By which clock a fact of the moment is told."""
    return CLOCKS[1] if fact.personal else CLOCKS[0]


_NOW: Mapping[str, Callable[[datetime], object]] = {
    "time": lambda local: timedelta(hours=local.hour, minutes=local.minute, seconds=local.second),
    "weekday": lambda local: WEEKDAYS[local.weekday()],
    "date": lambda local: local.date(),
    "month": attrgetter("month"),
    "hour": attrgetter("hour"),
}
