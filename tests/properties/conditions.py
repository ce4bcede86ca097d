"""Any condition over a handful of facts, and any value that a fact might have, however messy."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.days import Days
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.filters import Filter
from personalize.rules.operators import HAPPENED, OPERATORS
from personalize.rules.patterns import like
from personalize.rules.times import Times
from personalize.rules.unanswerable import Unanswerable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

FACTS = {
    fact.name: fact
    for fact in (
        Fact("n", "profile", "n", FactType.NUMBER, stored=True, purpose="personalize"),
        Fact("m", "profile", "m", FactType.MONEY, stored=True, purpose="personalize"),
        Fact("t", "profile", "t", FactType.TEXT, stored=True, purpose="personalize"),
        Fact("f", "profile", "f", FactType.TEXT, fold=True, stored=True, purpose="personalize"),
        Fact("b", "profile", "b", FactType.BOOL, stored=True, purpose="personalize"),
        Fact("d", "profile", "d", FactType.DATE, stored=True, purpose="personalize"),
        Fact("at", "profile", "at", FactType.TIME, stored=True, purpose="personalize"),
        Fact("l", "profile", "l", FactType.TEXT, many=True, stored=True, purpose="personalize"),
        Fact("p", "page", "p", FactType.TEXT),
        Fact("c", "now", "c", FactType.CLOCK),
        Fact("k", "did", "k", FactType.TIMES, stored=True, purpose="personalize"),
    )
}

#: Operators whose meaning is told by cases alone: another meaning of theirs would be their own once more.
_SAID_ELSEWHERE = frozenset(
    {"same_as", "matches", "in_list", "in_network", *(word for word in OPERATORS if "version" in word)}
)
_LIKENESSES = st.sampled_from(["", "*", "?", "a*", "*b", "?b*", "a?", "**", "ss", "1?", "a", "*\n*", "(a)"])

_NUMBERS = st.sampled_from([-1, 0, 1, 2, 12, Decimal("0.1"), Decimal("1.5"), 2**53 + 1])
_TEXTS = st.sampled_from(["", "a", "A", "ab", "b", "12", "ß", "ss", "ABba"])
_NEAR_NOW = [date(2026, 11, 21), date(2026, 11, 16), date(2026, 10, 31), date(2024, 2, 29), date(2025, 11, 24)]
_DAYS = st.sampled_from([date(2026, 1, 1), date(2026, 1, 2), date(1999, 12, 31), *_NEAR_NOW])
#: Days in words that `plain_walk` knows, too.
DAYS_IN_WORDS = st.sampled_from(["today", "this week", "last month", "next 7 days", "today ± 3 days"]).map(Days)
_AGES = st.sampled_from([timedelta(), timedelta(days=1), timedelta(days=30), timedelta(days=30, microseconds=1)])
_MOMENTS = _AGES.map(lambda age: NOW - age)
_CLOCKS = st.sampled_from([timedelta(), timedelta(hours=8), timedelta(hours=23, minutes=59)])
_FLAGS = st.booleans()

_SINGLE = {
    FactType.NUMBER: _NUMBERS,
    FactType.MONEY: st.integers(-2, 2),
    FactType.TEXT: _TEXTS,
    FactType.BOOL: _FLAGS,
    FactType.DATE: _DAYS,
    FactType.TIME: _MOMENTS,
    FactType.CLOCK: _CLOCKS,
}

#: Values that may come where any other type is expected.
MESSY = st.one_of(
    st.none(),
    st.sampled_from(
        [
            float("nan"),
            float("inf"),
            Decimal("NaN"),
            Decimal("-Infinity"),
            Decimal("1E+400"),
            10**400,
            -(10**400),
            2**53,
            2**53 + 1,
            0.1,
            -0.0,
            1.0,
            "12",
            "0.1",
            "-1.50",
            " 12",
            "1e3",
            "NaN",
            "١٢",
            "x" * 1000,
            True,
            False,
            {"a": 1},
            {},
            [],
            [None],
            (),
            datetime(2026, 1, 1),
            date(2026, 1, 1),
            b"a",
        ]
    ),
)


def _single(fact: Fact, word: str, *, fold: bool) -> st.SearchStrategy[object]:
    values: st.SearchStrategy[object] = _SINGLE[fact.type]
    if fact.type is FactType.TEXT and word in ("at_least", "more_than", "at_most", "less_than", "between"):
        values = st.one_of(_TEXTS, _NUMBERS) if word != "between" else values
    return values.map(lambda value: value.casefold() if fold and isinstance(value, str) else value)


@st.composite
def leaf(draw: st.DrawFn) -> Leaf:
    """Any question about any of the facts."""
    fact = draw(st.sampled_from(list(FACTS.values())))
    if fact.type is FactType.TIMES:
        return Leaf(fact, HAPPENED, HAPPENED.word, Times(draw(st.integers(1, 3)), draw(st.none() | _AGES)))
    words = [
        word for word, known in OPERATORS.items() if fact.type in known.types and (fact.many or not known.lists_only)
    ]
    word = draw(st.sampled_from([word for word in words if word not in _SAID_ELSEWHERE]))
    may_fold = fact.type is FactType.TEXT and OPERATORS[word].folds and word != "exactly"
    fold = may_fold and (fact.fold or draw(st.booleans()))
    one = _single(fact, word, fold=fold)
    return Leaf(fact, OPERATORS[word], word, draw(_argument(word, one)), fold)


def _argument(word: str, one: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    match word:
        case "exists":
            return st.just(True)
        case "one_of" | "any_of" | "all_of" | "exactly":
            return st.lists(one, min_size=1, max_size=3).map(Listed)
        case "contains" | "starts_with" | "ends_with":
            return st.lists(one.filter(bool), min_size=1, max_size=2).map(tuple)
        case "like":
            return st.lists(_LIKENESSES.map(like), min_size=1, max_size=2).map(tuple)
        case "size":
            return _of_one(Fact("the number", "element", "", FactType.NUMBER), st.integers(0, 3))
        case "some":
            return _of_one(Fact("it", "element", "", FactType.TEXT), one)
        case "between":
            return st.tuples(one, one).map(lambda ends: tuple(sorted(ends)))
        case "within" | "older_than":
            return _AGES
        case "on" | "anniversary":
            return DAYS_IN_WORDS
        case "before" | "after":
            return st.one_of(one, DAYS_IN_WORDS)
    return one


def _of_one(fact: Fact, values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    words = st.sampled_from(["is", "at_least"])
    return st.tuples(words, values).map(lambda asked: Filter(Leaf(fact, OPERATORS[asked[0]], *asked)))


def conditions(segment_ids: Sequence[str] = ()) -> st.SearchStrategy[Condition]:
    """Any tree of conditions; it may name these segments."""
    questions: st.SearchStrategy[Condition] = leaf()
    if segment_ids:
        questions = st.one_of(questions, st.sampled_from(segment_ids).map(InSegment))
    return st.recursive(
        questions,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, max_size=4).map(lambda parts: All(tuple(parts))),
            st.lists(inner, max_size=4).map(lambda parts: Any(tuple(parts))),
        ),
        max_leaves=12,
    )


def wide_conditions(segment_ids: Sequence[str] = ()) -> st.SearchStrategy[Condition]:
    """Conditions of so many ways that no index keeps them all apart: an all of anys."""
    questions: st.SearchStrategy[Condition] = leaf()
    if segment_ids:
        questions = st.one_of(questions, st.sampled_from(segment_ids).map(InSegment))
    literal = st.one_of(questions, questions.map(Not))
    group = st.lists(literal, min_size=2, max_size=6).map(lambda parts: Any(tuple(parts)))
    return st.tuples(st.lists(literal, max_size=2), st.lists(group, min_size=3, max_size=4)).map(
        lambda parts: All((*parts[0], *parts[1]))
    )


def any_conditions(segment_ids: Sequence[str] = ()) -> st.SearchStrategy[Condition]:
    """Conditions of both kinds, some of them denied as a whole."""
    either = st.one_of(conditions(segment_ids), wide_conditions(segment_ids))
    return st.one_of(either, either, wide_conditions(segment_ids).map(Not))


@st.composite
def segments(draw: st.DrawFn, most: int = 10) -> Mapping[str, Condition]:
    """Segments that name one another without circles, listed in any order."""
    ids = [f"s{number}" for number in range(draw(st.integers(0, most)))]
    made = {one: draw(any_conditions(ids[:number])) for number, one in enumerate(ids)}
    return {one: made[one] for one in draw(st.permutations(ids))}


def values_of(fact: Fact) -> st.SearchStrategy[object]:
    """What might stand where a fact is expected: mostly what fits, sometimes anything, sometimes a list of both."""
    if fact.type is FactType.TIMES:
        ages = st.lists(_AGES, max_size=4).map(lambda found: sorted(found, reverse=True))
        micros = (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return st.none() | ages.map(lambda found: tuple(micros - age // timedelta(microseconds=1) for age in found))
    fitting = _SINGLE[fact.type]
    listed = st.lists(st.one_of(fitting, MESSY), max_size=4)
    return st.one_of(fitting, fitting, MESSY, listed)


def fitting_values(fact: Fact) -> st.SearchStrategy[object]:
    """What a fact is of somebody whom a site knows: nothing, or a value of its type; a counter is always answered."""
    if fact.type is FactType.TIMES:
        return values_of(fact).map(lambda times: times or ())
    fitting = _SINGLE[fact.type]
    return st.none() | (st.lists(fitting, max_size=4) if fact.many else fitting)


#: What somebody's facts might be; every fact is answered, None for what is missing.
VISITORS: st.SearchStrategy[Mapping[str, object]] = st.fixed_dictionaries(
    {name: values_of(fact) for name, fact in FACTS.items()}
)

#: The same, with some facts that nobody can tell at the moment.
VISITORS_PARTLY_UNANSWERABLE: st.SearchStrategy[Mapping[str, object]] = st.builds(
    lambda values, unanswerable: {**values, **unanswerable},
    VISITORS,
    st.dictionaries(st.sampled_from(sorted(FACTS)), st.sampled_from(Unanswerable), max_size=3),
)
