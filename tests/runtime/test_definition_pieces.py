"""What files define comes over as it was sent, whatever is in it, and in pieces that nobody waits for."""

from collections.abc import Iterable, Mapping
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.content.library import EMPTY, Library
from personalize.problems import Problems
from personalize.profiles.counters import Counter
from personalize.rules.conditions import Condition, Leaf, leaves
from personalize.rules.definitions import Definitions, Rule, Segment, Show, Slot
from personalize.rules.index.index import Index
from personalize.rules.operators import OPERATORS
from personalize.runtime import definition_pieces as module
from personalize.runtime.definition_pieces import pack_definitions, unpack_definitions
from personalize.yaml_tree import Place
from tests.properties.conditions import NOW, VISITORS
from tests.properties.test_index import Visitor, rule_sets
from tests.rules.asking import CASES, Question, context_of, read_cases, read_question
from tests.rules.small_site import rule_set_of
from tests.rules.test_operators import FILES

HERE = Place("rules/all.yaml", 1, 1, 0, 1)


def sent(definitions: Definitions, library: Library = EMPTY) -> tuple[Definitions, Library]:
    """What comes over of these."""
    file = BytesIO()
    pack_definitions(definitions, library, file)
    file.seek(0)
    return unpack_definitions(file)


def definitions_of(
    conditions: Iterable[Condition], segments: Mapping[str, Condition], counters: tuple[Counter, ...] = ()
) -> Definitions:
    """A slot with a rule for each of these conditions, and these segments."""
    rules = tuple(Rule(str(number), "", one, None, Show(), HERE) for number, one in enumerate(conditions))
    return Definitions(
        segments={name: Segment(name, "", who, HERE) for name, who in segments.items()},
        slots={"hero": Slot("hero", "", None, 1, (), rules, None, HERE)},
        counters=counters,
    )


def conditions_in(definitions: Definitions) -> tuple[list[Condition], dict[str, Condition]]:
    """The conditions of the slot's rules, and those of the segments."""
    rules = [rule.condition for rule in definitions.slots["hero"].rules]
    return rules, {name: segment.who for name, segment in definitions.segments.items()}


@pytest.mark.parametrize("name", FILES)
def test_every_question_of_the_language_is_answered_as_ever(name: str) -> None:
    for case in read_cases(CASES / f"{name}.yaml"):
        question = read_question(case.question, case.site, Problems())
        asked = definitions_of([question.condition], question.segments, question.counters)
        definitions, _ = sent(asked)
        conditions, segments = conditions_in(definitions)
        came = Question(conditions[0], segments, definitions.counters)
        assert (came.condition, came.segments) == (question.condition, question.segments)
        assert came.answers(context_of(case.visitor, case.site, came)).holds("asked") is case.expected, case.where


@settings(max_examples=10)
@given(rule_sets(), st.lists(VISITORS, min_size=1, max_size=3))
def test_rules_drawn_at_random_decide_as_those_that_were_sent(
    made: tuple[Mapping[str, Condition], Mapping[str, Condition]], visitors: list[Visitor]
) -> None:
    rules, named = made
    conditions, segments = conditions_in(sent(definitions_of(rules.values(), named))[0])
    assert (conditions, segments) == ([*rules.values()], named)
    here, there = Index(rules, named), Index(dict(zip(rules, conditions, strict=True)), segments)
    for values in visitors:
        asked = (index.answers(index.reach(rules, named), values, NOW) for index in (here, there))
        told = [([one.holds(rule) for rule in rules], [one.in_segment(segment) for segment in named]) for one in asked]
        assert told[0] == told[1]


def test_facts_operators_and_lists_stay_what_they_are_to_all_that_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOGETHER", 1)
    monkeypatch.setattr(module, "_IDS_TOGETHER", 2)
    rules = [f"{{id: r{number}, to: {{profile.n: {{in_list: vip}}}}, show: offers/one}}" for number in range(3)]
    site = {
        "rules/all.yaml": f"attributes: {{n: {{type: number}}}}\nslots: {{hero: {{rules: [{', '.join(rules)}]}}}}",
        "rules/lists/vip.csv": "1\n2\n3\n4\n5\n",
    }
    rule_set = rule_set_of(site)
    definitions = Definitions(schema=rule_set.schema, slots=rule_set.slots, counters=rule_set.counters)
    came, library = sent(definitions, rule_set.library)
    asked = [leaf for rule in came.slots["hero"].rules for leaf in leaves(rule.condition)]
    assert len({id(leaf.fact) for leaf in asked}) == len({id(leaf.argument) for leaf in asked}) == 1
    assert all(leaf.operator is OPERATORS["in_list"] for leaf in asked)
    assert [4 in leaf.argument.ids for leaf in asked] == [True] * 3  # type: ignore[attr-defined]
    assert [leaf.place for leaf in asked] == [each.place for each in questions_of(rule_set.slots["hero"])]
    assert library == rule_set.library
    assert library.tagged("offers", ["winter"]) == rule_set.library.tagged("offers", ["winter"])


def questions_of(slot: Slot) -> list[Leaf]:
    """All questions of a slot's rules."""
    return [leaf for rule in slot.rules for leaf in leaves(rule.condition)]


def test_no_piece_is_large() -> None:
    sizes: list[int] = []

    class Noted(BytesIO):
        def write(self, data: object) -> int:
            sizes.append(len(data))  # type: ignore[arg-type]
            return super().write(data)  # type: ignore[arg-type]

    file = Noted()
    rules = "".join(
        f"\n      - {{id: r{at}, to: {{profile.n: {{at_least: {at}}}}}, show: offers/one}}" for at in range(500)
    )
    rule_set = rule_set_of(f"attributes: {{n: {{type: number}}}}\nslots:\n  hero:\n    rules:{rules}")
    pack_definitions(Definitions(schema=rule_set.schema, slots=rule_set.slots), rule_set.library, file)
    assert sum(sizes) > 100_000 > 10 * max(sizes)
