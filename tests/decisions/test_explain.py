"""Why a slot shows what it shows."""

from personalize.decisions.explain import explain
from personalize.decisions.explanation import Difference, Explanation, RuleResult, RuleStep, Step
from personalize.visitors.consent import UNKNOWN
from tests.decisions.visitors import ago, context_for
from tests.rules.small_site import rule_set_of

RULES = """
attributes:
  city: {type: text}
events:
  purchase: {title: Bought something, properties: {amount: money}, value: amount}
segments:
  buyers: {title: Has bought, who: {purchase.count: {at_least: 1}}}
  lapsed: {title: Long time no see, who: {all: [{segment: buyers}, {purchase.last: {older_than: 90 days}}]}}
slots:
  hero:
    title: Large picture
    holds: 2
    rules:
      - id: oslo
        title: People of Oslo
        to: {not: {profile.city: {is_not: Oslo}}}
        show: notes/bye
      - id: back
        to: {any: [{segment: lapsed}, {profile.city: Bergen}]}
        when: {until: 2026-12-24}
        show: [offers/one, offers/two]
      - id: often
        to: {not: {did: purchase, times: {at_least: 2}, within: 30 days}}
        show: notes/hello
"""


def explained(*days_ago: int, **details: object) -> Explanation:
    rule_set = rule_set_of(RULES)
    bought = [("purchase", ago(days=days), {"amount": 1000}) for days in days_ago]
    return explain("hero", context_for(rule_set, *bought, **details), rule_set)  # type: ignore[arg-type]


def test_an_explanation_names_every_rule_with_the_answer_to_each_of_its_questions() -> None:
    found = explained(100)
    assert found.slot_title == "Large picture"
    assert found.decision.item_ids == ("offers/one", "offers/two")
    assert found.rules[0] == RuleStep(
        rule_id="oslo",
        title="People of Oslo",
        holds=False,
        result=RuleResult.NO_MATCH,
        reached=True,
        item_ids=(),
        conditions=(Step("not", False, parts=(Step('profile.city is not "Oslo"', True, "not known"),)),),
        nearest_miss=(Difference("profile.city", 'profile.city would have to be "Oslo"', "not known", '"Oslo"'),),
    )
    back = found.rules[1]
    assert (back.title, back.holds, back.reached, back.item_ids) == ("back", True, True, ("offers/one", "offers/two"))
    who, when = back.conditions
    assert when == Step("until 2026-12-24, that day included", True, "2026-11-21 13:00")
    bought = Step('in "Has bought"', True, parts=(Step("purchase.count is at least 1", True, "1"),))
    silent = Step("purchase.last is more than 90 days ago", True, "2026-08-13 14:00")
    lapsed = Step('in "Long time no see"', True, parts=(Step("all of these", True, parts=(bought, silent)),))
    from_bergen = Step('profile.city is "Bergen"', False, "not known")
    assert who == Step("any of these", True, parts=(lapsed, from_bergen))


def test_rules_behind_the_one_that_filled_the_slot_are_not_reached_and_are_answered_all_the_same() -> None:
    often = explained(100).rules[2]
    assert (often.reached, often.holds, often.item_ids) == (False, True, ())
    [step] = often.conditions
    assert step.seen == "1 time remembered"


def test_a_rule_that_holds_and_has_nothing_left_to_show_says_so() -> None:
    rule_set = rule_set_of("slots:\n  a: {rules: [{id: x, show: offers/christmas}, {id: y, show: notes/bye}]}\n")
    first, second = explain("a", context_for(rule_set), rule_set).rules
    assert (first.holds, first.reached, first.item_ids) == (True, True, ())
    assert (second.holds, second.reached, second.item_ids) == (True, True, ("notes/bye",))
    assert first.conditions == (Step("everyone", True),)


def test_what_consent_does_not_grant_is_missing_in_an_explanation_too() -> None:
    found = explained(100, consent=UNKNOWN)
    assert not found.rules[1].holds
    assert found.decision.item_ids == ("notes/hello",)


def test_a_slot_is_explained_as_part_of_its_page() -> None:
    rule_set = rule_set_of("""
        slots:
          a: {page: home, rules: [{id: x, show: notes/bye}]}
          b: {page: home, rules: [{id: y, show: [notes/bye, notes/hello]}]}
    """)
    found = explain("b", context_for(rule_set), rule_set)
    assert found.rules[0].item_ids == ("notes/hello",)
    assert explain("b", context_for(rule_set), rule_set, shown=frozenset({"notes/hello"})).rules[0].item_ids == ()


def test_questions_that_contradict_one_another_are_explained() -> None:
    rule_set = rule_set_of("""
        slots:
          a: {rules: [{id: x, to: {all: [{page.path: /}, {not: {page.path: /}}]}, show: notes/bye}]}
    """)
    [rule] = explain("a", context_for(rule_set), rule_set).rules
    assert not rule.holds
    assert [step.holds for step in rule.conditions[0].parts] == [True, False]


def test_a_rule_that_is_still_being_counted_does_not_hold_and_each_of_its_conditions_says_why() -> None:
    rule_set = rule_set_of(RULES)
    [counter] = rule_set.counters
    context = context_for(rule_set, pending=[f"did.{counter.key}", "purchase.last"])
    oslo, back, often = explain("hero", context, rule_set).rules
    assert (oslo.unanswered, back.unanswered, often.unanswered) == (None, "pending", "pending")
    assert not (back.holds or often.holds)
    pending = "pending: still being counted from the log"
    assert often.conditions == (
        Step('"Bought something" happened fewer than 2 times within 30 days', False, pending, unanswered="pending"),
    )
    lapsed, from_bergen = back.conditions[0].parts
    assert (lapsed.unanswered, from_bergen.unanswered) == ("pending", None)
    bought, silent = lapsed.parts[0].parts
    assert (bought.holds, bought.unanswered, bought.parts[0].seen) == (False, None, "0")
    assert (silent.holds, silent.seen) == (False, pending)
