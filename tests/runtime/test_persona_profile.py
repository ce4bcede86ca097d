"""Personas: what is not given follows from what is, so that no two facts of one persona disagree."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.decisions.context import Context, RequestFacts
from personalize.decisions.explain import explain
from personalize.problems import Problems
from personalize.rules.contradictions import contradictions
from personalize.rules.definitions import Persona
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import read_draft
from personalize.runtime.offline import persona_context
from personalize.runtime.publish import checked
from personalize.settings import Settings, load_settings
from personalize.yaml_tree import Place
from tests.conftest import REPOSITORY
from tests.desk import KEY, desk_settings, write_desk

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ASKS_ALL = """
attributes: {first_name: {type: text}}
events:
  purchase: {properties: {amount: money, tag: text}, value: amount, interest: tag}
segments:
  all:
    who:
      any:
        - visitor.known: true
        - visitor.new: true
        - visitor.visits: 1
        - visitor.first_seen: {exists: true}
        - visitor.last_seen: {exists: true}
        - visitor.state: new
        - interest.top: tents
        - interest.tents: 1
        - purchase.count: 1
        - purchase.total: 1
        - purchase.average: 1
        - purchase.first: {exists: true}
        - purchase.last: {exists: true}
        - purchase.first_value: 1
        - purchase.last_value: 1
