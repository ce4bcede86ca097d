"""Rule files as they come out of a bad day: whatever is in them, each problem is said with its place."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalize.decisions.context import RequestFacts
from personalize.decisions.decide import decide
from personalize.decisions.explain import explain
from personalize.problems import Problems, render
from personalize.rules.reading.check import check_definitions
from personalize.rules.reading.load import read_definitions
from personalize.rules.ruleset import RuleSet, compile_rule_set
from tests.conftest import REPOSITORY
from tests.decisions.visitors import context_for
from tests.rules.small_site import CONVENTIONS, RULES_FILE, rule_set_of

LIBRARY = rule_set_of("").library

SAMPLE = """\
attributes:
  country:    {type: text, title: Country, fold: true}
  birthday:   {type: date, private: true}
  likes:      {type: list, of: text, from_browser: true}
  tier:       {type: choice, choices: [basic, silver, gold]}
  newsletter: {type: bool, purpose: mail}
events:
  purchase:
    title: Bought something
    properties:
      amount: {type: money}
      sent: time
      items:  {type: list, of: {sku: text, category: text, price: money}}
    value: amount
segments:
  lapsed-buyers:
    title: Bought before, silent for 90 days
    who:
      purchase.count: {at_least: 1}
      purchase.last:  {older_than: 90 days}
  tent-people:
    who:
      any:
        - did: purchase
          where: {items.category: tents, sent: {before: 2026-01-01}}
          times: {at_least: 2}
          within: 365 days
        - all: [{segment: lapsed-buyers}, {not: {profile.country: [SE, NO]}}]
        - profile.tier: {one_of: [gold], ignore_case: true}
          purchase.total: {between: [10, 29.33]}
          now.time: {less_than: 18:00}
personas:
  lapsed:
    given: {purchase.count: 3, purchase.last: 100 days ago, profile.country: NO}
slots:
  home-hero:
    title: Hero on the home page
    page: home
    holds: 2
    accepts: [hero, offer]
    rules:
      - id: welcome-back
        to:   {segment: lapsed-buyers}
        when: {from: 2026-11-20, until: 2026-12-26, weekdays: [mon, sat], hours: 08:00-18:00}
        show: offers/christmas
      - id: your-taste
        to:
          all: [{profile.newsletter: {exists: true}}, {not: {profile.newsletter: true}}]
        show: {in: offers, tagged: [outdoor], limit: 3}
    otherwise: heroes/calm
  note:
    rules:
      - {id: hello, to: {page.query.x: {starts_with: [a, b]}}, show: [notes/hello, notes/bye]}
"""
DESK = "\n".join(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "rules").rglob("*.yaml")))

NASTY = st.sampled_from(
    [
        *(
            "\t",
            ":",
            ": ",
            "{",
            "}",
            "[",
            "]",
            "[]",
            "{}",
            '"',
            "'",
            "-",
            "- ",
            "#",
            "&a ",
            "*a",
            "!x ",
            "|",
            ">",
            "%",
            "@",
            "`",
        ),
        *(
            "",
            "~",
            "null",
            "true",
            "NO",
            "0",
            "-1",
            "1e400",
            "0x",
            "1_0",
            "9" * 50,
            ".nan",
            "2026-02-30",
            "25:00",
            "\\",
        ),
        *(
            "\n",
            "\r\n",
            "---\n",
            "...\n",
            "? ",
            "<<: ",
            "\u2028",
            "\ufeff",
            "\x85",
            "é",
            "x" * 300,
            "[[[[[[",
            "{a: {a: {a: ",
        ),
        *(
            "is",
            "at_least",
            "segment",
            "did",
            "not",
            "any",
            "all",
            "purchase",
            "lapsed-buyers",
            "profile.country",
            "when",
        ),
    ]
)
_CHANGES = ("cut", "drop", "double", "swap", "indent", "insert", "replace", "value")


@st.composite
def corrupted(draw: st.DrawFn) -> str:
    """One of the files after a few accidents."""
    text = draw(st.sampled_from([SAMPLE, SAMPLE, DESK]))
    for _ in range(draw(st.integers(1, 4))):
        text = draw(accident(text))
    return text


@st.composite
def accident(draw: st.DrawFn, text: str) -> str:
    """The text with a line gone, moved, or retyped, or cut off."""
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    other = draw(st.integers(0, len(lines) - 1))
    column = draw(st.integers(0, len(lines[at])))
    nasty = draw(NASTY)
    match draw(st.sampled_from(_CHANGES)):
        case "cut":
            return "\n".join([*lines[:at], lines[at][:column]])
        case "drop":
            del lines[at]
        case "double":
            lines.insert(other, lines[at])
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
        case "indent":
            lines[at] = draw(st.sampled_from(["", " ", "  ", "    ", "\t", "- "])) + lines[at].lstrip()
        case "insert":
            lines[at] = lines[at][:column] + nasty + lines[at][column:]
        case "replace":
            lines[at] = lines[at][:column] + nasty + lines[at][column + draw(st.integers(1, 8)) :]
        case "value":
            key, colon, _ = lines[at].partition(":")
            lines[at] = f"{key}{colon} {nasty}"
    return "\n".join(lines)


def loaded(text: str) -> tuple[RuleSet | None, Problems]:
    problems = Problems()
    definitions = read_definitions({RULES_FILE: text}, CONVENTIONS, problems)
    check_definitions(definitions, LIBRARY, problems)
    if problems.has_errors:
        return None, problems
    return compile_rule_set("v", definitions, LIBRARY, CONVENTIONS), problems


def test_the_sample_is_a_file_as_it_should_be() -> None:
    rule_set, problems = loaded(SAMPLE)
    assert rule_set is not None
    assert not problems.list


@settings(max_examples=300)
@given(corrupted())
@example("\t\n")
@example("slots:\n\thome: {}\n")
@example("slots: {home: {rules: [{id: a, to: {segment: {}}, show: {}}]}}")
@example("segments: {a: {who: {not: {not: {not: }}}}}")
@example("a: &a [*a]\n")
def test_each_problem_of_a_broken_file_has_a_place_and_nothing_is_raised(text: str) -> None:
    rule_set, problems = loaded(text)
    lines = re.split("\r\n|\r|\n|\u2028|\u2029|\x85", text)
    for problem in problems.list:
        assert problem.file == RULES_FILE
        assert problem.line is not None and 1 <= problem.line <= len(lines)
        assert problem.column is not None and problem.column >= 1
        assert re.fullmatch("[EW][0-9]{3}", problem.code)
        assert problem.message and "\n" not in str(problem)
        assert render(problem, text)
    if rule_set is not None:
        context = context_for(rule_set, facts=RequestFacts(path="/", query={"x": ("abc",)}))
        for slot_id, page in rule_set.pages.items():
            assert (
                explain(slot_id, context, rule_set, misses=False).decision == decide(page, context, rule_set)[slot_id]
            )
