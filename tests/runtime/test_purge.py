"""Which pages a publish makes untrue, by the keys that caches know them by."""

import pytest

from personalize.runtime.purge import changed_keys
from tests.rules.small_site import CONTENT, item, rule_set_of

RULES = """
attributes: {tier: {type: choice, choices: [basic, gold]}}
segments:
  phones: {who: {page.device: mobile}}
  reading-phones: {who: {all: [{segment: phones}, {page.path: /read}]}}
slots:
  hero:
    page: home
    rules: [{id: phones, to: {segment: reading-phones}, show: heroes/calm}]
  row:
    page: home
    rules: [{id: all, show: offers/one}]
  foot:
    rules: [{id: all, show: {in: offers, tagged: [winter]}}]
  side:
    rules: [{id: all, show: notes/bye}]
"""
STREAMED = "personalize-streamed"
HOME = (STREAMED, "slot-hero", "slot-row")


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ("all, show: notes/bye", "all, show: notes/hello", (STREAMED, "slot-side")),
        ("{id: all, show: notes/bye}", "{id: all, title: Bye!, show: notes/bye}", (STREAMED, "slot-side")),
        ("all, show: offers/one", "all, show: offers/two", HOME),
        ("page.device: mobile", "page.device: tablet", HOME),
        ("  side:\n", "  other: {rules: []}\n  side:\n", (STREAMED, "slot-other")),
        ("  side:\n    rules: [{id: all, show: notes/bye}]\n", "", (STREAMED, "slot-side")),
        ("[basic, gold]", "[basic, gold, silver]", ("personalize",)),
        ("  side:\n", "  # a remark\n  side:\n", ()),
    ],
    ids=["a rule", "a title", "a page together", "a segment of a segment", "a new slot", "a slot gone", "all", "none"],
)
def test_what_a_change_of_rules_makes_untrue(before: str, after: str, keys: tuple[str, ...]) -> None:
    assert before in RULES
    assert changed_keys(rule_set_of(RULES), rule_set_of(RULES.replace(before, after))) == keys


@pytest.mark.parametrize(
    ("name", "text", "keys"),
    [
        ("notes/bye", item("Good bye"), (STREAMED, "slot-side")),
        ("offers/three", item("Third", "tags: [winter]"), (STREAMED, "slot-foot")),
        ("offers/four", item("Four", "tags: [winter]"), (STREAMED, "slot-foot")),
        ("offers/two", item("Two", "tags: [outdoor]"), (STREAMED, "slot-foot")),
        ("heroes/bold", item("Bolder"), ()),
    ],
    ids=["shown by name", "picked by its tag", "new", "its tag is gone", "shown nowhere"],
)
def test_what_a_change_of_content_makes_untrue(name: str, text: str, keys: tuple[str, ...]) -> None:
    content = {**CONTENT, f"content/{name}.md": text}
    assert changed_keys(rule_set_of(RULES), rule_set_of(RULES, content)) == keys
