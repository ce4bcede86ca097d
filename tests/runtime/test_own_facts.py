"""Facts of a site's own code, on pages and away from them, well and ill behaved."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from personalize.errors import SettingsError
from personalize.problems import Problems
from personalize.rules.own_facts import Occasion, OwnFacts
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import load_files, read_draft
from personalize.runtime.offline import count_segments, persona_context, visitor_context
from personalize.runtime.own_facts import load_own_facts
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.web.test_faults import site

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ATTRIBUTES = """
attributes:
  first_name: {type: text}
  tier: {type: choice, choices: [basic, gold]}
"""
RULES = (
    ATTRIBUTES
    + """
segments:
  in-season: {who: {shop.open: true}}
personas:
  early: {given: {shop.open: false, shop.near: [5, 10]}}
slots:
  hero:
    rules:
      - {id: not-open, to: {not: {segment: in-season}}, show: things/thanks}
      - {id: near, to: {shop.near: 5}, show: things/tent}
      - {id: warm, to: {shop.degrees: {at_least: 20}}, show: things/letter}
  season:
    rules:
      - {id: always, show: things/season}
"""
)
ONE_SLOT = "slots: {season: {rules: [{id: always, show: things/season}]}}"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> OwnFacts:
    """Facts of a site that a test may change: open, 5 km away, 25 degrees."""
    module, facts = ModuleType("facts_of_a_test"), OwnFacts()
    module.__dict__["own_facts"] = facts
    monkeypatch.setitem(__import__("sys").modules, "facts_of_a_test", module)
    facts.fact("shop.open", "bool", purpose=None)(lambda occasion: True)
    facts.condition("shop.near", takes="number", title="at most {} km away", purpose=None)(lambda occasion, km: km > 7)
    facts.fact("shop.degrees", "number", purpose=None)(lambda occasion: 25.5)
    return facts


def change(own: OwnFacts, name: str, answer: Callable[..., object], **more: object) -> None:
    """Declare a fact of the site anew."""
    before = own._declared.pop(name)
    own.fact(name, str(before.shape.type), **{"purpose": None, **more})(answer)  # type: ignore[arg-type]


def settings_of(folder: Path, rules: str = RULES) -> Settings:
    write_desk(folder, rules=rules)
    return desk_settings(folder, own_facts="facts_of_a_test:own_facts")


def rule_set_of(settings: Settings) -> RuleSet:
    problems = Problems()
    rule_set = load_files(read_draft(settings, problems).files, settings, problems)
    assert rule_set is not None, problems.list
    return rule_set


def shown(settings: Settings, *pages: str) -> tuple[list[str], dict[str, int]]:
    """What the pages say, one after the other, and the failures that were counted."""

    async def run() -> tuple[list[str], dict[str, int]]:
        app = wrap(site(), settings)
        async with running(app):
            await published(app)
            browser = Browser(app)
            replies = [await browser.get(page) for page in pages or ("/",)]
            assert all(reply.status == 200 for reply in replies)
            return [reply.text for reply in replies], dict(app.personalizer.health.failures)

    return asyncio.run(run())


def test_a_page_is_decided_by_the_sites_own_facts(tmp_path: Path, own: OwnFacts) -> None:
    [page], failures = shown(settings_of(tmp_path))
    assert "From the letter" in page and not failures
    change(own, "shop.open", lambda occasion: False)
    assert "Thank you" in shown(settings_of(tmp_path))[0][0]


def raises(occasion: Occasion) -> object:
    raise RuntimeError("no thermometer")


def test_a_fact_that_raises_silences_the_rules_that_read_it_and_nothing_else(tmp_path: Path, own: OwnFacts) -> None:
    change(own, "shop.open", raises)
    [page], failures = shown(settings_of(tmp_path))
    assert "Thank you" not in page and "From the letter" in page and "The season" in page
    assert failures == {"the site's own fact shop.open raised": 1}


class WordlessError(Exception):
    """An error that can't be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def without_end(occasion: Occasion) -> object:
    return without_end(occasion)


@pytest.mark.parametrize(
    "error", [WordlessError(), StopIteration(), RecursionError(), ExceptionGroup("", [KeyError()])]
)
def test_whatever_a_fact_raises_its_rules_are_silent_and_the_page_is_decided(
    tmp_path: Path, own: OwnFacts, error: Exception
) -> None:
    def raises_it(occasion: Occasion) -> object:
        raise error

    change(own, "shop.open", raises_it)
    change(own, "shop.degrees", without_end)
    [page], failures = shown(settings_of(tmp_path))
    assert "Thank you" not in page and "From the letter" not in page and "The season" in page
    assert failures == {"the site's own fact shop.open raised": 1, "the site's own fact shop.degrees raised": 1}


class Texts(str):
    """A text that is none, once somebody looks at it."""

    def __len__(self) -> int:
        raise RuntimeError("no length")

    __str__ = __repr__ = __hash__ = __eq__ = __len__  # type: ignore[assignment]


@pytest.mark.parametrize(("shape", "asked"), [("text", "cold"), ("number", "{at_least: 20}"), ("bool", "true")])
def test_a_value_that_raises_once_it_is_looked_at_silences_no_more_than_its_own_rules(
    tmp_path: Path, own: OwnFacts, shape: str, asked: str
) -> None:
    own._declared.pop("shop.degrees")
    own.fact("shop.degrees", shape, purpose=None)(lambda occasion: Texts("warm"))
    rules = RULES.replace("to: {shop.degrees: {at_least: 20}}", f"to: {{shop.degrees: {asked}}}")
    [page], failures = shown(settings_of(tmp_path, rules))
    assert "From the letter" not in page and "The season" in page
    assert sum(failures.values()) == (shape != "text")
    assert all(what.startswith("the site's own fact shop.degrees") for what in failures)


