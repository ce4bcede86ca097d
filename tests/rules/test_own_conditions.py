"""Conditions of a site's own: each value that a rule writes is a question of its own, and has its words."""

import pytest

from personalize.events.schema import Schema
from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.describe import Describer
from personalize.rules.facts import Facts
from personalize.rules.own_facts import OwnFacts
from personalize.rules.reading.gaps import Gaps
from personalize.rules.reading.parse import ConditionParser
from personalize.rules.reading.reading import Reading
from personalize.yaml_tree import parse_yaml


def words_for(question: str) -> str:
    own = OwnFacts()
    own.condition("shop.near", takes="number", title="at most {} km from a shop")(lambda occasion, km: True)
    own.condition("shop.sells", takes="text")(lambda occasion, sku: True)
    problems = Problems()
    parser = ConditionParser(Schema(), Conventions(), Reading(problems), Gaps(), Facts(Schema(), own))
    node = parse_yaml(question, "a.yaml", problems)
    assert node is not None
    condition = parser.condition(node, "`who`")
    assert not problems.list
    return Describer(Conventions()).condition(condition)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("shop.near: 5", '"at most 5 km from a shop" is true'),
        ("shop.near: [5, 2.50]", '"at most 5 km from a shop" is true or "at most 2.50 km from a shop" is true'),
        ("not: {shop.near: 5}", '"at most 5 km from a shop" is not true'),
        ("shop.sells: 0150", '`shop.sells "0150"` is true'),
    ],
)
def test_a_condition_is_said_in_the_words_of_its_title(question: str, words: str) -> None:
    assert words_for(question) == words
