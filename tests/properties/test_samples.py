"""Samples tell apart what any values do: whatever the value and the questions, a sample is answered the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalize.rules.beside import BESIDE, Beside, pair_fact, pairs
from personalize.rules.casts import Cast
from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.id_lists import NamedList
from personalize.rules.networks import networks
from personalize.rules.operators import OPERATORS
from personalize.rules.patterns import expression, like
from personalize.rules.proof.pair_samples import pair_samples
from personalize.rules.proof.samples import SOME_MOMENT, samples_of
from personalize.versions import parse_version, parse_version_range

TEXT = Fact("text", "profile", "text", FactType.TEXT, stored=True)
#: Letters of which some are others without regard to case, alone, or two or three at once, all, one or none in `WORDS`.
LETTERS = "abAkKsSßſ\u212aẚﬅΐ "
TEXTS = ["".join(letters) for size in range(4) for letters in product(LETTERS, repeat=size)]
WORDS = st.text("abks", min_size=1, max_size=3)


def asked(word: str, argument: object, *, fold: bool = False, cast: Cast | None = None) -> Leaf:
    return Leaf(TEXT, OPERATORS[word], word, argument, fold, cast)


def of_texts(word: str) -> st.SearchStrategy[Leaf]:
    """A question about one or two parts of a text, perhaps without regard to case."""
    texts = st.lists(WORDS, min_size=1, max_size=2).map(tuple)
    return st.builds(lambda argument, fold: asked(word, argument, fold=fold), texts, st.booleans())


def matching(written: str, *, ignore_case: bool) -> Leaf:
    return asked("matches", (expression(written, ignore_case=ignore_case),))


LIKE = st.text("abs*?", min_size=1, max_size=5).map(lambda text: (like(text),))
EXPRESSIONS = st.tuples(st.sampled_from(["", "^", "a|^"]), WORDS, st.sampled_from(["", "$", "|b$"])).map("".join)
PARTS = st.one_of(
    *map(of_texts, ("starts_with", "ends_with", "contains")),
    st.builds(lambda argument, fold: asked("like", argument, fold=fold), LIKE, st.booleans()),
    st.builds(lambda written, ignore_case: matching(written, ignore_case=ignore_case), EXPRESSIONS, st.booleans()),
)
WHOLE = st.one_of(
    st.builds(lambda text, fold: asked("is", text, fold=fold), WORDS, st.booleans()),
    st.builds(lambda texts: asked("exactly", Listed(texts)), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)),
    st.builds(lambda texts: asked("in_list", NamedList("ids", "", Listed(texts))), st.lists(WORDS, max_size=4)),
)


def assert_told(questions: Sequence[Leaf], values: Iterable[object]) -> None:
    """For each value some sample gets the same answers, as far as questions are not left open."""
    found = samples_of(TEXT, questions)
    told = [leaf for leaf in questions if leaf.word not in found.open]
    answers = {tuple(leaf.holds(sample.value, SOME_MOMENT) for leaf in told) for sample in found.present}
    for value in values:
        assert tuple(leaf.holds(value, SOME_MOMENT) for leaf in told) in answers, value


def both_ways(pattern: str) -> list[Leaf]:
    """The same pattern, asked with regard to case and without."""
    return [asked("like", (like(pattern),), fold=fold) for fold in (False, True)]


@settings(max_examples=60)
@given(st.lists(st.one_of(PARTS, WHOLE), min_size=1, max_size=4))
@example(both_ways("?"))
@example(both_ways("??"))
@example(both_ways("a?"))
@example(both_ways("?s*"))
@example([*both_ways("?"), asked("like", (like("???"),), fold=True)])
@example([*both_ways("?"), asked("like", (like("?s"),), fold=True), asked("contains", ("ß",))])
def test_texts_by_their_parts(questions: list[Leaf]) -> None:
    assert_told(questions, TEXTS)


OTHER = replace(TEXT, name="other", key="other")
SIDES = (OTHER, TEXT)
SPELLED = ["".join(letters) for size in range(3) for letters in product("kK\u212asSß", repeat=size)]


def of_a_side(side: Fact, text: str, *, fold: bool) -> Leaf:
    return Leaf(side, OPERATORS["is"], "is", text.casefold() if fold else text, fold)


def of_both(*, fold: bool) -> Leaf:
    beside = Beside(OTHER)
    return Leaf(pair_fact(replace(TEXT, fold=fold), beside), BESIDE["same_as"], "same_as", beside)


OF_A_SIDE = st.builds(
    lambda side, text, fold: of_a_side(side, text, fold=fold),
    st.sampled_from(SIDES),
    st.sampled_from(["", "k", "K", "kK", "kk", "ss", "sS", "ß"]),
    st.booleans(),
)
OF_BOTH = st.booleans().map(lambda fold: of_both(fold=fold))


@settings(max_examples=30)
@given(st.lists(OF_A_SIDE, max_size=3), st.lists(OF_BOTH, min_size=1, max_size=2))
@example(
    [of_a_side(TEXT, "ss", fold=False), of_a_side(OTHER, "ss", fold=False), of_a_side(TEXT, "ss", fold=True)],
    [of_both(fold=False), of_both(fold=True)],
)
def test_two_texts_side_by_side(each: list[Leaf], both: list[Leaf]) -> None:
    """Whether each is asked for with regard to case or without, and the same of both."""
    questions = [*each, *both]
    found = pair_samples(SIDES, questions)
    assert found is not None

    def told(values: Mapping[str, object]) -> tuple[bool, ...]:
        return tuple(leaf.holds(values[leaf.fact.name], SOME_MOMENT) for leaf in questions)

    folds = {leaf.fact.name: leaf.fact.fold for leaf in both}
    answers = {told(cast("Mapping[str, object]", sample.value)) for sample in found}
    for text, other in product(SPELLED, repeat=2):
        side_by_side = {name: pairs(text, other, fold=fold) for name, fold in folds.items()}
        assert told({"text": text, "other": other, **side_by_side}) in answers, (text, other)


def test_hardly_any_questions_about_parts_are_left_open() -> None:
    questions = [asked("like", (like("*a*b?c*"),)), asked("starts_with", ("shoe", "boot")), asked("contains", ("oo",))]
    assert not samples_of(TEXT, questions).open
    assert samples_of(TEXT, [*questions, asked("matches", (expression("[a-f]+"),))]).open == {"matches"}


VERSIONS = [
    ".".join(map(str, numbers)) + before
    for numbers in (*product(range(3), repeat=3), (1, 0, 0, 1), (1, 2, 0, 1))
    for before in ("", "-0", "-1", "-a", "-a.0", "-a.1", "-b")
]
AS_VERSION = Cast(FactType.VERSION)
OF_VERSION = st.one_of(
    st.builds(
        lambda word, text: asked(f"version_{word}", parse_version(text), cast=AS_VERSION),
        st.sampled_from(["is", "at_least", "more_than", "at_most", "less_than"]),
        st.sampled_from(VERSIONS),
    ),
    st.builds(
        lambda sign, text: asked("version_in", (parse_version_range(sign + text),), cast=AS_VERSION),
        st.sampled_from(["^", "~"]),
        st.sampled_from(VERSIONS),
    ),
)


@settings(max_examples=60)
@given(st.lists(OF_VERSION, min_size=1, max_size=5))
def test_versions(questions: list[Leaf]) -> None:
    assert_told(questions, [*VERSIONS, "3", "0.0.0.0.1", "none"])


NETWORKS = [
    "10.0.0.0/8",
    "10.0.0.0/16",
    "0.0.0.0/0",
    "10.0.0.1",
    "::/0",
    "::/80",
    "::ffff:10.0.0.0/104",
    "2001:db8::/32",
]
NETWORKS += ["2001:db8::/32", "255.0.0.0/8", "ffff::/16", "::1", "0.0.0.0/32"]
#: Around the ends of those networks, in all spellings.
ADDRESSES = ["0.0.0.0", "0.0.0.1", "9.255.255.255", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.255.255", "10.1.0.0"]
ADDRESSES += ["11.0.0.0", "254.0.0.0", "255.255.255.255", "10.255.255.255"]
ADDRESSES += [f"::ffff:{one}" for one in ADDRESSES]
ADDRESSES += [
    "::",
    "::1",
    "::2",
    "::1:0:0:0",
    "2001:db8::",
    "2001:DB8:ffff::",
    "2001:db9::",
    "fffe::",
    "ffff::",
    "nowhere",
]


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=2), min_size=1, max_size=4), st.booleans())
def test_addresses(nets: list[list[str]], names_some: bool) -> None:
    named = [asked("one_of", Listed(["10.0.0.1", "nowhere", "other", "::1"]))] if names_some else []
    assert_told([*named, *(asked("in_network", networks(one)) for one in nets)], ADDRESSES)


@pytest.mark.parametrize("count", [50, 5_000])
def test_ids_of_lists_few_or_many(count: int) -> None:
    """Of very many ids those stand for all that are in the same lists."""
    ids = [f"c{number}" for number in range(count)]
    lists = [ids, ids[: count // 2], ids[count // 3 :], ["c1", "other"]]
    questions = [asked("in_list", NamedList(f"list {number}", "", Listed(one))) for number, one in enumerate(lists)]
    assert_told(questions, ["c0", "c1", ids[-1], ids[count // 2 - 1], "other", "nobody"])
    assert len(samples_of(TEXT, questions).present) <= 101
