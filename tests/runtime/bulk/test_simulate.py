"""Simulating: each stored visitor is asked as on the page, losers are told to whom they lost, and samples are true."""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from personalize.decisions.decision import Reason
from personalize.decisions.reach import Outcome, RuleReach
from personalize.events.event import CONSENT, JOIN, PAGE_VIEW, SET, Event, JSONValue
from personalize.hashing import share
from personalize.problems import Problems
from personalize.rules.own_facts import Occasion, OwnFacts
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.simulate import Simulation, simulate
from personalize.runtime.draft import Draft, read_draft
from personalize.runtime.publish import checked, projectors_of
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from tests.desk import RULES, desk_settings, write_desk

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
YES: Mapping[str, JSONValue] = {"granted": ["personalize", "measure"]}

Happened = tuple[str, str, float, Mapping[str, JSONValue]]


def events(*happened: Happened) -> list[Event]:
    """Events from (profile id, type, days ago, properties)."""
    number = count()
    return [
        Event(f"e{next(number)}", "test", type_, profile_id, at, at, properties)
        for profile_id, type_, days, properties in happened
        for at in [NOON - timedelta(days=days)]
    ]


class Desk:
    """A site with rules, and a store whose profiles were projected under them."""

    def __init__(self, folder: Path, rules: str = RULES, **more: object) -> None:
        write_desk(folder, rules=rules)
        self.settings: Settings = desk_settings(folder, **more)
        self.rule_set = self.with_rules(rules)
        self.store = MemoryStore()

    def with_rules(self, rules: str) -> RuleSet:
        """The rule set of these rules, with the content of this site."""
        files = {**read_draft(self.settings, Problems()).files, "rules/all.yaml": rules}
        return checked(Draft(files), self.settings)

    def simulated(self, *happened: Happened, rules: str | None = None, **options: object) -> Simulation:
        """What a simulation finds of those to whom all this happened."""

        async def run() -> Simulation:
            await self.store.apply(events(*happened), projectors_of(self.rule_set, self.settings))
            rule_set = self.rule_set if rules is None else self.with_rules(rules)
            return await simulate(self.store, rule_set, self.settings, now=NOON, **options)  # type: ignore[arg-type]

        return asyncio.run(run())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def rules_of(found: Simulation, slot_id: str) -> Mapping[str, RuleReach]:
    return {rule.rule_id: rule for rule in found.slots[slot_id].rules}


BUYERS: Sequence[Happened] = (
    ("u:tent", "purchase", 3, {"amount": 100, "category": "tents"}),
    ("u:shoe", "purchase", 3, {"amount": 100, "category": "shoes"}),
    ("u:long-ago", "purchase", 300, {"amount": 100, "category": "tents"}),
    ("v:reader", CONSENT, 2, {**YES, "source": "newsletter"}),
    ("v:reader", PAGE_VIEW, 2, {"path": "/letter", "source": "newsletter"}),
    ("v:reader", PAGE_VIEW, 1.999, {"path": "/"}),
    ("v:walker", CONSENT, 2, YES),
    ("v:walker", PAGE_VIEW, 2, {"path": "/"}),
)


def test_each_rule_is_told_whom_it_matches_wins_and_loses_to_whom(desk: Desk) -> None:
    found = desk.simulated(*BUYERS)
    assert (found.visitors, found.asked) == (4, 4)
    hero = rules_of(found, "hero")
    assert (hero["tents"].matches, hero["tents"].wins) == (1, 1)
    assert (hero["buyers"].matches, hero["buyers"].wins, hero["buyers"].lost_to) == (2, 1, {"tents": 1})
    assert found.slots["hero"].default == 1


def test_the_source_of_a_visit_holds_for_its_later_pages_too(desk: Desk) -> None:
    assert rules_of(desk.simulated(*BUYERS), "hero")["letter"].wins == 1


def test_visitors_are_those_seen_in_the_period_and_no_browser_that_went_into_a_login(desk: Desk) -> None:
    joins: Happened = ("u:tent", JOIN, 1, {"from": "v:walker"})
    assert desk.simulated(*BUYERS, joins).visitors == 3
    assert desk.simulated(days=365).visitors == 4
    assert desk.simulated(days=1).visitors == 0


