"""A rule that no earlier ones leave anything is found, in slots of any size, by looking at the few that matter."""

from personalize.rules.conditions import Condition
from personalize.rules.facts import Facts
from personalize.rules.proof.covering import is_covered
from personalize.rules.proof.proof import Cases, Proof
from tests.rules.small_site import rule_set_of

SITE = """
attributes:
  country: {type: text, fold: true}
  tier: {type: choice, choices: [basic, silver, gold]}
  points: {type: number}
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
segments:
"""


class Counting(Proof):
    """Notes how many conditions it is asked about at once."""

    most = 0

    def among(self, *conditions: Condition) -> Cases:
        self.most = max(self.most, len(conditions))
        return super().among(*conditions)


def covering(narrow: str, *wide: str) -> tuple[list[int] | None, int]:
    """The conditions that cover another one, by their places, and how many were looked at at once."""
    asked = {"narrow": narrow, **{f"wide-{place}": one for place, one in enumerate(wide)}}
    site = rule_set_of(SITE + "".join(f"  {name}: {{who: {who}}}\n" for name, who in asked.items()))
    conditions = {name: segment.who for name, segment in site.segments.items()}
    proof = Counting(conditions, Facts(site.schema), site.counters, site.conventions.zone)
    return is_covered(conditions.pop("narrow"), list(conditions.values()), proof), proof.most


MANY = [f"{{profile.points: {{at_least: {3 * number}, less_than: {3 * number + 2}}}}}" for number in range(300)]


def test_of_many_conditions_only_those_are_looked_at_that_hold_for_an_example() -> None:
    found, looked_at = covering("{profile.points: {between: [6, 7]}, profile.tier: gold}", *MANY)
    assert (found, looked_at) == ([2], 2)
    found, looked_at = covering("{profile.points: {between: [6, 10]}}", *MANY)
    assert (found, looked_at) == (None, 2)


def test_what_several_cover_together_is_found_by_one_example_after_the_other() -> None:
    parts = [f"{{profile.tier: {tier}, profile.points: {{exists: true}}}}" for tier in ("basic", "silver", "gold")]
    found, looked_at = covering("{profile.points: 3, profile.tier: {exists: true}}", *MANY[5:], *parts)
    assert found == [295, 296, 297]
    assert looked_at == 4


def test_what_follows_from_an_example_is_not_taken_for_missing() -> None:
    """Who bought lately bought at least once, though an example of them says nothing of how often."""
    assert covering("{purchase.last: {within: 9 days}}", "{purchase.count: {at_least: 1}}")[0] == [0]
    assert covering("{profile.tier: gold}", "{visitor.known: true}")[0] == [0]
    assert covering("{purchase.count: 1}", "{not: {did: purchase, times: 2}}")[0] == [0]