@pytest.mark.parametrize("wrong", ["warm", [1], float("nan"), True, 10**400])
def test_a_value_of_another_type_is_missing_and_counted(tmp_path: Path, own: OwnFacts, wrong: object) -> None:
    change(own, "shop.degrees", lambda occasion: wrong)
    rules = RULES.replace("to: {shop.degrees: {at_least: 20}}", "to: {shop.degrees: {exists: false}}")
    [page], failures = shown(settings_of(tmp_path, rules))
    assert "From the letter" in page
    assert failures == {"the site's own fact shop.degrees is not of its type": 1}


def test_a_fact_is_worked_out_only_where_a_slot_depends_on_it_and_once(tmp_path: Path, own: OwnFacts) -> None:
    asked: list[str] = []
    change(own, "shop.degrees", lambda occasion: asked.append(occasion.scope["path"]))
    rules = RULES.replace("shop.open", "shop.degrees").replace("bool", "x").replace("degrees: true", "degrees: 3")
    rules = rules.replace("shop.degrees: false", "shop.degrees: 4")
    shown(settings_of(tmp_path, rules))
    assert asked == ["/"]
    asked.clear()
    shown(
        settings_of(tmp_path, rules[: rules.index("slots:")] + "slots: {season: {rules: [{id: a, show: things/tent}]}}")
    )
    assert asked == []


def test_a_fact_reads_others_as_far_as_the_visitor_agreed(tmp_path: Path, own: OwnFacts) -> None:
    seen: list[object] = []
    change(own, "shop.degrees", lambda occasion: seen.append(occasion.facts["profile.tier"]), reads=["profile.tier"])
    rule_set = rule_set_of(settings_of(tmp_path))
    assert "hero" in rule_set.pages["hero"].stored and "season" not in rule_set.pages["season"].stored
    shown(settings_of(tmp_path))
    assert seen == [None]


def test_what_a_fact_reads_and_cannot_be_answered_makes_it_unanswerable(tmp_path: Path, own: OwnFacts) -> None:
    change(own, "shop.degrees", raises)
    change(own, "shop.open", lambda occasion: False, reads=["shop.degrees"])
    [page], failures = shown(settings_of(tmp_path))
    assert "Thank you" not in page and "From the letter" not in page
    assert failures == {"the site's own fact shop.degrees raised": 1}


def test_a_persona_is_given_own_facts_and_the_arguments_for_which_a_condition_holds(
    tmp_path: Path, own: OwnFacts
) -> None:
    settings = settings_of(tmp_path)
    rule_set = rule_set_of(settings)
    context = persona_context(rule_set.personas["early"], rule_set, settings, now=NOW)
    values = {name: context[name] for name in ("shop.open", "shop.near: 5", "shop.degrees")}
    assert values == {"shop.open": False, "shop.near: 5": True, "shop.degrees": 25.5}
    assert context.profile is None


def test_away_from_a_request_a_fact_that_needs_one_is_missing(tmp_path: Path, own: OwnFacts) -> None:
    change(own, "shop.open", lambda occasion: occasion.scope["path"] == "/")
    settings = settings_of(tmp_path)
    context = visitor_context("u:1", None, rule_set_of(settings), settings, now=NOW)
    assert (context["shop.open"], context["shop.near: 5"]) == (None, False)


def test_segments_are_counted_with_own_facts(tmp_path: Path, own: OwnFacts) -> None:
    async def run() -> None:
        store, settings = MemoryStore(), settings_of(tmp_path)
        await store.open()
        counts, _ = await count_segments(store, rule_set_of(settings), settings, now=NOW)
        assert counts == {"in-season": 0}

    asyncio.run(run())


@pytest.mark.parametrize("named", ["no_such_module:own", "facts_of_a_test:other", "facts_of_a_test:__name__"])
def test_own_facts_that_cannot_be_loaded_are_said_at_the_start_and_by_check(
    tmp_path: Path, own: OwnFacts, named: str
) -> None:
    write_desk(tmp_path, rules=RULES)
    settings, problems = desk_settings(tmp_path, own_facts=named), Problems()
    assert load_own_facts(settings, problems) is None
    assert [problem.code for problem in problems.list] == ["E250"]
    with pytest.raises(SettingsError, match="E250"):
        wrap(site(), settings)
    problems = Problems()
    assert load_files(read_draft(settings, problems).files, settings, problems) is None
    assert [problem.code for problem in problems.list] == ["E250"]


@pytest.mark.parametrize(
    ("rule", "code", "says"),
    [
        ("shop.opne: true", "E211", "did you mean `shop.open`?"),
        ("shop.near: far", "E215", '`shop.near`: "far" is not a number'),
        ("shop.near: {at_least: 5}", "E215", "takes a value"),
        ("shop.open: {at_least: 5}", "E214", "does not fit `shop.open`, which is true or false"),
    ],
)
def test_a_slip_beside_an_own_fact_is_told_as_any_other(
    tmp_path: Path, own: OwnFacts, rule: str, code: str, says: str
) -> None:
    settings, problems = settings_of(tmp_path, f"{ATTRIBUTES}segments: {{a: {{who: {{{rule}}}}}}}"), Problems()
    assert load_files(read_draft(settings, problems).files, settings, problems) is None
    [problem] = problems.list
    assert problem.code == code and says in str(problem)
