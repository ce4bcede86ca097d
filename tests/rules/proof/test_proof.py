"""Examples of visitors, who contains whom, and when nothing can be said."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from personalize.problems import Problems
from personalize.rules.conditions import All, Any, InSegment, Leaf, Not
from personalize.rules.describe import Describer
from personalize.rules.facts import Fact, Facts, FactType
from personalize.rules.proof.examples import told
from personalize.rules.proof.findings import proof_of
from personalize.rules.proof.proof import Proof, Relation, Verdict, Witness
from personalize.rules.ruleset import RuleSet
from tests.rules.asking import CASES, read_cases, read_question
from tests.rules.small_site import CONVENTIONS, rule_set_of

SITE = """
attributes:
  country: {type: text, fold: true}
  tier: {type: choice, choices: [basic, silver, gold]}
  likes: {type: list, of: text}
  called: {type: time}
events:
  purchase: {title: Bought something, properties: {amount: {type: money}, sku: {type: text}}, value: amount}
segments:
"""


def site_of(**segments: str) -> RuleSet:
    """A site with these segments."""
    return rule_set_of(SITE + "".join(f"  {name}: {{who: {who}}}\n" for name, who in segments.items()))


def example_of(who: str, *, without: str | None = None) -> str:
    """An example of somebody in one segment, and in no other."""
    site = site_of(s=who, **({} if without is None else {"other": without}))
    failing = [] if without is None else [InSegment("other")]
    found = proof_of(site).witness(InSegment("s"), failing=failing)
    return found.value if isinstance(found, Verdict) else told(found, Describer(CONVENTIONS))


def relation_of(one: str, other: str) -> Relation | None:
    """How two segments lie to one another."""
    return proof_of(site_of(a=one, b=other)).relation(InSegment("a"), InSegment("b"))


@pytest.mark.parametrize(
    ("who", "example"),
    [
        ("{purchase.count: {at_least: 5}}", "a visitor with purchase.count 5"),
        ("{profile.country: NO, profile.tier: gold}", 'a visitor with profile.country "no" and profile.tier "gold"'),
        ("{profile.country: {is_not: NO}}", "a visitor of whom profile.country is not known"),
        ("{purchase.last: {older_than: 90 days}}", "a visitor with purchase.last 91 days ago"),
        ("{all: [{profile.likes: a}, {profile.likes: b}]}", 'a visitor with profile.likes "a" and "b"'),
        ("{page.path: {starts_with: /tent/}}", 'a visitor with page.path "/tent/"'),
        ("{not: {visitor.known: true}}", "a visitor with visitor.known false"),
        (
            "{did: purchase, times: 2, within: 9 days}",
            'a visitor with 2 of "Bought something", 9 days ago',
        ),
        ("{now.weekday: sat, now.hour: 9}", "a visitor on Saturday 2023-12-30 09:00"),
        (
            "{profile.called: {within: 9 days, after: 2026-05-01}}",
            "a visitor with profile.called 2026-05-02 00:00",
        ),
        ("{profile.tier: gold, not: {profile.tier: gold}}", "no visitor can be like that"),
        ("{profile.tier: {same_as: page.path}}", 'a visitor with profile.tier "basic" and page.path "basic"'),
        # Countries are compared without regard to case, paths are not.
        (
            "{profile.country: {same_as: page.path, is: ab}, page.path: {none_of: [ab, AB]}}",
            'a visitor with profile.country "ab" and page.path "aB"',
        ),
    ],
)
def test_an_example_is_told_in_words(who: str, example: str) -> None:
    assert example_of(who) == example


def test_an_example_may_be_asked_to_leave_others_out() -> None:
    said = example_of("{purchase.count: {at_least: 1}}", without="{purchase.last: {within: 30 days}}")
    assert said == "a visitor with purchase.count 1 and purchase.last 31 days ago"


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("{purchase.count: {at_least: 2}}", "{purchase.count: {more_than: 1}}", Relation.EQUAL),
        ("{purchase.count: {at_least: 2}}", "{did: purchase, times: {at_least: 3}, within: 9 days}", Relation.CONTAINS),
        ("{profile.tier: gold}", "{profile.tier: [gold, silver]}", Relation.WITHIN),
        ("{profile.tier: gold}", "{profile.country: NO}", Relation.OVERLAPS),
        ("{profile.tier: gold}", "{profile.tier: {is_not: gold}}", Relation.APART),
        ("{profile.likes: a}", "{profile.likes: b}", Relation.OVERLAPS),
        ("{did: purchase, where: {sku: a}}", "{did: purchase}", Relation.WITHIN),
        # Without regard to case "ß" has two letters, "ss".
        ('{page.path: {like: "?"}}', '{page.path: {like: "?", ignore_case: true}}', Relation.CONTAINS),
        ('{page.path: {like: "??"}}', '{page.path: {like: "??", ignore_case: true}}', Relation.OVERLAPS),
    ],
)
def test_segments_lie_to_one_another_as_their_visitors_do(one: str, other: str, relation: Relation) -> None:
    assert relation_of(one, other) is relation


def test_what_covers_and_what_does_not() -> None:
    site = site_of(wide="{purchase.count: {at_least: 1}}", narrow="{purchase.last: {within: 30 days}}")
    proof = proof_of(site)
    assert proof.covers(InSegment("wide"), InSegment("narrow"))
    assert not proof.covers(InSegment("narrow"), InSegment("wide"))


# What can't be decided -----------------------------------------------------------------------------------


def leaf_of(site: RuleSet, segment_id: str) -> Leaf:
    """The only question of a segment."""
    who = site.segments[segment_id].who
    assert isinstance(who, Leaf)
    return who


@pytest.mark.parametrize("word", ["sounds_like", "same_as"])
def test_a_question_that_nobody_here_knows_may_be_answered_either_way(word: str) -> None:
    site = site_of(s="{profile.country: NO}", t="{profile.likes: a}")
    for segment_id in ("s", "t"):
        known = leaf_of(site, segment_id)
        strange = replace(known, word=word)
        proof = proof_of(site)
        assert not proof.among(All((known, strange))).is_never(All((known, strange)))
        assert not proof.covers(strange, known)
        assert proof.witness(strange, Not(strange)) is Verdict.NEVER
        assert proof.covers(strange, All((strange, known)))


def test_a_fact_of_a_type_that_nobody_here_knows_is_known_or_not() -> None:
    site = site_of(s="{profile.country: NO}")
    fact = Fact("own.colour", "own", "colour", FactType.CLOCK)
    asked, other = (replace(leaf_of(site, "s"), fact=fact, argument=argument) for argument in ("red", "green"))
    proof = proof_of(site)
    assert proof.witness(asked, other) is Verdict.UNDECIDED
    assert proof.covers(asked, All((asked, other)))


def test_a_hard_question_is_given_up_in_time() -> None:
    """Pigeons and holes: an all of anys that no search of this kind decides quickly."""
    site = site_of(s="{profile.country: NO}")
    known = leaf_of(site, "s")
    holes = [
        [replace(known, argument=f"{pigeon}-{hole}", word="sounds_like") for hole in range(8)] for pigeon in range(9)
    ]
    each = [Any(tuple(row)) for row in holes]
    alone = [
        Not(All((one[hole], other[hole]))) for hole in range(8) for one in holes for other in holes if one is not other
    ]
    assert proof_of(site).witness(*each, *alone) is Verdict.UNDECIDED
    assert proof_of(site).relation(All(tuple(each)), Any(tuple(map(Not, alone)))) is None


def test_an_example_is_one_of_the_visitors_of_now() -> None:
    proof = proof_of(site_of(s="{now.hour: 9, now.weekday: [sat, sun]}"))
    found = proof.witness(InSegment("s"))
    assert isinstance(found, Witness) and found.is_timely
    local = found.now.astimezone(ZoneInfo("Europe/Oslo"))
    assert local.hour == 9 and local.weekday() >= 5
    assert found.now.utcoffset() == timedelta()


OF_VISITORS = [path for path in sorted(CASES.glob("*.yaml")) if "\n    holds:" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", OF_VISITORS, ids=lambda path: path.stem)
def test_never_is_not_said_of_any_case(path: Path) -> None:
    """Every case of the operators is a visitor, so nothing is proved that it would make untrue."""
    for case in read_cases(path):
        question = read_question(case.question, case.site, Problems())
        proof = Proof(question.segments, Facts(case.site.schema), question.counters, case.site.conventions.zone)
        cases = proof.among(question.condition)
        if case.expected:
            assert not cases.is_never(question.condition), case.where
        else:
            assert not cases.is_never(failing=[question.condition]), case.where