def test_a_moment_of_the_past_knows_only_what_had_occurred(desk: Desk) -> None:
    found = desk.simulated(*BUYERS, at=NOON - timedelta(days=299))
    assert (found.visitors, rules_of(found, "hero")["tents"].wins) == (1, 1)


def test_who_refused_counts_as_somebody_of_whom_nothing_is_known(desk: Desk) -> None:
    found = desk.simulated(
        ("u:no", "purchase", 1, {"amount": 100, "category": "tents"}), ("u:no", CONSENT, 1, {"granted": []})
    )
    assert (found.asked, found.slots["hero"].default) == (1, 1)


BY_PAGE = RULES.replace("{visit.source: newsletter}", "{page.path: /tents, page.language: nb}").replace(
    "{profile.tier: gold}", "{page.query.tier: gold}"
)


def test_rules_about_the_page_are_asked_of_the_latest_page_view(desk: Desk) -> None:
    page: Mapping[str, JSONValue] = {"path": "/tents", "language": "nb"}
    found = desk.simulated(
        ("v:one", PAGE_VIEW, 2, {"path": "/"}),
        ("v:one", PAGE_VIEW, 1, page),
        ("v:two", PAGE_VIEW, 2, page),
        ("v:two", PAGE_VIEW, 1, {"path": "/"}),
        ("u:three", JOIN, 3, {"from": "v:three"}),
        ("u:import", "purchase", 2, {"amount": 100, "category": "shoes"}),
        rules=BY_PAGE,
    )
    assert rules_of(found, "hero")["letter"].wins == 1
    assert (found.asked, found.with_page, found.unknown) == (3, 2, ("page.query.tier",))


def test_a_login_is_asked_about_the_page_that_its_browser_saw_before(desk: Desk) -> None:
    found = desk.simulated(
        ("v:one", PAGE_VIEW, 2, {"path": "/tents", "language": "nb"}),
        ("u:one", JOIN, 1, {"from": "v:one"}),
        rules=BY_PAGE,
    )
    assert (found.asked, found.with_page, rules_of(found, "hero")["letter"].wins) == (1, 1, 1)


NEWCOMERS = RULES.replace("{visit.source: newsletter}", "{visitor.new: true}")


def test_who_was_new_on_their_latest_visit_is_new_in_the_simulation(desk: Desk) -> None:
    found = desk.simulated(
        ("v:new", PAGE_VIEW, 5, {"path": "/"}),
        ("v:regular", PAGE_VIEW, 9, {"path": "/"}),
        ("v:regular", PAGE_VIEW, 5, {"path": "/"}),
        rules=NEWCOMERS,
    )
    assert rules_of(found, "hero")["letter"].wins == 1


@pytest.mark.parametrize(("pages", "wins"), [(2, 1), (3, 0)])
def test_the_page_that_is_asked_about_is_the_last_one_of_the_visit(tmp_path: Path, pages: int, wins: int) -> None:
    rules = RULES.replace("{visit.source: newsletter}", f"{{visit.pages: {{at_least: {pages}}}}}")
    found = Desk(tmp_path, rules).simulated(("v:one", PAGE_VIEW, 1, {}), ("v:one", PAGE_VIEW, 0.999, {}))
    assert rules_of(found, "hero")["letter"].wins == wins


SEVERAL = """
attributes: {first_name: {type: text}, tier: {type: choice, choices: [basic, gold]}}
slots:
  row:
    holds: 2
    rules:
      - {id: gold, to: {profile.tier: gold}, show: things/gold}
      - {id: thanks, show: [things/thanks, things/tent]}
      - {id: late, show: things/letter}
  last:
    page: home
    rules: [{id: gone, show: things/thanks}]
  behind:
    page: home
    rules: [{id: same, show: things/thanks}]
    otherwise: things/season
"""


def test_in_a_slot_that_holds_several_the_first_wins_and_all_that_show_are_told(tmp_path: Path) -> None:
    found = Desk(tmp_path, SEVERAL).simulated(
        ("u:gold", SET, 1, {"tier": "gold"}), ("u:gold", PAGE_VIEW, 1, {}), ("u:any", PAGE_VIEW, 1, {})
    )
    row = rules_of(found, "row")
    assert {one.rule_id: (one.matches, one.wins, one.shows) for one in row.values()} == {
        "gold": (1, 1, 1),
        "thanks": (2, 1, 2),
        "late": (2, 0, 0),
    }
    assert row["late"].lost_to == {"gold": 1, "thanks": 1}
    same = rules_of(found, "behind")["same"]
    assert (same.matches, same.empty, found.slots["behind"].otherwise) == (2, 2, 2)


