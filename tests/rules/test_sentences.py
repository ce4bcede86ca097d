"""Rules, segments and slots as sentences that an editor would say."""

import re

import pytest

from personalize.problems import Problems
from personalize.rules.definitions import Slot
from personalize.rules.facts import Facts
from personalize.rules.operators import OPERATORS
from personalize.rules.ruleset import RuleSet
from personalize.rules.spoken import Spoken
from personalize.yaml_tree import Mapping, Scalar, Sequence, parse_yaml
from tests.rules.asking import CASES
from tests.rules.small_site import CONVENTIONS, RULES_FILE, rule_set_of

PATH = CASES / "sentences.yaml"
TEXT = PATH.read_text(encoding="utf-8")
ROOT = parse_yaml(TEXT, PATH.name, Problems())
assert isinstance(ROOT, Mapping)
ALL_CASES, FILES = ROOT.get("cases"), ROOT.get("files")
assert isinstance(ALL_CASES, Sequence) and isinstance(FILES, Scalar)


def loaded(rules: str, around: str = "") -> RuleSet:
    return rule_set_of({RULES_FILE: FILES.text, "rules/slots.yaml": f"slots: {{a: {{{around}rules: [{rules}]}}}}\n"})


@pytest.mark.parametrize("case", ALL_CASES.items, ids=lambda case: f"line {case.place.line}")
def test_a_rule_is_a_sentence(case: Sequence) -> None:
    written, says = case.items
    assert isinstance(written, Mapping) and isinstance(says, Scalar)
    block = TEXT[written.place.start : written.place.end].removeprefix("{").removesuffix("}")
    show = "" if written.get("show") is not None else ", show: notes/bye"
    rule_set = loaded(f"{{id: x, {block}{show}}}")
    slot = rule_set.slots["a"]
    said = rule_set.sentences().rule(slot.rules[0], slot)
    assert said == says.text.replace("Show X", "Show notes/bye")


def test_a_slot_that_holds_several_shows_up_to_so_many() -> None:
    rule_set = loaded("{id: x, show: {in: offers, limit: 2}}, {id: y, show: [offers/one, offers/two]}", "holds: 3, ")
    slot, sentences = rule_set.slots["a"], rule_set.sentences()
    assert sentences.rule(slot.rules[0], slot) == "Show up to 2 items of offers to everyone."
    assert sentences.rule(slot.rules[1], slot) == "Show offers/one and offers/two to everyone."


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        ("title: Hero", '"Hero" holds one item. Otherwise keep the site\'s own markup.'),
        (
            "page: home, holds: 2, accepts: [offer, hero], otherwise: offers/one",
            '"a" on the page "home" holds up to 2 items of the kind offer or hero. Otherwise show offers/one.',
        ),
    ],
)
def test_a_slot_is_a_sentence(slot: str, says: str) -> None:
    rule_set = rule_set_of(f"slots: {{a: {{{slot}, rules: [{{id: x, show: offers/one}}]}}}}\n")
    made: Slot = rule_set.slots["a"]
    sentences = rule_set.sentences()
    assert f"{sentences.slot(made)} {sentences.otherwise(made)}" == says


def test_a_segment_is_a_sentence() -> None:
    rule_set = rule_set_of(FILES.text)
    said = [rule_set.sentences().segment(segment) for segment in rule_set.segments.values()]
    assert said == [
        '"Long time no see" is everyone whose last purchase is more than 90 days ago.',
        '"readers" is everyone, when the source of the visit is "newsletter".',
    ]


def test_every_fact_is_said_in_words() -> None:
    """No dotted name and no underscore gets into a sentence."""
    rule_set = rule_set_of(FILES.text)
    spoken, facts = Spoken(CONVENTIONS), Facts(rule_set.schema)
    for name in facts.names():
        fact = facts.get(name.replace("<name>", "x"))
        assert fact is not None
        assert re.fullmatch(r"(?:the|their) [A-Za-z\" ']+", spoken.subject(fact)), (name, spoken.subject(fact))


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.word)
def test_every_operator_has_words_for_itself_and_for_its_opposite(operator: object) -> None:
    assert isinstance(operator, type(OPERATORS["is"]))
    for words in (operator.phrase, operator.denied):
        said = words.format("Y")
        assert re.fullmatch(r"[a-z][A-Za-z ]*[A-Za-z]", said) and operator.word not in said.replace("is", "").split("_")
    assert operator.phrase != operator.denied
    assert re.search(r"\bnot\b", operator.denied)
