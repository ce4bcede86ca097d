"""All that a rule can see: what consent grants of a profile, the request, the visit, and now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from personalize.decisions.context import Context, RequestFacts
from personalize.profiles.holding import NOTHING_HELD
from personalize.rules.facts import Facts
from personalize.rules.pending import pending_facts
from personalize.rules.ruleset import RuleSet
from personalize.visitors.consent import REFUSED, UNKNOWN, Consent, granting
from tests.decisions.visitors import EVERYTHING, HOME, NOW, Happened, ago, context_for
from tests.rules.small_site import rule_set_of

SITE = """
attributes:
  country: {type: text}
  letter: {type: bool, purpose: mail}
  likes: {type: list, of: text}
  born: {type: date}
  renewed: {type: time}
  score: {type: number}
events:
  purchase: {properties: {amount: money}, value: amount}
  search: {properties: {weight: number}, value: weight, purpose: measure}
segments:
  counted: {who: {did: purchase, times: 2, within: 30 days}}
  searched: {who: {did: search}}
"""


def rule_set_reading_everything() -> RuleSet:
    """A rule set in which some condition reads each fact that there is."""
    facts = Facts(rule_set_of(SITE).schema)
    names = [name.replace("<name>", "x") for name in facts.names()]
    return rule_set_of(
        SITE + "".join(f"  s{n}: {{who: {{{name}: {{exists: true}}}}}}\n" for n, name in enumerate(names))
    )


RULES = rule_set_reading_everything()
PURCHASED: Happened = ("purchase", ago(days=3), {"amount": 1000})
HISTORY: tuple[Happened, ...] = (
    ("page_view", ago(days=40), {"path": "/first", "source": "mail"}),
    ("purchase", ago(days=40), {"amount": 500}),
    PURCHASED,
    ("search", ago(days=2), {"weight": Decimal("0.5")}),
    ("set", ago(days=1), {"country": "NO", "letter": True, "likes": ["a", 5], "born": "1990-05-01", "score": "high"}),
)


def facts_of(*events: Happened, stored: bool = True, **details: object) -> Mapping[str, object]:
    """The value of every fact; missing ones are left out."""
    context = context_for(RULES, *events, stored=stored, **details)  # type: ignore[arg-type]
    return {name: value for name in RULES.facts if (value := context[name]) is not None}


def stored_facts(values: Mapping[str, object]) -> set[str]:
    """Names that only a profile can answer."""
    roots = {"profile", "visitor", "purchase", "search", "did"}
    return {name for name in values if name.partition(".")[0] in roots} - {"visitor.known"}


def test_with_a_profile_and_consent_everything_is_known() -> None:
    values = facts_of(*HISTORY)
    counters = {name: value for name, value in values.items() if name.startswith("did.")}
    assert sorted(map(len, counters.values())) == [1, 2]  # type: ignore[arg-type]
    assert {name: value for name, value in values.items() if name in stored_facts(values) - set(counters)} == {
        "profile.country": "NO",
        "profile.letter": True,
        "profile.likes": ["a"],
        "profile.born": datetime(1990, 5, 1).date(),
        "purchase.count": 2,
        "purchase.total": 1500,
        "purchase.average": 750,
        "purchase.first": ago(days=40),
        "purchase.last": ago(days=3),
        "purchase.first_value": 500,
        "purchase.last_value": 1000,
        "search.count": 1,
        "search.total": Decimal("0.5"),
        "search.average": Decimal("0.5"),
        "search.first": ago(days=2),
        "search.last": ago(days=2),
        "search.first_value": Decimal("0.5"),
        "search.last_value": Decimal("0.5"),
        "visitor.new": False,
        "visitor.visits": 2,
        "visitor.first_seen": ago(days=40),
        "visitor.last_seen": ago(days=2),
        "visitor.state": "active",
    }


def test_counts_and_totals_are_0_where_nothing_happened() -> None:
    values = facts_of()
    assert {name: values[name] for name in sorted(stored_facts(values)) if not name.startswith("did.")} == {
        "purchase.count": 0,
        "purchase.total": 0,
        "search.count": 0,
        "search.total": 0,
        "visitor.new": True,
        "visitor.state": "new",
        "visitor.visits": 1,
    }
    assert [value for name, value in values.items() if name.startswith("did.")] == [(), ()]


def test_without_a_profile_everything_stored_is_missing() -> None:
    assert stored_facts(facts_of(stored=False)) == set()


@pytest.mark.parametrize(
    ("consent", "known"),
    [
        (UNKNOWN, False),
        (REFUSED, False),
        (granting(["personalize"]), True),
        (granting(["mail"]), False),
        (EVERYTHING, True),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_whether_a_visitor_is_known_is_always_answered(consent: Consent, known: bool, stored: bool) -> None:
    assert facts_of(*HISTORY, consent=consent, stored=stored)["visitor.known"] is (known and stored)


@pytest.mark.parametrize("consent", [UNKNOWN, REFUSED, granting(["measure"])])
def test_without_consent_a_profile_is_as_if_it_were_not_there(consent: Consent) -> None:
    assert facts_of(*HISTORY, consent=consent) == facts_of(stored=False, consent=consent)
    assert context_for(RULES, *HISTORY, consent=consent).profile is None
    assert not context_for(RULES, *HISTORY, consent=consent).attributes


def test_facts_whose_purpose_is_not_granted_are_missing() -> None:
    personalize = stored_facts(facts_of(*HISTORY, consent=granting(["personalize"])))
    assert not {name for name in personalize if name.startswith("search.")} and "profile.letter" not in personalize
    assert {"profile.country", "purchase.total", "visitor.visits"} <= personalize
    mail = stored_facts(facts_of(*HISTORY, consent=granting(["mail"])))
    assert mail == {"profile.letter"}
    measure = stored_facts(facts_of(*HISTORY, consent=granting(["measure", "mail"])))
    assert {name.partition(".")[0] for name in measure} == {"search", "did", "profile"} and len(measure) == 9
    assert stored_facts(facts_of(*HISTORY, consent=granting(["measure"]))) == set()
    assert stored_facts(facts_of(*HISTORY, consent=granting(["elsewhere"]))) == set()


def test_facts_are_worked_out_together_as_one_by_one_whatever_others_have_granted() -> None:
    reach = RULES.index.reach(RULES.index.bits, RULES.segments)
    for purposes in (["personalize"], ["mail"], ["measure"], ["personalize", "measure", "mail"], [], ["personalize"]):
        together, alone = (context_for(RULES, *HISTORY, consent=granting(purposes)) for _ in range(2))
        planned, told = together.told(reach)
        assert dict(zip(planned.fact_names, told, strict=True)) == {name: alone[name] for name in reach.fact_names}


def test_attributes_that_content_may_show_are_cut_in_the_same_way() -> None:
    assert set(context_for(RULES, *HISTORY).attributes) == {"country", "letter", "likes", "born", "score"}
    assert dict(context_for(RULES, *HISTORY, consent=granting(["mail"])).attributes) == {"letter": True}
    without = context_for(RULES, *HISTORY, consent=granting(["personalize"])).attributes
    assert set(without) == {"country", "likes", "born", "score"}
    undeclared = (*HISTORY, ("set", ago(days=1), {"old": "x"}))
    assert "old" not in context_for(RULES, *undeclared, consent=granting(["mail"])).attributes


def test_an_attribute_that_is_not_declared_is_shown_to_who_has_granted_what_most_are_for() -> None:
    rule_set = rule_set_of("attributes: {letter: {type: bool, purpose: mail}}\nslots: {a: {}}\n")
    both: Happened = ("set", ago(days=1), {"letter": True, "old": "x"})
    mail, default = granting(["mail"]), granting(["personalize"])
    assert dict(context_for(rule_set, both, consent=mail).attributes) == {"letter": True}
    assert dict(context_for(rule_set, both, consent=default).attributes) == {"old": "x"}


def test_an_attribute_that_was_removed_is_missing() -> None:
    removed: Happened = ("set", ago(hours=1), {"country": None})
    assert "profile.country" not in facts_of(*HISTORY, removed)


def test_what_is_no_choice_any_more_is_missing() -> None:
    rules = rule_set_of("""
