"""Which values near a fact's present one would answer a question otherwise.

Beside the table of operators: for each word that can tell a distance, the values at its limits. What a value
answers is always asked of the operator itself; here it is only proposed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

from personalize.events.event import to_micros
from personalize.rules.conditions import Leaf
from personalize.rules.days import Days
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.operators import Asked
from personalize.rules.times import Times

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question about one element, and the answer that is wanted of it."""

    fact: Fact
    argument: object
    element: object
    now: datetime
    wanted: bool


def nearest_values(leaf: Leaf, value: object, now: datetime, *, wanted: bool) -> Iterator[object]:
    """Values of the leaf's fact that may get the wanted answer, each of them to be asked; None is missing.

    None at all for a question that is wanted to hold and can tell no distance, such as a pattern.
    """
    if leaf.fact.type is FactType.TIMES:
        yield from _times(leaf, value, now, wanted=wanted)
        return
    if leaf.fact.type is FactType.BOOL:
        yield from (True, False)
    yield from leaf.fact.choices
    is_of_days = isinstance(leaf.argument, Days)
    propose = _days if is_of_days else _NEAR.get(leaf.word)
    # A length of time before a moment is exact in UTC alone, where no clock is put forward or back.
    now = now if is_of_days else now.astimezone(UTC)
    if propose is not None:
        with suppress(OverflowError):
            yield from propose(_Asked(leaf.fact, leaf.argument, value, now, wanted))
    if not wanted:
        yield None


def nearest_list(asked: Iterable[tuple[Leaf, bool]], value: object, now: datetime) -> list[object] | None:
    """The list nearest to this one, of a fact that holds many: without the elements that may not be there, with
    one for each question that no element answers; None for an empty one."""
    unwanted = [leaf for leaf, wanted in asked if not wanted]
    kept = [one for one in (value if isinstance(value, list) else ()) if not _any_holds(unwanted, one, now)]
    for leaf in (leaf for leaf, wanted in asked if wanted):
        if not leaf.holds(kept, now):
            proposed = [one for one in nearest_values(leaf, None, now, wanted=True) if one not in kept]
            allowed = [one for one in proposed if not _any_holds(unwanted, one, now)]
            alone = [one for one in allowed if leaf.holds([*kept, one], now)]
            kept += alone[:1] or allowed
    return kept or None


def _any_holds(questions: Iterable[Leaf], element: object, now: datetime) -> bool:
    return any(leaf.holds([element], now) for leaf in questions)


def lists_its_values(leaf: Leaf, *, wanted: bool) -> bool:
    """Whether no value but those proposed can get the wanted answer."""
    if leaf.fact.many:
        return False
    is_read_as_it_is = leaf.cast is None and leaf.fact.type is not FactType.ANY
    return leaf.fact.type in _FEW_VALUES or (wanted and is_read_as_it_is and leaf.word in _NAMED)


def tells_distance(leaf: Leaf) -> bool:
    """Whether what is proposed stands at the limit of what gets an answer, so that nothing nearer is left out."""
    is_whole = leaf.operator.asked is Asked.WHOLE and leaf.fact.many
    return leaf.word in _NEAR and leaf.word not in _PATTERNS and not is_whole and not isinstance(leaf.argument, Days)


def _times(leaf: Leaf, value: object, now: datetime, *, wanted: bool) -> Iterator[object]:
    """As many times more as are missing in the window; what has happened is not undone."""
    times, happened = leaf.argument, value if isinstance(value, tuple) else ()
    assert isinstance(times, Times)
    if wanted:
        yield (*happened, *(to_micros(now) for _ in range(missing_times(times, happened, now))))


def missing_times(times: Times, happened: tuple[int, ...], now: datetime) -> int:
    """How often it would have to happen again for a `did` to hold; `happened` are microseconds, as remembered."""
    within = happened
    if times.within is not None:
        since = to_micros(now) - times.within // _MICROSECOND
        within = tuple(moment for moment in happened if moment >= since)
    return max(0, times.count - len(within))


def _days(asked: _Asked) -> Iterator[object]:
    """The first and the last of some days, and those next to them; of moments, their midnights."""
    assert isinstance(asked.argument, Days)
    first, last = asked.argument.span(asked.now.date()) or (date.max, date.max)
    for day in (first - _DAY, first, last, last + _DAY):
        is_day = asked.fact.type is FactType.DATE
        yield day if is_day else datetime.combine(day, time(), asked.now.tzinfo).astimezone(UTC)