slots: {hero: {rules: [{id: a, to: {segment: all}, show: things/tent}]}}
"""


class Site(NamedTuple):
    """A rule set that asks for every fact of these tests, and its settings."""

    rule_set: RuleSet
    settings: Settings

    def __repr__(self) -> str:
        return "the site that asks all"


@pytest.fixture(scope="module")
def asking_all(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    write_desk(folder, rules=ASKS_ALL)
    options = desk_settings(folder)
    return Site(checked(read_draft(options, Problems()), options), options)


def context_of(facts: dict[str, object], site: Site) -> Context:
    persona = Persona("p", "P", MappingProxyType(facts), Place("personas.yaml", 1, 1, 0, 0))
    return persona_context(persona, *site, now=NOW, facts=RequestFacts())


def days_ago(days: float) -> timedelta:
    return timedelta(days=days)


@pytest.mark.parametrize(
    ("told", "follows"),
    [
        ({"visits": 9}, {"new": False, "visits": 9, "state": "active", "last_seen": NOW - days_ago(1)}),
        ({"visits": 1}, {"new": True, "visits": 1, "state": "new", "first_seen": None, "last_seen": None}),
        ({"new": True}, {"visits": 1, "state": "new", "known": True}),
        ({"new": False}, {"visits": 2, "state": "active"}),
        ({"state": "new"}, {"new": True, "visits": 1}),
        ({"state": "active"}, {"new": False, "visits": 2, "state": "active"}),
        ({"state": "returned"}, {"new": False, "visits": 2, "last_seen": NOW - days_ago(91)}),
        ({"state": "lapsed", "visits": 5}, {"new": False, "visits": 5, "last_seen": NOW - days_ago(91)}),
        ({"last_seen": days_ago(3)}, {"new": False, "visits": 2, "first_seen": NOW - days_ago(3)}),
        ({"last_seen": days_ago(300)}, {"new": False, "state": "returned"}),
        ({"last_seen": timedelta(minutes=5), "visits": 4}, {"new": False, "visits": 4, "state": "active"}),
        ({"last_seen": timedelta(minutes=5)}, {"new": True, "visits": 1, "state": "new"}),
        ({"first_seen": days_ago(100), "last_seen": timedelta(minutes=5)}, {"new": False, "visits": 2}),
        ({"first_seen": days_ago(100), "visits": 1}, {"new": False, "visits": 1}),
        ({"new": False, "visits": 1}, {"new": False, "visits": 1, "state": "active"}),
        ({"known": True}, {"known": True, "new": True, "visits": 1}),
        ({"known": False}, {"known": False, "new": None, "visits": None, "state": None}),
    ],
)
def test_what_is_known_of_visits_follows_from_any_part_of_it(
    told: dict[str, object], follows: dict[str, object], asking_all: Site
) -> None:
    values = context_of({f"visitor.{key}": value for key, value in told.items()}, asking_all)
    assert {key: values[f"visitor.{key}"] for key in follows} == follows


@pytest.mark.parametrize(
    ("told", "follows"),
    [
        ({"last": days_ago(100)}, {"count": 1, "first": NOW - days_ago(100), "total": 0}),
        ({"count": 1, "first_value": 849000}, {"total": 849000, "average": 849000, "last_value": 849000}),
        ({"count": 3, "last": days_ago(100)}, {"count": 3, "first": None, "total": 0}),
        ({"total": 0}, {"count": 0, "first": None}),
        ({"count": 0}, {"count": 0, "total": 0, "last": None}),
    ],
)
def test_an_event_of_which_anything_is_told_has_happened(
    told: dict[str, object], follows: dict[str, object], asking_all: Site
) -> None:
    values = context_of({f"purchase.{key}": value for key, value in told.items()}, asking_all)
    assert {key: values[f"purchase.{key}"] for key in follows} == follows


def test_who_bought_long_ago_has_been_here_before(asking_all: Site) -> None:
    values = context_of({"purchase.last": days_ago(100)}, asking_all)
    assert values["visitor.new"] is False
    assert values["visitor.last_seen"] == NOW - days_ago(100)
    assert values["visitor.state"] == "returned"


@pytest.mark.parametrize(
    ("told", "top"),
    [
        ({"tents": Decimal("0.7"), "stoves": Decimal("0.2")}, "tents"),
        ({"tents": Decimal("0.7"), "stoves": Decimal("0.7")}, "stoves"),
        ({"tents": 0}, None),
        ({"tents": Decimal("0.7"), "top": "lamps"}, "lamps"),
    ],
)
def test_the_strongest_interest_of_a_persona_follows_from_those_that_are_given(
    told: dict[str, object], top: str | None, asking_all: Site
) -> None:
    values = context_of({f"interest.{tag}": value for tag, value in told.items()}, asking_all)
    assert (values["interest.top"], values["interest.tents"]) == (top, told["tents"])


DISTANCES = st.integers(min_value=0, max_value=400 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "visitor.known": st.booleans(),
        "visitor.new": st.booleans(),
        "visitor.visits": st.integers(min_value=1, max_value=9),
        "visitor.state": st.sampled_from(["new", "active", "returned"]),
        "visitor.first_seen": DISTANCES,
        "visitor.last_seen": DISTANCES,
        "purchase.count": st.integers(min_value=0, max_value=3),
        "purchase.last": DISTANCES,
    },
)


@given(facts=GIVEN)
@settings(deadline=None)
def test_no_two_facts_of_a_persona_without_contradictions_disagree(facts: dict[str, object], asking_all: Site) -> None:
    if any(contradictions(facts)):
        return
    if facts.get("visitor.state") in ("returned", "lapsed", "cooling") and "visitor.first_seen" in facts:
        return  # how long a silence these mean is a setting, so what would contradict them is not known
    values = context_of(facts, asking_all)
    is_new, state, visits = values["visitor.new"], values["visitor.state"], values["visitor.visits"]
    if values["visitor.known"] is False:
        assert {is_new, state, visits} == {None}
        return
    assert is_new is (state == "new")
    assert isinstance(visits, int) and (visits == 1 or is_new is False)
    first, last = values["visitor.first_seen"], values["visitor.last_seen"]
    assert (first is None) is (last is None)
    if isinstance(first, datetime) and isinstance(last, datetime):
        assert first <= last
        assert not is_new or NOW - first <= timedelta(days=1)


#: What each persona of the example shop sees in each of its slots, on a Sunday in November.
SEEN = {
    "newcomer": ((), (), (), ()),
    "returning": (("heroes/welcome-back",), 3, (), ()),
    "lapsed": (("heroes/kettle-is-on",), 3, ("notes/long-time",), ()),
    "began-well": (("heroes/well-begun",), 3, (), ()),
    "member": (("heroes/members-evening",), 3, ("notes/members",), ("tips/members-workshop",)),
}
SLOTS = ("home-hero", "home-offers", "header-note", "product-tip")


def shop(tmp_path: Path) -> Site:
    more = {"root": REPOSITORY, "store": f"sqlite:{tmp_path}/store.db", "secret_keys": [KEY]}
    options = load_settings(REPOSITORY / "personalize.toml", {}, **more)
    return Site(checked(read_draft(options, Problems()), options), options)


def test_every_persona_of_the_shop_sees_what_its_title_says(tmp_path: Path) -> None:
    rule_set, options = shop(tmp_path)
    assert set(SEEN) == set(rule_set.personas)
    for persona_id, expected in SEEN.items():
        for slot, items in zip(SLOTS, expected, strict=True):
            facts = RequestFacts(path="/" if slot != "product-tip" else "/product/light-lantern")
            context = persona_context(rule_set.personas[persona_id], rule_set, options, now=NOW, facts=facts)
            found = explain(slot, context, rule_set, misses=False).decision.item_ids
            assert (found if isinstance(items, tuple) else len(found)) == items, (persona_id, slot, found)
