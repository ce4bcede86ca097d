"""What is missing for a condition to hold, in words, and tried out."""

from datetime import datetime

import pytest

from personalize.problems import Problems
from personalize.rules.conditions import Leaf
from personalize.rules.describe import Describer
from personalize.rules.facts import Fact
from personalize.rules.misses.nearest_miss import NearestMisses
from personalize.rules.misses.nearest_values import tells_distance
from personalize.rules.misses.shortfall import Shortfall, have_to
from personalize.rules.operators import OPERATORS
from personalize.yaml_tree import Mapping, Sequence, parse_yaml, to_data
from tests.rules.asking import CASES, context_of, read_question, read_site

PATH = CASES / "nearest_misses.yaml"
ROOT = parse_yaml(PATH.read_text(encoding="utf-8"), PATH.name, Problems())
assert isinstance(ROOT, Mapping)
ALL_CASES = ROOT.get("cases")
assert isinstance(ALL_CASES, Sequence)


@pytest.mark.parametrize("case", ALL_CASES.items, ids=lambda case: f"line {case.place.line}")
def test_the_nearest_miss_in_words(case: Mapping) -> None:
    assert isinstance(ROOT, Mapping)
    site, problems = read_site(ROOT), Problems()
    question = read_question(case, site, problems)
    assert not problems.list, problems.list
    visitor = case.get("visitor")
    assert isinstance(visitor, Mapping)
    context = context_of(visitor, site, question)
    answers = question.answers(context)
    assert not answers.holds("asked")

    def values_at(moment: datetime) -> dict[str, object]:
        return context.otherwise({}, now=moment)

    miss = NearestMisses(question.segments, values_at, answers.answer, context.now).of(question.condition)
    shortfall = Shortfall(Describer(site.conventions))
    said = [shortfall.change(change, miss.at) for change in miss.changes] if miss is not None else []
    assert said == to_data(case.get("says"))
    if miss is not None and miss.is_exact:
        after = context.otherwise(miss.values, now=miss.at)
        assert question.answers(after).holds("asked")


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.word)
def test_every_operator_can_be_asked_for(operator: object) -> None:
    """Its words begin with a verb that has a form for what would have to be."""
    assert isinstance(operator, type(OPERATORS["is"]))
    for phrase in (operator.phrase, operator.denied):
        asked = have_to(phrase.format("x"))
        assert asked.startswith(("would have to ", "must not ")), asked
        verb = asked.removeprefix("would have to ").removeprefix("must not ").split()[0]
        assert verb in VERBS, f'"{asked}" of {operator.word} is no English, or a verb that is new here'


VERBS = {"be", "come", "contain", "start", "end", "have", "match"}


def test_every_order_tells_its_distance() -> None:
    orders = {"at_least", "more_than", "at_most", "less_than", "between", "within", "older_than", "before", "after"}
    fact = Fact("x", "profile", "x", next(iter(OPERATORS["is"].types)))
    assert {word for word in orders if tells_distance(Leaf(fact, OPERATORS[word], word, 1))} == orders