def test_against_other_rules_it_says_who_sees_something_else(desk: Desk) -> None:
    draft = RULES.replace("{id: tents, to: {segment: tent-people}, show: things/tent}", "")
    draft = draft.replace("      - \n", "")
    found = desk.simulated(*BUYERS, rules=draft, against=desk.rule_set)
    assert found.changes is not None
    assert (found.changes.changed, found.changes.slots["hero"].changed, found.changes.slots["row"].changed) == (1, 1, 0)
    assert found.changes.slots["hero"].moves == {
        (Outcome(Reason.RULE, "tents"), Outcome(Reason.RULE, "buyers")): 1,
    }


def test_a_slot_that_is_gone_leaves_the_sites_own_markup(desk: Desk) -> None:
    draft = RULES[: RULES.index("  season:")]
    found = desk.simulated(*BUYERS, rules=draft, against=desk.rule_set)
    assert found.changes is not None and found.changes.changed == 4
    assert found.changes.slots["season"].moves == {(Outcome(Reason.RULE, "always"), Outcome(Reason.DEFAULT)): 4}


def test_each_rule_set_is_asked_of_profiles_that_count_what_it_reads(desk: Desk) -> None:
    """The draft counts shoes, which the live profiles do not: it is asked of profiles made from the log."""
    draft = RULES.replace("where: {category: tents}", "where: {category: shoes}")
    found = desk.simulated(*BUYERS, rules=draft, against=desk.rule_set)
    assert rules_of(found, "hero")["tents"].wins == 1
    assert found.changes is not None and found.changes.slots["hero"].changed == 2


def test_facts_of_the_site_that_raise_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loyal(occasion: Occasion) -> bool:
        raise ZeroDivisionError("a bug of the site")

    module, facts = ModuleType("facts_of_a_test"), OwnFacts()
    facts.fact("shop.loyal", "bool", purpose=None)(loyal)
    facts.fact("shop.open", "bool", purpose=None)(lambda occasion: True)
    monkeypatch.setattr(module, "own_facts", facts, raising=False)
    monkeypatch.setitem(sys.modules, "facts_of_a_test", module)
    rules = RULES.replace("{visit.source: newsletter}", "{not: {shop.loyal: true}}").replace(
        "{profile.tier: gold}", "{shop.open: true}"
    )
    found = Desk(tmp_path, rules, own_facts="facts_of_a_test:own_facts").simulated(*BUYERS)
    assert (found.raised, rules_of(found, "hero")["letter"].matches) == ({"shop.loyal": 4}, 0)


def test_an_empty_store_is_no_error(desk: Desk) -> None:
    found = desk.simulated(against=desk.rule_set)
    assert (found.visitors, found.asked, found.slots["hero"].default) == (0, 0, 0)


# Samples -----------------------------------------------------------------------------------------------

CROWD: Sequence[Happened] = [(f"u:{n}", "purchase", 1, {"amount": n, "category": "tents"}) for n in range(300)]


def test_a_sample_is_the_same_each_time_and_smaller_ones_are_part_of_it(desk: Desk) -> None:
    told: list[tuple[int, int | None]] = []
    first = desk.simulated(*CROWD, sample=50, progress=lambda done, total: told.append((done, total)))
    assert (first.visitors, first.asked, first.is_sample) == (300, 50, True)
    assert first == desk.simulated(sample=50)
    assert desk.simulated(sample=None) == desk.simulated(sample=300)


def test_the_rules_and_the_default_of_a_slot_are_everybody(desk: Desk) -> None:
    for sample in (None, 7, 50):
        for slot in desk.simulated(*CROWD, *BUYERS, sample=sample).slots.values():
            asked = sum(rule.wins for rule in slot.rules) + slot.otherwise + slot.default
            assert asked == (sample or 304)


def test_the_hash_that_samples_are_drawn_by_prefers_no_kind_of_id() -> None:
    ids = sorted((f"u:{n}" for n in range(20_000)), key=lambda one: share("simulate", one))[:5_000]
    digits = Counter(one[-1] for one in ids)
    assert max(abs(number - 500) for number in digits.values()) < 5 * 500**0.5
