"""What would have to be different for a condition to hold: as few things as possible, and each as little."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from personalize.rules.conditions import Condition, Leaf
from personalize.rules.facts import LOCAL_NOW, NOW_INSTANT, Fact, FactType, FactValues, is_of_event
from personalize.rules.misses.nearest_values import lists_its_values, nearest_list, nearest_values, tells_distance
from personalize.rules.misses.timeline import Timeline
from personalize.rules.misses.turns import Turns, turns_of
from personalize.rules.misses.ways import Wanted, Way, Ways
from personalize.rules.unanswerable import Unanswerable

#: What is known of somebody for good.
_SETTLED = frozenset({"first", "first_value", "first_seen"})
#: How much is asked with one change: something that happens, that depends on somebody else, that undoes the past.
_HAPPENS, _DEPENDS, _UNDOES = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have to be different: the value of a fact, or, for `now.instant`, the moment.

    `asked` are the questions that would be answered as wanted by it, and are not now. `after` is a value that does
    it; where none can be told (`is_exact` is false), any value with these answers would.
    """

    fact: Fact
    before: object
    after: object
    asked: tuple[Wanted, ...]
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Miss:
    """The changes that would make a condition hold together, at the moment `at`; none where it holds already."""

    changes: tuple[Change, ...]
    at: datetime

    @property
    def is_exact(self) -> bool:
        """Whether every change names the value that does it."""
        return all(change.is_exact for change in self.changes)

    @property
    def values(self) -> Mapping[str, object]:
        """The facts that would be different at that moment, by name, with their values then."""
        return {change.fact.name: change.after for change in self.changes if change.fact != NOW_INSTANT}

    @property
    def weight(self) -> tuple[int, timedelta]:
        """How much is asked: first of what would have to happen, then of how long that would be away."""
        moved = [change for change in self.changes if change.fact == NOW_INSTANT]
        away = sum((abs(self.at - one.before) for one in moved if isinstance(one.before, datetime)), timedelta())
        return sum(map(_weight, self.changes)), away


class NearestMisses:
    """Looks for the nearest miss of one visitor's conditions.

    `values_at` answers every fact by name as it would be at a moment, if nothing else happened; `answer` is the
    present answer to a question. Segments are opened up.
    """

    def __init__(
        self,
        segments: Mapping[str, Condition],
        values_at: Callable[[datetime], FactValues],
        answer: Callable[[Leaf], bool],
        now: datetime,
    ) -> None:
        self._read = values_at
        self._now = now
        self._ways = Ways(segments, answer)
        self._timeline = Timeline(now, self._is_answered)
        self._seen: dict[datetime, tuple[FactValues, datetime]] = {}
        self._answers: dict[datetime, dict[Leaf, bool | None]] = {}
        self._found: dict[frozenset[Wanted], datetime | None] = {}
        self._changes: dict[tuple[Way, datetime], Change | None] = {}

    def of(self, condition: Condition) -> Miss | None:
        """The least that would have to be different for the condition to hold; None where nothing would do.

        What would do at this moment is looked for first; a wait is no better than one thing that happens now.
        """
        found = [_by_fact(way) for way in self._ways.of(condition)]
        best = None
        for way in found:
            best = self._nearer(best, way, self._now)
        if best is None or best.weight > (_HAPPENS, timedelta()):
            for way in found:
                for at in self._moments(way):
                    best = self._nearer(best, way, at)
        return best

    def _nearer(self, best: Miss | None, way: "WayByFact", at: datetime) -> Miss | None:
        """What this way needs at this moment, or what is the best so far if that is as near."""
        miss = self._miss(way, at, None if best is None else best.weight[0])
        return miss if miss is not None and (best is None or miss.weight < best.weight) else best

    def _values(self, at: datetime) -> FactValues:
        return self._read_at(at)[0]

    def _local(self, at: datetime) -> datetime:
        """The moment by the visitor's clock, which tells what day it is."""
        return self._read_at(at)[1]

    def _read_at(self, at: datetime) -> tuple[FactValues, datetime]:
        known = self._seen.get(at)
        if known is None:
            values = self._read(at)
            local = values.get(LOCAL_NOW, at)
            assert isinstance(local, datetime)
            known = self._seen[at] = values, local
        return known

    def _is_answered(self, wanted: Wanted, at: datetime) -> bool:
        leaf, answer = wanted
        known = self._answers.setdefault(at, {})
        if leaf not in known:
            values, local = self._read_at(at)
            value = values[leaf.fact.name]
            known[leaf] = None if isinstance(value, Unanswerable) else leaf.holds(value, local)
        return known[leaf] is answer

    def _are_answered(self, asked: Iterable[Wanted], at: datetime) -> bool:
        return all(self._is_answered(one, at) for one in asked)

    def _moments(self, way: "WayByFact") -> Iterable[datetime]:
        """Moments at which the clock says what it should where at present it does not."""
        asked = [one for of_fact in way for one in of_fact]
        of_clock = frozenset(one for one in asked if one[0].fact.root == "now")
        moving = of_clock | {one for one in asked if one[0].uses_now}
        moments: dict[datetime, None] = {}
        for some in dict.fromkeys((of_clock, moving)):
            if not self._are_answered(some, self._now):
                moment = self._moment_of(some)
                if moment is None:
                    break  # nor is there one at which even more is answered so
                moments[moment] = None
        return moments

    def _moment_of(self, asked: frozenset[Wanted]) -> datetime | None:
        """The nearest moment at which all of these are answered as wanted."""
        if asked not in self._found:
            self._found[asked] = self._timeline.nearest({one: self._turns_of(one[0]) for one in asked})
        return self._found[asked]

    def _turns_of(self, leaf: Leaf) -> Turns:
        return turns_of(leaf, self._values(self._now)[leaf.fact.name], self._local(self._now))

    def _miss(self, way: "WayByFact", at: datetime, most: int | None) -> Miss | None:
        """What this way needs at this moment; None where nothing would do, or what does weighs more than the `most`."""
        changes: list[Change] = []
        needed = [of_fact for of_fact in way if not self._are_answered(of_fact, at)]
        if most is not None and (len(needed) + (at != self._now)) * _HAPPENS > most:
            return None
        if at != self._now:
            asked = (one for of_fact in way for one in of_fact)
            turned = tuple(one for one in asked if not self._is_answered(one, self._now) and self._is_answered(one, at))
            changes.append(Change(NOW_INSTANT, self._now, at, turned))
        for of_fact in needed:
            if (of_fact, at) not in self._changes:
                self._changes[of_fact, at] = self._change(of_fact, at)
            change = self._changes[of_fact, at]
            if change is None:
                return None
            changes.append(change)
        return Miss(tuple(changes), at)

    def _change(self, of_fact: Way, at: datetime) -> Change | None:
        """The nearest value of one fact that gives all its questions the answers that are wanted."""
        fact = of_fact[0][0].fact
        if fact.root == "now":
            return None
        before = self._values(at)[fact.name]
        if isinstance(before, Unanswerable):
            return None
        asked = tuple(one for one in of_fact if not self._is_answered(one, at))
        local = self._local(at)
        fitting = [value for value in _proposed(of_fact, before, local) if _fits(of_fact, value, local)]
        if fitting:
            return Change(fact, before, min(fitting, key=lambda value: _distance(before, value)), asked)
        is_impossible = any(lists_its_values(leaf, wanted=wanted) for leaf, wanted in of_fact) or all(
            tells_distance(leaf) for leaf, _ in of_fact
        )
        return None if is_impossible else Change(fact, before, None, asked, is_exact=False)