def _is(asked: _Asked) -> Iterator[object]:
    yield from _these(asked, asked.argument)


def _one_of(asked: _Asked) -> Iterator[object]:
    assert isinstance(asked.argument, Listed)
    yield from _these(asked, *asked.argument)


def _these(asked: _Asked, *values: object) -> Iterator[object]:
    """The values that are asked for, or those next to them."""
    for value in values:
        if asked.wanted:
            yield value
        elif not isinstance(value, bool):
            yield from (_next_to(value, asked, above=False), _next_to(value, asked, above=True))


def _elements_of(asked: _Asked) -> Iterator[object]:
    if asked.wanted and isinstance(asked.argument, Iterable):
        yield from asked.argument


def _texts(asked: _Asked) -> Iterator[object]:
    assert isinstance(asked.argument, tuple)
    if asked.wanted:
        yield from asked.argument


def _exists(asked: _Asked) -> Iterator[object]:
    if asked.wanted:
        yield _OF_TYPE.get(asked.fact.type, asked.now)


_OF_TYPE: Mapping[FactType, object] = MappingProxyType(
    {
        FactType.TEXT: "x",
        FactType.NUMBER: 1,
        FactType.MONEY: 1,
        FactType.DATE: date(2000, 1, 1),
        FactType.CLOCK: timedelta(hours=12),
    }
)


def _limit(*, holds_above: bool, included: bool) -> Callable[[_Asked], Iterator[object]]:
    """The value at a limit: itself, or the next one on the side that is wanted."""

    def propose(asked: _Asked) -> Iterator[object]:
        if included == asked.wanted:
            yield asked.argument
        else:
            yield _next_to(asked.argument, asked, above=holds_above == asked.wanted)

    return propose


def _between(asked: _Asked) -> Iterator[object]:
    assert isinstance(asked.argument, tuple)
    low, high = asked.argument
    if asked.wanted:
        yield from (low, high)
    else:
        yield from (_next_to(low, asked, above=False), _next_to(high, asked, above=True))


def _next_to(limit: object, asked: _Asked, *, above: bool) -> object:
    """The next value above or below a limit; for fractions the next at two more digits than they have."""
    sign = 1 if above else -1
    match limit:
        case int() if asked.fact.type is FactType.MONEY or isinstance(asked.element, int | None):
            return limit + sign
        case int() | Decimal():
            fine = min(int(Decimal(limit).as_tuple().exponent), 0) - 2
            return limit + sign * Decimal(1).scaleb(fine)
        case datetime():
            return limit + sign * _MICROSECOND
        case date():
            return limit + sign * _DAY
        case timedelta():
            return limit + sign * _MINUTE
        case str():
            return limit + "a" if above else limit[:-1]
    return None


def _age(*, at_most: bool) -> Callable[[_Asked], Iterator[object]]:
    """A moment as long ago as the limit says, or just longer."""

    def propose(asked: _Asked) -> Iterator[object]:
        assert isinstance(asked.argument, timedelta)
        limit = asked.now - asked.argument
        yield limit if at_most == asked.wanted else limit - _MICROSECOND

    return propose


_NEAR: Mapping[str, Callable[[_Asked], Iterator[object]]] = MappingProxyType(
    {
        "is": _is,
        "one_of": _one_of,
        "exactly": _one_of,
        "any_of": _elements_of,
        "all_of": _elements_of,
        "contains": _texts,
        "starts_with": _texts,
        "ends_with": _texts,
        "exists": _exists,
        "at_least": _limit(holds_above=True, included=True),
        "more_than": _limit(holds_above=True, included=False),
        "at_most": _limit(holds_above=False, included=True),
        "less_than": _limit(holds_above=False, included=False),
        "after": _limit(holds_above=True, included=False),
        "before": _limit(holds_above=False, included=False),
        "between": _between,
        "within": _age(at_most=True),
        "older_than": _age(at_most=False),
    }
)
_FEW_VALUES = frozenset({FactType.BOOL, FactType.CHOICE, FactType.TIMES})
#: Words that name the values they take, one by one.
_NAMED = frozenset({"is", "one_of", "exactly"})
#: Words that many texts fit, of which only the shortest are proposed.
_PATTERNS = frozenset({"contains", "starts_with", "ends_with"})
