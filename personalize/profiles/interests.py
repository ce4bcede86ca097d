"""Interests: what somebody likes, learned from what they do, and forgotten as it grows old.

An event teaches the tags that its declaration points at (`interest: items.category`). A profile keeps when each tag
was taught, no more; how strong an interest is follows from that at the moment of asking, so a new half-life counts
at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import fsum

from personalize.events.event import JSONValue, to_micros

#: How many of the latest times a profile keeps of each tag, and of all tags together. What stays is the heaviest
#: independent set of a truncated partition matroid (Oxley, Matroid Theory, 2011), so it is the same in whatever order
#: the events arrive, and of two profiles joined the same as if one had lived both lives.
TIMES_OF_TAG = 20
TIMES_OF_ALL = 200
#: The longest text that counts as a tag; longer ones are prose.
LONGEST_TAG = 100
_MICROSECOND = timedelta(microseconds=1)
_THOUSANDTH = Decimal("0.001")

#: The times at which each tag was taught, as microseconds since 1970, oldest first.
Interests = Mapping[str, tuple[int, ...]]


def tag_of(text: str) -> str:
    """A tag as it is kept and compared: without regard to large and small letters and to blanks around it."""
    return text.strip().casefold()


def taught(interests: Interests, properties: Mapping[str, JSONValue], path: tuple[str, ...], at: datetime) -> Interests:
    """The interests after an event with these properties; each tag that the path leads to is taught once.

    The path goes into every element of a list. The same mapping comes back where it leads to no text.
    """
    tags = {tag for text in _texts(properties, path) if 0 < len(tag := tag_of(text)) <= LONGEST_TAG}
    return together(interests, dict.fromkeys(tags, (to_micros(at),))) if tags else interests


def together(one: Interests, other: Interests) -> Interests:
    """Two profiles' interests in one: the latest times of each tag, and of these the latest of all."""
    tags = {*one, *other}
    kept = {tag: tuple(sorted((*one.get(tag, ()), *other.get(tag, ()))))[-TIMES_OF_TAG:] for tag in tags}
    if sum(map(len, kept.values())) <= TIMES_OF_ALL:
        return kept
    latest = sorted((at, tag) for tag, times in kept.items() for at in times)[-TIMES_OF_ALL:]
    counts: dict[str, int] = {}
    for _, tag in latest:
        counts[tag] = counts.get(tag, 0) + 1
    return {tag: kept[tag][-count:] for tag, count in counts.items()}


def strength(times: Iterable[int], now: datetime, half_life: timedelta) -> Decimal:
    """How strong an interest is that was taught at these times: 0 to 1, to three decimals.

    It is 1 - 2^(-w), where w is the sum of 2^(-age / half_life): half with what happened now, three quarters with two.
    """
    return Decimal(1 - 2 ** -_weight(times, now, half_life)).quantize(_THOUSANDTH)


def strongest(interests: Interests, now: datetime, half_life: timedelta) -> str | None:
    """The tag of the strongest interest, the first by name of several; None where there is none."""
    return min(interests, key=lambda tag: (-_weight(interests[tag], now, half_life), tag), default=None)


def _weight(times: Iterable[int], now: datetime, half_life: timedelta) -> float:
    """What the times add up to, each half as heavy after every half-life; `fsum` makes the order no matter."""
    until, half = to_micros(now), half_life / _MICROSECOND
    return fsum(2 ** (-max(0, until - at) / half) for at in times)


def _texts(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _texts(element, path)
    elif path:
        if isinstance(value, Mapping) and path[0] in value:
            yield from _texts(value[path[0]], path[1:])
    elif isinstance(value, str):
        yield value
