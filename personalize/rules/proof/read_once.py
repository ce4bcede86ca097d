"""Conditions of which nothing can be found, told at a glance: those that ask about each thing once.

A formula in which every variable stands once, and none is constant, can be true and can be false, and so can each of
its parts where it stands ("read-once functions", Golumbic and Gurvich 2011). Most conditions are of this sort, so
that a proof has to be looked for in the few others only.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from personalize.rules.beside import Beside
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.facts import OWN_ROOT, PAIR_ROOT, STATES, Fact, FactType
from personalize.rules.filters import Filter
from personalize.rules.now_facts import NOW
from personalize.rules.proof.dimensions import Dimensions
from personalize.rules.proof.samples import SOME_MOMENT
from personalize.rules.window import Window

#: Questions about what visitors did that can all be true of somebody who was often here, bought much, and just now.
_OFTEN = frozenset({"did", "within"})
#: In so many days each day of the week comes round whole, the first and the last being cut.
_A_WEEK = timedelta(days=9)


def is_read_once(condition: Condition, segments: Mapping[str, Condition], known: Dimensions) -> bool:
    """Whether a condition asks, through segments too, about each thing at most once, and nothing that has one answer.

    Of what is told of an event it may ask more, where nothing but much of it, and of late, is wanted. False says
    nothing.
    """
    asked: dict[str, list[tuple[Leaf, bool]]] = {}
    for leaf, wanted in occurrences(condition, segments):
        for name in things_of(leaf.fact):
            asked.setdefault(name, []).append((leaf, wanted))
    return all(_is_free(about, known) for about in asked.values())


def things_of(fact: Fact) -> tuple[str, ...]:
    """The things of which a fact tells: two where two facts are compared."""
    return tuple(dict.fromkeys(map(thing_of, fact.parts))) if fact.root == PAIR_ROOT else (thing_of(fact),)


def thing_of(fact: Fact) -> str:
    """What a fact tells of: an event with all that is told of it is one thing, as none of that changes alone.

    So are the visits of a visitor, and the moment; any other fact is a thing of its own.
    """
    if is_done(fact):
        return f"{fact.event or fact.root} (done)"
    return NOW if fact.root == NOW else fact.name


def is_done(fact: Fact) -> bool:
    """Whether a fact tells of what visitors did, so that it is tied to others that do."""
    return fact.stored and fact.root not in ("profile", "visit", OWN_ROOT)


def occurrences(
    condition: Condition, segments: Mapping[str, Condition], *, wanted: bool = True
) -> Iterator[tuple[Leaf, bool]]:
    """Every place where a question stands, with the answer that is wanted there."""
    match condition:
        case Leaf():
            yield condition, wanted
        case InSegment(segment_id):
            yield from occurrences(segments[segment_id], segments, wanted=wanted)
        case Not(part):
            yield from occurrences(part, segments, wanted=not wanted)
        case All(parts) | Any(parts):
            for part in parts:
                yield from occurrences(part, segments, wanted=wanted)


def _is_free(about: Sequence[tuple[Leaf, bool]], known: Dimensions) -> bool:
    """Whether the questions about one thing may be answered in any way, whatever the other things asked about."""
    if len(about) > 1:
        names = {leaf.fact.name for leaf, _ in about}
        return len(names) == len(about) and all(_wants_much(leaf, wanted=wanted) for leaf, wanted in about)
    ((leaf, wanted),) = about
    if leaf.fact.name == "visitor.known":
        return False
    if isinstance(leaf.argument, Window) and _comes_and_goes(leaf.argument):
        return True
    if isinstance(leaf.argument, Filter | Beside):
        return known.may_be_either(leaf)
    if leaf.fact.root == NOW or leaf.fact.type is FactType.CHOICE or is_done(leaf.fact):
        return _wants_much(leaf, wanted=wanted) or known.may_be_either(leaf)
    return True


def _wants_much(leaf: Leaf, *, wanted: bool) -> bool:
    """Whether what is wanted of a visitor is so of whoever was often here, and did much, and just now."""
    if leaf.fact.name == "visitor.state":
        return wanted and leaf.word == "is" and leaf.argument != STATES[0]
    return wanted and is_done(leaf.fact) and _tells_often(leaf)


def _tells_often(leaf: Leaf) -> bool:
    """Whether the answer is yes of whoever was often here and bought much just now, and no of whoever never did."""
    limit = leaf.argument
    if isinstance(limit, int | Decimal):
        return (leaf.word == "at_least" and limit > 0) or (leaf.word == "more_than" and limit >= 0)
    return leaf.word in _OFTEN


def _comes_and_goes(window: Window) -> bool:
    """Whether a window is sure to be open at times: one of a few days may hold none of its days of the week, and days
    in words may be none of those days, or over."""
    limits, within = [window.from_at, window.until_at], [window.weekdays, window.hours, window.on]
    if window.on and (window.weekdays or any(limits)):
        return False
    if window.from_at is None or window.until_at is None:
        return any(limits) or any(within)
    begin, end = window.bounds(SOME_MOMENT)
    return end - begin > _A_WEEK or not any(within)
