"""Whoever asks gets one answer: the live page, its explanation, a preview and a simulation, whatever the rules say."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.decisions.explain import explain
from personalize.decisions.reach import ReachCount
from personalize.events.event import IMPRESSION
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.simulate import simulate
from personalize.runtime.draft import Draft, read_draft
from personalize.runtime.offline import persona_context
from personalize.runtime.page_view import page_view_of
from personalize.runtime.preview_links import LINK_LASTS, Preview, PreviewLinks
from personalize.runtime.publish import checked, publish
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from personalize.visitors.sent_headers import SentHeaders
from personalize.web.middleware import PersonalizeMiddleware
from personalize.web.request.facts import request_facts
from personalize.wrap import wrap
from tests.desk import KEY, RULES, desk_settings, write_desk, written
from tests.driver import Browser, running
from tests.trust.trials import trials

#: With the explanations that the terminal prints ten thousand in `make trust`.
EXAMPLES = trials(25, 4_000)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DECLARED = RULES[: RULES.index("segments:")]
SLOTS = {"hero": {"page": "home"}, "row": {"page": "home", "holds": 2}, "season": {}}
#: What each slot may show: slots of one page contend for the same items, and no others do.
SHOWN = {"hero": ("tent", "thanks"), "row": ("tent", "thanks", "gold"), "season": ("season",), "me": ("letter",)}
PATHS = ("/", "/tents")
PERSONAS: Mapping[str, Mapping[str, object]] = {
    "regular": {"visitor.visits": 4, "purchase.count": 2, "purchase.last": "40 days ago", "profile.tier": "gold"},
    "lapsed": {"purchase.count": 3, "purchase.last": "100 days ago", "visitor.state": "returned"},
    "reader": {"visit.source": "newsletter", "page.language": "nb"},
    "newcomer": {"visitor.visits": 1, "purchase.count": 0},
    "nobody": {"visitor.known": False},
}

LEAVES = st.sampled_from(
    [
        *({"purchase.count": {"at_least": number}} for number in (1, 2)),
        *({"purchase.last": {word: "30 days"}} for word in ("within", "older_than")),
        {"purchase.total": {"more_than": 50}},
        *({"profile.tier": tier} for tier in ("basic", "gold")),
        {"visit.source": "newsletter"},
        {"visit.pages": {"at_least": 2}},
        {"visit.landing_path": "/tents"},
        {"page.path": "/tents"},
        *({"page.language": language} for language in ("nb", "en")),
        {"page.device": "desktop"},
        *({"visitor.new": answer} for answer in (True, False)),
        *({"visitor.known": answer} for answer in (True, False)),
        {"visitor.visits": {"at_least": 2}},
        *({"visitor.state": state} for state in ("new", "active", "returned")),
        {"now.hour": {"between": [8, 18]}},
        {"did": "purchase", "where": {"category": "tents"}},
        {"did": "purchase", "times": {"at_least": 2}, "within": "60 days"},
        {"segment": "some"},
    ]
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda part: {"not": part}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
    ),
    max_leaves=5,
)
WINDOWS = st.sampled_from(
    [None, None, {"hours": "08:00-18:00"}, {"weekdays": ["sat", "sun"]}, {"from": "2026-11-01", "until": "2026-12-24"}]
)


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    """Any rules of three slots, two of them on one page."""
    slots = {}
    for slot_id, usual in SLOTS.items():
        named = [f"things/{name}" for name in SHOWN[slot_id]]
        items = st.lists(st.sampled_from(named), min_size=1, max_size=2, unique=True)
        rules = []
        for number in range(draw(st.integers(1, 3))):
            parts = {"to": draw(st.none() | CONDITIONS), "when": draw(WINDOWS)}
            given = {name: part for name, part in parts.items() if part is not None}
            rules.append({"id": f"{slot_id}-{number}", **given, "show": draw(items)})
        slots[slot_id] = {**usual, "rules": rules}
    # Without a slot that reads the profile nobody would be told apart.
    slots["me"] = {"rules": [{"id": "known", "to": {"visitor.visits": {"at_least": 1}}, "show": "things/letter"}]}
    no_segment = CONDITIONS.filter(lambda who: "segment" not in str(who))
    segments = {"some": {"who": draw(no_segment)}}
    personas = {name: {"given": dict(facts)} for name, facts in PERSONAS.items()}
    sections = {"segments": segments, "slots": slots, "personas": personas}
    return DECLARED + "".join(f"{name}: {json.dumps(section)}\n" for name, section in sections.items())


class HandMovedClock:
    """Stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