#: The questions of a way, those about each fact together.
WayByFact: TypeAlias = Sequence[Way]


def _by_fact(way: Way) -> WayByFact:
    found: dict[str, list[Wanted]] = {}
    for one in way:
        found.setdefault(one[0].fact.name, []).append(one)
    return tuple(map(tuple, found.values()))


def _proposed(of_fact: Sequence[Wanted], before: object, at: datetime) -> Iterator[object]:
    if of_fact[0][0].fact.many:
        yield nearest_list(of_fact, before, at)
    else:
        for leaf, wanted in of_fact:
            yield from nearest_values(leaf, before, at, wanted=wanted)


def _fits(of_fact: Sequence[Wanted], value: object, at: datetime) -> bool:
    return all(leaf.holds(value, at) == wanted for leaf, wanted in of_fact)


def _distance(before: object, after: object) -> tuple[bool, bool, Any]:
    """How far a value is from another: one that can't be told is further than any, a missing one further still."""
    between = difference(before, after)
    return after is None, between is None, 0 if between is None else abs(between)


def difference(before: object, after: object) -> int | Decimal | timedelta | None:
    """How much is between two values of one kind, or None where that can't be told."""
    match before, after:
        case (bool(), _) | (_, bool()):
            return None
        case (int() | Decimal(), int() | Decimal()):
            between = after - before
            return between if Decimal(between).is_finite() else None
        case (datetime(), datetime()):
            return after - before if before.tzinfo is not None and after.tzinfo is not None else None
        case (datetime(), _) | (_, datetime()):
            return None
        case (date(), date()):
            return after - before
        case (timedelta(), timedelta()):
            return after - before
    return None


def _weight(change: Change) -> int:
    fact, before, after = change.fact, change.before, change.after
    if fact == NOW_INSTANT:
        return _HAPPENS if after > before else _DEPENDS  # type: ignore[operator]  # two moments
    if not change.is_exact or fact.key in _SETTLED or fact.type is FactType.DATE:
        return _DEPENDS
    if (is_of_event(fact) or fact.root in ("did", "visitor")) and (after is None or _is_less(before, after)):
        return _UNDOES
    return _HAPPENS


def _is_less(before: object, after: object) -> bool:
    if isinstance(before, bool) and isinstance(after, bool):
        return before and not after
    between = difference(before, after)
    return between is not None and between != abs(between)