attributes: {tier: {type: choice, choices: [silver, gold]}}
segments: {s: {who: {profile.tier: {exists: true}}}}
""")
    for tier, expected in (("gold", "gold"), ("bronze", None)):
        assert context_for(rules, ("set", ago(days=1), {"tier": tier}))["profile.tier"] == expected


def test_a_fact_that_no_rule_reads_is_missing() -> None:
    context = context_for(RULES, *HISTORY)
    assert context["profile.xyz"] is None and context["page.xyz"] is None


def test_what_is_known_of_the_page() -> None:
    facts = RequestFacts(
        path="/tents",
        host="shop.example",
        query={"x": ("1", "2"), "y": ("3",)},
        referrer="https://elsewhere.example/",
        device="mobile",
        browser="Firefox",
        os="Android",
        language="nb",
        country="NO",
        region="Vestland",
        city="Bergen",
        bot=True,
        headers={"x": "header"},
        cookies={"x": "cookie"},
    )
    values = facts_of(stored=False, facts=facts)
    assert {name: value for name, value in values.items() if name.startswith("page.")} == {
        "page.path": "/tents",
        "page.host": "shop.example",
        "page.referrer": "https://elsewhere.example/",
        "page.language": "nb",
        "page.device": "mobile",
        "page.browser": "Firefox",
        "page.os": "Android",
        "page.country": "NO",
        "page.region": "Vestland",
        "page.city": "Bergen",
        "page.channel": "web",
        "page.bot": True,
        "page.query.x": ["1", "2"],
        "page.header.x": ["header"],
        "page.cookie.x": ["cookie"],
    }
    nothing = facts_of(stored=False, facts=None)
    assert not {name for name in nothing if name.startswith(("page.", "visit."))}


def test_what_time_it_is_in_the_zone_of_the_site() -> None:
    values = facts_of(now=datetime(2026, 12, 31, 23, 30, 15, 999999, tzinfo=UTC))
    assert {name: value for name, value in values.items() if name.startswith("now.")} == {
        "now.time": timedelta(minutes=30, seconds=15),
        "now.weekday": "fri",
        "now.date": datetime(2027, 1, 1).date(),
        "now.month": 1,
        "now.hour": 0,
    }


# Visits ----------------------------------------------------------------------------------------------------


def visit_of(context: Context) -> dict[str, object]:
    keys = ("source", "medium", "campaign", "landing_path", "pages", "started")
    return {key: context[f"visit.{key}"] for key in keys if context[f"visit.{key}"] is not None}


CAMPAIGN = RequestFacts(path="/landed", source="mail", medium="email", campaign="spring")


@pytest.mark.parametrize("consent", [UNKNOWN, REFUSED, granting(["mail"]), EVERYTHING])
def test_a_visit_without_a_profile_is_the_page_that_is_open(consent: Consent) -> None:
    context = context_for(RULES, stored=False, facts=CAMPAIGN, consent=consent)
    assert visit_of(context) == {
        "source": "mail",
        "medium": "email",
        "campaign": "spring",
        "landing_path": "/landed",
        "pages": 1,
        "started": NOW,
    }


def test_a_visit_that_goes_on_keeps_its_source_and_counts_this_page() -> None:
    viewed: Happened = ("page_view", ago(minutes=30), {"path": "/landed", "source": "mail"})
    context = context_for(RULES, viewed)
    assert visit_of(context) == {"source": "mail", "landing_path": "/landed", "pages": 2, "started": ago(minutes=30)}
    assert context["visitor.visits"] == 1


def test_a_visit_ends_after_half_an_hour_and_the_next_has_a_source_of_its_own() -> None:
    viewed: Happened = ("page_view", ago(minutes=30, microseconds=1), {"path": "/landed", "source": "mail"})
    context = context_for(RULES, viewed)
    assert visit_of(context) == {"landing_path": "/", "pages": 1, "started": NOW}
    assert context["visitor.visits"] == 2


def test_a_visit_is_the_stored_one_where_no_page_is_open() -> None:
    viewed: Happened = ("page_view", ago(minutes=10), {"path": "/landed", "source": "mail"})
    context = context_for(RULES, viewed, facts=None)
    assert visit_of(context) == {"source": "mail", "landing_path": "/landed", "pages": 1, "started": ago(minutes=10)}


@pytest.mark.parametrize("minutes", [-31, -30, -1, 0, 1, 29, 30, 31, 59, 60, 61])
@pytest.mark.parametrize("facts", [CAMPAIGN, None])
def test_where_a_visit_comes_from_is_told_alike_by_a_new_visit_and_without_one(
    minutes: int, facts: RequestFacts | None
) -> None:
    viewed: list[Happened] = [
        ("page_view", NOW, {"path": "/first", "source": "ad", "medium": "cpc"}),
        ("page_view", NOW + timedelta(minutes=30), {"path": "/next"}),
    ]
    asking = rule_set_of("segments: {came: {who: {visit.source: mail, visit.landing_path: /landed}}}")
    reach = asking.index.reach((), asking.segments)
    together, alone = (context_for(RULES, *viewed, facts=facts, now=NOW + timedelta(minutes=minutes)) for _ in "ab")
    assert reach.fact_names == ("visit.source", "visit.landing_path")
    planned, told = together.told(reach)
    assert dict(zip(planned.fact_names, told, strict=True)) == {name: alone[name] for name in reach.fact_names}


def test_consent_to_something_else_leaves_the_stored_visit_aside() -> None:
    viewed: Happened = ("page_view", ago(minutes=10), {"path": "/landed", "source": "mail"})
    context = context_for(RULES, viewed, consent=granting(["mail"]))
    assert visit_of(context) == {"landing_path": "/", "pages": 1, "started": NOW}


@pytest.mark.parametrize(
    ("seen_days_ago", "facts", "state", "new"),
    [
        ((), HOME, "new", True),
        ((), None, None, True),
        ((0,), HOME, "new", True),
        ((0,), None, "new", True),
        ((20,), HOME, "active", False),
        ((90,), HOME, "active", False),
        ((91,), HOME, "returned", False),
        ((200, 0), HOME, "returned", False),
        ((200, 0), None, "returned", False),
        ((200, 50, 0), HOME, "active", False),
        ((30,), None, "active", False),
        ((31,), None, "cooling", False),
        ((90,), None, "cooling", False),
        ((91,), None, "lapsed", False),
        ((400, 91), None, "lapsed", False),
    ],
)
def test_the_state_of_a_visitor(
    seen_days_ago: tuple[int, ...], facts: RequestFacts | None, state: str | None, new: bool
) -> None:
    seen: list[Happened] = [("page_view", ago(days=days), {"path": "/"}) for days in seen_days_ago]
    context = context_for(RULES, *seen, facts=facts)
    assert (context["visitor.state"], context["visitor.new"]) == (state, new)


def test_each_fact_is_worked_out_once() -> None:
    context = context_for(RULES, *HISTORY)
    assert context["profile.likes"] is context["profile.likes"]


TASTES = rule_set_of(
    """