async def page(request: Request) -> Response:
    """A page with all three slots; it says what was decided on it."""
    slots = "".join(f'<div data-slot="{slot_id}">Default</div>' for slot_id in SHOWN)
    return HTMLResponse(f"<!doctype html><title>Shop</title>{slots}")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Content and templates; the rules are those of each example."""
    folder: Path = tmp_path_factory.mktemp("desk")
    write_desk(folder)
    return folder


def loaded(rules: str, own: Settings) -> tuple[Draft, RuleSet]:
    """The draft with these rules, and the rule set that it makes."""
    draft = Draft({**read_draft(own, Problems()).files, "rules/all.yaml": rules})
    return draft, checked(draft, own)


def site(own: Settings, clock: HandMovedClock, decided: list[Mapping[str, Any]]) -> PersonalizeMiddleware:
    """The site; what was decided on its pages is put into the list when they have left."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        await Starlette(routes=[Route(path, page) for path in PATHS])(scope, receive, send)

    app = wrap(told, own, store=MemoryStore(), clock=clock)
    inner = app.app

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)
        if scope["type"] == "http":
            decided.append(page_view_of(scope).decisions)

    app.app = noting
    return app


@pytest.mark.trust(tries=EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(rule_files(), st.sampled_from(sorted(PERSONAS)), st.sampled_from(PATHS), st.integers(0, 24 * 45))
def test_a_preview_shows_what_is_explained_and_simulated(
    desk: Path, rules: str, persona_id: str, path: str, hours: int
) -> None:
    own = desk_settings(desk)
    draft, rule_set = loaded(rules, own)
    moment = NOON + timedelta(hours=hours)

    async def previewed() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        decided: list[Mapping[str, Any]] = []
        app = site(own, HandMovedClock(NOON), decided)
        browser = Browser(app, headers=[("accept-language", "en")])
        async with running(app):
            await app.personalizer.store.save_rule_set(draft.version, draft.files, NOON)
            shown = Preview(draft.version, path, NOON + LINK_LASTS, persona_id, moment)
            reply = await browser.get(f"{path}?pz_preview={PreviewLinks([KEY]).sign(shown)}")
        assert reply.status == 200
        return decided[0], browser._scope("GET", path, (), "")

    found, scope = asyncio.run(previewed())
    facts = request_facts(scope["query_string"], path, SentHeaders(scope["headers"]))
    context = persona_context(rule_set.personas[persona_id], rule_set, own, now=moment, facts=facts)
    explained = {slot_id: explain(slot_id, context, rule_set, misses=False).decision for slot_id in SHOWN}
    assert found == explained
    assert ReachCount(rule_set).ask(context) == explained


@pytest.mark.long
@pytest.mark.trust
@pytest.mark.planted
def test_a_preview_by_another_clock_is_found_out(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*given: Any, now: datetime, **more: Any) -> Any:
        return persona_context(*given, now=now + timedelta(hours=9), **more)

    monkeypatch.setattr("personalize.runtime.preview.persona_context", late)
    once = settings(max_examples=400, phases=[Phase.generate], database=None, report_multiple_bugs=False)
    law = test_a_preview_shows_what_is_explained_and_simulated.hypothesis.inner_test  # type: ignore[attr-defined]
    drawn = given(rule_files(), st.sampled_from(sorted(PERSONAS)), st.sampled_from(PATHS), st.integers(0, 24 * 45))
    with pytest.raises(AssertionError):
        once(drawn(law))(desk)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.1, 1, 30, 24 * 20, 24 * 100]),
        st.sampled_from(PATHS),
        st.sampled_from(["", "?utm_source=newsletter"]),
        st.sampled_from([None, "tents", "shoes"]),
    ),
    min_size=3,
    max_size=6,
)


@pytest.mark.trust(tries=EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(rule_files(), STEPS, st.sampled_from([0.1, 1, 24 * 100]), st.sampled_from(["nb", "en"]))
def test_a_simulation_says_what_the_live_page_decided(
    desk: Path, rules: str, steps: list[tuple[float, str, str, str | None]], last_pause: float, language: str
) -> None:
    own = desk_settings(desk)
    draft, rule_set = loaded(rules, own)

    async def lived() -> None:
        clock, decided = HandMovedClock(NOON - timedelta(days=400)), []
        app = site(own, clock, decided)
        personalizer = app.personalizer
        async with running(app):
            await publish(personalizer.store, draft, own, at=clock.now(), by="a test")
            await personalizer.refresh()
            browser = Browser(app, headers=[("accept-language", language)])
            browser.cookies["pz_consent"] = "measure.personalize"
            for pause, path, query, category in steps:
                clock.moment += timedelta(hours=pause)
                await browser.get(path + query)
                await written(app)
                profile_id = f"v:{browser.cookies['pz'][:23]}"
                if category is not None:
                    # What was bought was bought before the next page, and not at the very moment of this one.
                    clock.moment += timedelta(minutes=1)
                    await personalizer.record("purchase", profile_id, {"amount": "40", "category": category})
            clock.moment += timedelta(hours=last_pause)
            await browser.get(path)
            log = await written(app)
        assert log[-1].type in (IMPRESSION, "page_view")
        found = await simulate(personalizer.store, rule_set, own, now=clock.now(), sample=None)
        assert (found.asked, found.with_page in (None, 1)) == (1, True)
        for slot_id, decision in decided[-1].items():
            slot = found.slots[slot_id]
            winner = next((rule.rule_id for rule in slot.rules if rule.wins), None)
            assert winner == decision.rule_id, slot_id

    asyncio.run(lived())
