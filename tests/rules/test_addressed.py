"""Conditions as they are told to the visitor whom they are about."""

import pytest

from personalize.rules.addressed import Addressed
from tests.rules.small_site import rule_set_of

RULES = """
attributes: {{city: {{type: text, title: Home town}}}}
events: {{purchase: {{title: Took them their tent, properties: {{amount: {{type: money}}}}, value: amount}}}}
segments:
  rich: {{title: Fat cats, who: {{purchase.total: {{at_least: 500}}, profile.city: Oslo}}}}
  quiet: {{title: Sleepers, who: {{any: [{{purchase.last: {{older_than: 90 days}}}}, {{segment: rich}}]}}}}
slots: {{hero: {{rules: [{{id: one, to: {condition}, show: offers/one{when}}}]}}}}
"""


def reasons(condition: str, when: str = "") -> tuple[str, ...]:
    """What a rule with this condition tells the visitor to whom it applies."""
    rule_set = rule_set_of(RULES.format(condition=condition, when=when))
    return Addressed(rule_set.conventions, rule_set.segments).reasons(rule_set.slots["hero"].rules[0])


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{visitor.known: true}", ("we know you",)),
        ("{visitor.new: false}", ("this is not your first visit",)),
        ("{page.country: NO}", ('the country you are in is "no"',)),
        ("{profile.city: their town}", ('your home town is "their town"',)),
        ("{segment: rich}", ("your purchase total is at least EUR 500.00", 'your home town is "Oslo"')),
        (
            "{not: {segment: rich}}",
            ('your purchase total is not at least EUR 500.00 or your home town is not "Oslo"',),
        ),
        (
            "{segment: quiet}",
            (
                "your last purchase is more than 90 days ago or "
                'both your purchase total is at least EUR 500.00 and your home town is "Oslo"',
            ),
        ),
        ("{did: purchase}", ('you did "Took them their tent" at least once',)),
    ],
)
def test_what_a_rule_asks_of_them_is_said_to_them_and_not_how_editors_call_them(
    condition: str, told: tuple[str, ...]
) -> None:
    assert reasons(condition) == told


def test_the_time_of_a_rule_is_a_reason_too() -> None:
    assert reasons("{visitor.known: true}", ", when: {from: 2026-12-01}") == ("we know you", "from 2026-12-01")
