"""Facts of a persona that can't all be true of one visitor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

#: No first visit is as long as that, whatever the site's settings say of visits.
_LONGER_THAN_A_VISIT = timedelta(days=1)
_NOT_STORED = ("page.", "visit.", "now.")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact that can't be true beside another one: the name of each, in the order given, and why not."""

    fact: str
    other: str
    reason: str


def contradictions(given: Mapping[str, object]) -> Iterator[Contradiction]:
    """What can't be true together, each fact once; moments told as a distance are lengths of time."""
    seen: set[str] = set()
    names = list(given)
    for one in (*_of_strangers(given), *_of_first_visit(given), *_of_order(given), *_of_events(given)):
        fact, other = sorted((one.fact, one.other), key=names.index, reverse=True)
        if fact not in seen:
            seen.add(fact)
            yield Contradiction(fact, other, one.reason)


def _of_strangers(given: Mapping[str, object]) -> Iterator[Contradiction]:
    if given.get("visitor.known") is not False:
        return
    for name in given:
        if name != "visitor.known" and not name.startswith(_NOT_STORED):
            yield Contradiction(name, "visitor.known", "of visitors whom we don't know nothing is stored")


def _of_first_visit(given: Mapping[str, object]) -> Iterator[Contradiction]:
    """`visitor.new`, the state `new` and the number of visits tell of the same."""
    is_new, state, visits = (given.get(f"visitor.{key}") for key in ("new", "state", "visits"))
    if is_new is not None and state is not None and is_new != (state == "new"):
        yield Contradiction("visitor.state", "visitor.new", "a visitor is new in the state `new`, and in no other")
    firsts = [name for name, says in (("visitor.new", is_new is True), ("visitor.state", state == "new")) if says]
    for first in firsts:
        if isinstance(visits, int | Decimal) and visits > 1:
            yield Contradiction("visitor.visits", first, "a visitor is new on the first visit")
        for name, value in given.items():
            if _tells_when(name) and isinstance(value, timedelta) and value > _LONGER_THAN_A_VISIT:
                yield Contradiction(name, first, "a visitor is new as long as nothing is known from before this visit")


def _of_order(given: Mapping[str, object]) -> Iterator[Contradiction]:
    for name in given:
        root, _, key = name.rpartition(".")
        pair = {"first": "last", "first_seen": "last_seen"}.get(key)
        if pair is not None and f"{root}.{pair}" in given and _is_later(given[name], given[f"{root}.{pair}"]):
            yield Contradiction(f"{root}.{pair}", name, "the last time is not before the first")


def _of_events(given: Mapping[str, object]) -> Iterator[Contradiction]:
    for name, count in given.items():
        event, _, key = name.rpartition(".")
        if key != "count" or name.startswith(("profile.", "visitor.", *_NOT_STORED)) or count != 0:
            continue
        for other, value in given.items():
            if other != name and other.startswith(f"{event}.") and value != 0:
                yield Contradiction(other, name, "what never happened has no time and no value")


def _tells_when(name: str) -> bool:
    if name.startswith(("profile.", *_NOT_STORED)):
        return False
    return name.endswith((".first", ".last", ".first_seen", ".last_seen"))


def _is_later(first: object, last: object) -> bool:
    if isinstance(first, timedelta) and isinstance(last, timedelta):
        return first < last
    return isinstance(first, datetime) and isinstance(last, datetime) and first > last