events:
  purchase:
    properties: {items: {type: list, of: {category: text}}}
    interest: items.category
segments:
  campers: {who: {interest.Tents: {at_least: 0.6}}}
  first: {who: {interest.top: TENTS}}
  second: {who: {interest.sleeping bags: {more_than: 0}, interest.v1.2: 0}}
"""
)


def bought(category: str, days: float) -> Happened:
    return ("purchase", ago(days=days), {"items": [{"category": category}]})


def in_segments(*events: Happened, now_in_days: int = 0) -> set[str]:
    context = context_for(TASTES, *events, now=NOW + timedelta(days=now_in_days))
    reach = TASTES.index.reach((), TASTES.segments)
    found = TASTES.index.answers(reach, context, context.now).members
    return {one for one in TASTES.segments if found & 1 << TASTES.index.segments.number[one]}


def test_rules_ask_how_strong_an_interest_is_and_which_is_strongest() -> None:
    history = (bought("Tents", 0), bought("tents", 1), bought("sleeping bags", 2))
    assert in_segments(*history) == {"campers", "first", "second"}
    assert in_segments(*history, now_in_days=60) == {"first", "second"}
    assert in_segments(bought("tents", 0)) == {"first"}
    assert in_segments() == set()


def test_an_unmet_tag_is_0_with_a_profile_and_everything_is_missing_without_one() -> None:
    names = ("interest.tents", "interest.sleeping bags", "interest.top")
    values = context_for(TASTES, bought("tents", 30))
    assert [values[name] for name in names] == [Decimal("0.293"), 0, "tents"]
    assert [context_for(TASTES)[name] for name in names] == [0, 0, None]
    assert [context_for(TASTES, stored=False)[name] for name in names] == [None] * 3


def test_interests_need_the_consent_to_personalise() -> None:
    values = context_for(TASTES, bought("tents", 0), consent=granting(["measure"]))
    assert (values["interest.tents"], values["interest.top"]) == (None, None)


def test_interests_are_pending_until_profiles_were_taught_by_the_same_events() -> None:
    asked = {"interest.tents", "interest.top", "interest.sleeping bags", "interest.v1.2"}
    assert pending_facts(TASTES, NOTHING_HELD) == asked
    assert pending_facts(TASTES, TASTES.needed) == frozenset()


@pytest.mark.parametrize("name", ["interest.TENTS", "interest. tents", "interest.tents"])
def test_every_spelling_of_a_tag_is_one_fact(name: str) -> None:
    rules = rule_set_of(
        f"events:\n  a: {{properties: {{t: text}}, interest: t}}\nsegments:\n  s: {{who: {{{name}: 0}}}}\n"
    )
    assert set(rules.facts) == {"interest.tents"}
