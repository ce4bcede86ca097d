"""What would have to be different for a condition to hold: tried out, whatever the condition, and held against every
other change that could be made."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personalize.rules.conditions import All, Condition, Leaf, Not
from personalize.rules.facts import NOW_INSTANT, Fact, FactType
from personalize.rules.index.index import Index
from personalize.rules.misses.nearest_miss import Miss, NearestMisses
from personalize.rules.operators import IN_WINDOW, OPERATORS
from personalize.rules.unanswerable import Unanswerable
from personalize.rules.window import Window
from tests.properties.conditions import FACTS, NOW, VISITORS, any_conditions, conditions, segments
from tests.rules.small_site import CONVENTIONS

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

Visitor = Mapping[str, object]


def at_moment(visitor: Visitor, moment: datetime) -> Visitor:
    """The facts of a visitor at another moment: the clock goes on, and nothing else happens."""
    local = moment.astimezone(CONVENTIONS.zone)
    clock = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    return {**visitor, "c": clock, NOW_INSTANT.name: moment}


def nearest(condition: Condition, named: Mapping[str, Condition], visitor: Visitor) -> Miss | None:
    index = Index({"asked": condition}, named)
    answers = index.answers(index.reach(["asked"]), at_moment(visitor, NOW), NOW)
    return NearestMisses(named, lambda moment: at_moment(visitor, moment), answers.answer, NOW).of(condition)


def holds_after(miss: Miss, condition: Condition, named: Mapping[str, Condition], visitor: Visitor) -> bool:
    """Whether the condition holds, by the index that serves, once the changes are made."""
    index = Index({"asked": condition}, named)
    values = {**at_moment(visitor, miss.at), **miss.values}
    return index.answers(index.reach(["asked"]), values, miss.at).holds("asked")


@settings(max_examples=60)
@given(st.data(), VISITORS)
def test_what_is_asked_for_makes_the_condition_hold(data: st.DataObject, visitor: Visitor) -> None:
    named = data.draw(segments(most=3))
    condition = data.draw(any_conditions(sorted(named)))
    miss = nearest(condition, named, visitor)
    if miss is not None and miss.is_exact:
        assert holds_after(miss, condition, named, visitor)


@settings(max_examples=150)
@given(conditions(), VISITORS)
def test_nothing_is_asked_for_where_the_condition_holds_and_something_where_it_does_not(
    condition: Condition, visitor: Visitor
) -> None:
    assume(not any(isinstance(value, Unanswerable) for value in visitor.values()))
    miss = nearest(condition, {}, visitor)
    if miss is not None:
        assert (not miss.changes) is holds_after(Miss((), NOW), condition, {}, visitor)


#: Values that each fact may be changed to by somebody who tries them all.
TRIED: Mapping[str, tuple[object, ...]] = {
    "n": (None, -99, -1, 0, 1, 2, 3, 12, 99),
    "b": (None, True, False),
    "d": (None, *(NOW.date() + timedelta(days=days) for days in (-9999, -2, -1, 0, 1, 9999))),
}


def leaf_of(name: str) -> st.SearchStrategy[Leaf]:
    fact = FACTS[name]
    values = st.sampled_from(TRIED[name][2:-1] if name != "b" else TRIED[name][1:])
    words = [word for word in ("is", "at_least", "less_than", "before", "after") if fact.type in OPERATORS[word].types]
    return st.builds(lambda word, value: Leaf(fact, OPERATORS[word], word, value), st.sampled_from(words), values)


SMALL = st.recursive(
    st.one_of(*map(leaf_of, TRIED)),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Not(All(tuple(map(Not, parts))))),
    ),
    max_leaves=6,
)


@settings(max_examples=200)
@given(SMALL, st.fixed_dictionaries({name: st.sampled_from(values) for name, values in TRIED.items()}))
def test_no_fewer_facts_would_do(condition: Condition, visitor: Visitor) -> None:
    index = Index({"asked": condition}, {})
    reach = index.reach(["asked"])
    fewest = min(
        (
            sum(value != visitor[name] for name, value in tried.items())
            for tried in (dict(zip(TRIED, values, strict=True)) for values in product(*TRIED.values()))
            if index.answers(reach, tried, NOW).holds("asked")
        ),
        default=None,
    )
    miss = nearest(condition, {}, visitor)
    assert (len(miss.changes) if miss is not None else None) == fewest


DAYS = st.integers(-20, 20).map(lambda days: NOW + timedelta(days=days, hours=days))
WINDOWS = st.builds(
    lambda begin, length, weekdays, hours: Window(
        zone=CONVENTIONS.zone,
        from_at=begin,
        until_at=None if begin is None else begin + timedelta(days=length),
        weekdays=frozenset(weekdays),
        hours=hours,
    ),
    st.none() | DAYS,
    st.integers(2, 9),
    st.lists(st.sampled_from(["mon", "wed", "sun"]), max_size=2),
    st.none() | st.just((timedelta(hours=8), timedelta(hours=18))) | st.just((timedelta(hours=22), timedelta(hours=6))),
)


@settings(max_examples=60)
@given(WINDOWS, st.sampled_from(["within", "older_than"]), DAYS)
def test_the_moment_that_is_named_is_the_nearest(window: Window, word: str, last: datetime) -> None:
    fact = Fact("at", "profile", "at", FactType.TIME, stored=True)
    asked = Leaf(fact, OPERATORS[word], word, timedelta(days=5))
    condition = All((Leaf(NOW_INSTANT, IN_WINDOW, "when", window), asked))
    miss = nearest(condition, {}, {"at": last})
    if miss is None:
        return
    assert holds_after(miss, condition, {}, {"at": last})
    if miss.changes and miss.changes[0].fact == NOW_INSTANT:
        just_before = miss.at - (miss.at - NOW) / abs(miss.at - NOW) * timedelta(milliseconds=1)
        assert not holds_after(Miss(miss.changes, just_before), condition, {}, {"at": last})
