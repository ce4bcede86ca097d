"""What is different between two rule sets, in words."""

import pytest
from hypothesis import given, settings

from personalize.decisions.revision import Edit, Kind, revision
from personalize.rules.ruleset import RuleSet
from tests.properties.test_decisions import rule_sets
from tests.rules.small_site import CONTENT, item, rule_set_of

RULES = """
attributes:
  city: {type: text}
events:
  purchase: {title: Bought something, properties: {amount: money}, value: amount}
segments:
  buyers: {title: Has bought, who: {purchase.count: {at_least: 1}}}
  fans: {who: {segment: buyers, profile.city: Oslo}}
slots:
  hero:
    title: Hero
    rules:
      - {id: a, to: {segment: fans}, show: notes/bye}
      - {id: b, show: notes/hello}
      - {id: c, when: {until: 2026-12-24}, show: offers/one}
"""


def edits(before: str, after: str) -> list[Edit]:
    """What becomes of RULES when one text in it is replaced by another."""
    assert RULES.count(before) == 1, before
    return list(revision(rule_set_of(RULES), rule_set_of(RULES.replace(before, after))))


def test_the_same_files_are_no_revision_however_they_are_written() -> None:
    moved = {"rules/z.yaml": "# A comment\n\n" + RULES.replace("segments:", "\n\nsegments:")}
    assert revision(rule_set_of(RULES), rule_set_of(moved)) == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "      - {id: b, show: notes/hello}\n",
            "",
            [Edit(Kind.REMOVED, "rule", "hero/b", "Show notes/hello to everyone.")],
        ),
        (
            "{id: b, show: notes/hello}",
            "{id: b, to: {profile.city: Bergen}, show: notes/hello, title: Bergen}",
            [
                Edit(
                    Kind.CHANGED,
                    "rule",
                    "hero/b",
                    "Show notes/hello to everyone.",
                    'Show notes/hello to everyone whose city is "Bergen".',
                    ('title: "b" -> "Bergen"',),
                )
            ],
        ),
        (
            "title: Hero",
            "title: Hero, holds: 2",
            [
                Edit(
                    Kind.CHANGED,
                    "slot",
                    "hero",
                    '"Hero" holds one item. Otherwise keep the site\'s own markup.',
                    '"Hero" holds up to 2 items. Otherwise keep the site\'s own markup.',
                )
            ],
        ),
        (
            "at_least: 1}",
            "at_least: 2}",
            [
                Edit(
                    Kind.CHANGED,
                    "segment",
                    "buyers",
                    '"Has bought" is everyone whose purchase count is at least 1.',
                    '"Has bought" is everyone whose purchase count is at least 2.',
                    ("read by hero/a",),
                )
            ],
        ),
        (
            "city: {type: text}",
            "city: {type: text, purpose: mail}",
            [Edit(Kind.CHANGED, "attribute", "city", details=("purpose: personalize -> mail",))],
        ),
        (
            "properties: {amount: money}",
            "properties: {amount: money, gift: bool}",
            [Edit(Kind.CHANGED, "event", "purchase", details=("property gift: none -> bool",))],
        ),
        (
            "{purchase.count: {at_least: 1}}",
            "{did: purchase, times: {at_least: 3}}",
            [
                Edit(
                    Kind.CHANGED,
                    "segment",
                    "buyers",
                    '"Has bought" is everyone whose purchase count is at least 1.',
                    '"Has bought" is everyone who did "Bought something" at least 3 times.',
                    ("read by hero/a",),
                ),
                Edit(Kind.ADDED, "counter", '"Bought something"'),
            ],
        ),
    ],
)
def test_what_changed_is_said(before: str, after: str, expected: list[Edit]) -> None:
    if "title: Hero, " in after:
        after = "title: Hero\n    holds: 2"
    assert edits(before, after) == expected


def test_a_rule_that_moved_is_named_once_and_those_it_passed_are_not() -> None:
    block = "      - {id: c, when: {until: 2026-12-24}, show: offers/one}\n"
    first = "    rules:\n"
    after = RULES.replace(block, "").replace(first, first + block)
    assert revision(rule_set_of(RULES), rule_set_of(after)) == (
        Edit(Kind.MOVED, "rule", "hero/c", details=("from place 3 to place 1",)),
    )


def test_a_rule_with_another_name_and_nothing_else_is_one_that_changed() -> None:
    assert edits("{id: b, show", "{id: hello, show") == [
        Edit(Kind.CHANGED, "rule", "hero/hello", details=("its name: b -> hello",))
    ]


def test_a_rule_with_another_name_and_another_place_is_told_of_both() -> None:
    hello, until = "{id: b, show: notes/hello}", "{id: c, when: {until: 2026-12-24}, show: offers/one}"
    between = "\n      - "
    found = edits(f"{hello}{between}{until}", f"{until.replace('id: c', 'id: d')}{between}{hello}")
    assert found[0] == Edit(Kind.CHANGED, "rule", "hero/d", details=("its name: c -> d",))
    assert [edit.kind for edit in found[1:]] == [Kind.MOVED]


def test_a_rule_with_another_name_that_says_something_else_is_another_rule() -> None:
    found = edits("{id: b, show: notes/hello}", "{id: d, show: notes/bye}")
    assert [(edit.kind, edit.name) for edit in found] == [(Kind.ADDED, "hero/d"), (Kind.REMOVED, "hero/b")]


def test_of_rules_that_say_the_same_each_gets_one_new_name() -> None:
    twice = "      - {id: b, show: notes/hello}\n      - {id: b2, show: notes/hello}\n"
    before = rule_set_of(RULES.replace("      - {id: b, show: notes/hello}\n", twice))
    after = rule_set_of(RULES.replace("      - {id: b, show: notes/hello}\n", twice.replace("id: b", "id: x")))
    found = revision(before, after)
    assert [(edit.kind, edit.name, *edit.details) for edit in found] == [
        (Kind.CHANGED, "hero/x", "its name: b -> x"),
        (Kind.CHANGED, "hero/x2", "its name: b2 -> x2"),
    ]


def test_items_are_compared_by_what_they_say() -> None:
    name = "content/offers/three.md"
    front = {name: item("Tre", "tags: [winter]\nuntil: 2026-12-24")}
    body = {name: item("Three", "tags: [winter]", "New words")}
    assert revision(rule_set_of(RULES), rule_set_of(RULES, {**CONTENT, **front})) == (
        Edit(
            Kind.CHANGED,
            "item",
            "offers/three",
            details=('title: "Three" -> "Tre"', "until: none -> 2026-12-25 00:00"),
        ),
    )
    assert revision(rule_set_of(RULES), rule_set_of(RULES, {**CONTENT, **body})) == (
        Edit(Kind.CHANGED, "item", "offers/three", details=("its text",)),
    )


def test_over_nothing_everything_is_new() -> None:
    found = revision(None, rule_set_of(RULES))
    assert {edit.kind for edit in found} == {Kind.ADDED}
    assert {"slot", "rule", "segment", "item", "attribute", "event", "collection"} <= {edit.thing for edit in found}


@settings(max_examples=20)
@given(rule_sets(), rule_sets())
def test_a_revision_read_backwards_names_the_same_things(one: RuleSet, other: RuleSet) -> None:
    there = {(edit.thing, edit.name, edit.kind) for edit in revision(one, other) if edit.kind is not Kind.MOVED}
    back = {(edit.thing, edit.name, edit.kind) for edit in revision(other, one) if edit.kind is not Kind.MOVED}
    turned = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    assert {(thing, name, turned[kind]) for thing, name, kind in there} == back
    assert revision(one, one) == ()
