"""What every operator means, by cases in tests/cases/rules, asked through all the parts that serve a page."""

from collections.abc import Iterator

import pytest

from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.problems import Problems
from personalize.rules.conditions import Leaf, Not
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.rules.filters import Filter
from personalize.rules.id_lists import IdLists
from personalize.rules.operators import HAPPENED, IN_WINDOW, NEGATIVES, OPERATORS
from personalize.rules.reading.gaps import Gaps
from personalize.rules.reading.parse import ConditionParser
from personalize.rules.reading.reading import Reading
from personalize.yaml_tree import Mapping as Block
from personalize.yaml_tree import parse_yaml
from tests.rules.asking import CASES, Case, context_of, read_cases, read_question

FILES = ("any", "beside", "days", "did", "elements", "groups", "lists", "networks", "numbers", "pages", "patterns")
FILES += ("splits", "text", "times", "versions", "when", "words")
ALL_CASES = [case for name in FILES for case in read_cases(CASES / f"{name}.yaml")]

#: Written as an argument for a fact of the type; good for every operator that takes the type.
ARGUMENTS = {
    FactType.TEXT: "a",
    FactType.CHOICE: "a",
    FactType.NUMBER: "1",
    FactType.MONEY: "1",
    FactType.BOOL: "true",
    FactType.DATE: "2026-01-01",
    FactType.TIME: "2026-01-01",
    FactType.CLOCK: "08:00",
    FactType.VERSION: "1.2",
    FactType.ANY: "1",
    FactType.MAPPING: "1",
}
#: The same for operators that take something else than a value of the fact.
WRITTEN = {
    "exists": "true",
    "within": "3 days",
    "older_than": "3 days",
    "before": "2026-01-01",
    "after": "2026-01-01",
    "on": "2026-01-01",
    "anniversary": "2026-01-01",
    "type": "text",
    "size": "1",
    "in_network": "10.0.0.0/8",
    "in_list": "vip",
    "version_in": "^1.2",
    **dict.fromkeys(("version_is", "version_at_least", "version_more_than"), "1.2"),
    **dict.fromkeys(("version_at_most", "version_less_than"), "1.2"),
}
#: A fact of the type, to compare another with.
OTHER_FACTS = {
    FactType.CHOICE: "page.device",
    FactType.NUMBER: "visitor.visits",
    FactType.MONEY: "sale.total",
    FactType.BOOL: "page.bot",
    FactType.DATE: "now.date",
    FactType.CLOCK: "now.time",
}
SALES = Schema(events={"sale": EventType("sale", {"amount": Shape(ValueType.MONEY)}, value="amount")})


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.where)
def test_a_condition_holds_for_whom_it_should(case: Case) -> None:
    problems = Problems()
    question = read_question(case.question, case.site, problems)
    assert not problems.has_errors, problems.list
    answers = question.answers(context_of(case.visitor, case.site, question))
    assert answers.holds("asked") is case.expected
    assert answers.holds("denied") is not case.expected
    assert answers.walk(question.condition) is case.expected


@pytest.mark.parametrize(
    "case", [case for case in ALL_CASES if case.question.get("negative")], ids=lambda case: case.where
)
def test_a_negative_operator_is_exactly_the_opposite_of_its_positive_one(case: Case) -> None:
    problems = Problems()
    question = read_question(case.question, case.site, problems, key="negative")
    assert not problems.list, problems.list
    answers = question.answers(context_of(case.visitor, case.site, question))
    assert answers.holds("asked") is not case.expected


def test_every_operator_is_tried_with_every_type_it_takes() -> None:
    leaves = [leaf for case in ALL_CASES for leaf in asked(case)]
    tried = {(leaf.word, leaf.fact.type) for leaf in leaves}
    tried |= {(leaf.word, leaf.fact.parts[0].type) for leaf in leaves if leaf.fact.type is FactType.PAIR}
    taken = {(word, type_) for word, operator in OPERATORS.items() for type_ in operator.types}
    assert taken - tried == set()
    assert {(HAPPENED.word, FactType.TIMES), (IN_WINDOW.word, FactType.INSTANT)} <= tried


def asked(case: Case) -> Iterator[Leaf]:
    """The questions about facts in a case and in its segments, those inside the filters of its events too."""
    question = read_question(case.question, case.site, Problems())
    waiting: list[object] = [question.condition, *question.segments.values()]
    waiting += [counter.matches.__self__.condition for counter in question.counters]  # type: ignore[attr-defined]
    while waiting:
        match waiting.pop():
            case Leaf() as leaf:
                yield leaf
                if isinstance(leaf.argument, Filter):
                    yield from leaf.argument.leaves()
            case Not(part):
                waiting.append(part)
            case group:
                waiting += getattr(group, "parts", ())


@pytest.mark.parametrize("type_", ARGUMENTS)
@pytest.mark.parametrize("word", [*OPERATORS, *NEGATIVES])
def test_an_operator_takes_its_types_and_no_others(word: str, type_: FactType) -> None:
    operator = OPERATORS[NEGATIVES.get(word, word)]
    for many in (False, True):
        problems = Problems()
        fact = Fact("profile.it", "profile", "it", type_, many=many, fields={"a": Shape(ValueType.TEXT)})
        lists = IdLists({"vip": "a\n1\n"})
        parser = ConditionParser(SALES, Conventions(), Reading(problems), Gaps(), lists=lists)
        node = parse_yaml(f"{word}: {argument_for(word, type_)}", "one.yaml", problems)
        assert isinstance(node, Block)
        parser.question(fact, node)
        codes = [problem.code for problem in problems.list]
        fits = type_ in operator.types and (many or type_ is FactType.ANY or not operator.lists_only)
        assert codes == ([] if fits else ["E214"])


def argument_for(word: str, type_: FactType) -> str:
    if word == "same_as":
        return OTHER_FACTS.get(type_, "page.path")
    if word == "some" and type_ is FactType.MAPPING:
        return "{a: x}"
    if word == "some" and type_ is FactType.TIME:
        return "{after: 2026-01-01}"
    written = WRITTEN.get(word, ARGUMENTS[type_])
    if word in ("one_of", "none_of", "any_of", "all_of"):
        return f"[{written}]"
    return f"[{written}, {written}]" if word == "between" else written
