"""Arms: visitors who let us measure and nothing else are counted in one that many share, and known to no rule."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.events.event import CONSENT
from personalize.runtime.sources import Scope
from personalize.visitors.arms import ARMS, all_arms, arm_as_text, arm_from, arm_in, is_arm
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running

RULES = """
attributes:
  tier: {type: text, purpose: measure}
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
  signup: {properties: {plan: {type: text}, months: {type: number}}, value: months, purpose: measure}
segments:
  signed-up: {who: {signup.count: {at_least: 1}}}
  halves: {who: {percentage: 50%}}
slots:
  hero:
    rules:
      - {id: gold, to: {any: [{profile.tier: gold}, {segment: signed-up}, {visitor.known: true}]}, show: things/golden}
      - {id: half, to: {segment: halves}, show: things/thanks}
  foot:
    rules: [{id: all, show: things/season}]
"""
SITE = '<div data-slot="hero">Default</div><div data-slot="foot">Foot</div>'
ITEMS = {"golden": "Gold", "thanks": "Half", "season": "Season"}
HOOK = {"crm": {"url": "https://crm.example/hook", "segments": ["signed-up"], "secret_file": "crm.secret"}}
Scene = Callable[[PersonalizeMiddleware], Awaitable[None]]


def play(folder: Path, scene: Scene, **settings: object) -> None:
    """Let a scene happen on a site where pages record what the address says."""

    async def page(request: Request) -> Response:
        if "plan" in request.query_params:
            view = request.state.page_view
            view.record("signup", plan=request.query_params["plan"], months=12)
            view.record("purchase", amount=5)
            view.set(tier="gold")
        return HTMLResponse(SITE)

    def login(scope: Scope) -> str | None:
        return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)

    async def whole() -> None:
        write_desk(folder, rules=RULES, items=ITEMS)
        app = wrap(Starlette(routes=[Route("/", page)]), desk_settings(folder, **settings), login=login)
        async with running(app):
            await published(app)
            await scene(app)

    asyncio.run(whole())


async def measured(app: PersonalizeMiddleware, *, arm: str | None = None) -> Browser:
    """A browser whose visitor lets us measure and nothing else; in this arm, if one is named."""
    browser = Browser(app)
    await browser.post("/_personalize/consent", {"grant": "measure"})
    if arm is not None:
        browser.cookies["pz_arm"] = arm
    return browser


def test_a_browser_draws_an_arm_once_keeps_it_for_thirteen_months_and_is_counted_when_it_comes_back(
    tmp_path: Path,
) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser = await measured(app)
        reply = await browser.get("/")
        (cookie,) = (each for each in reply.all("set-cookie") if "consent" not in each)
        assert cookie.startswith("pz_arm=") and "Max-Age=34128000" in cookie and "HttpOnly" in cookie
        assert await written(app) == []
        assert (await browser.get("/")).all("set-cookie") == []
        (event,) = await written(app)
        assert (event.type, event.profile_id) == ("impression", f"a:{browser.cookies['pz_arm']}")
        assert sorted(browser.cookies) == ["pz_arm", "pz_consent"]

    play(tmp_path, scene)


def test_nothing_else_is_kept_and_no_rule_knows_anything_of_it(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser = await measured(app, arm="7")
        await browser.get("/?plan=secret")
        told = [(event.type, event.profile_id, dict(event.properties)) for event in await written(app)]
        assert [type_ for type_, _, _ in told] == ["impression", "signup"]
        assert told[1] == ("signup", "a:7", {"months": 12})
        store = app.personalizer.store
        assert [profile async for profile in store.profiles()] == []
        assert await store.profile("a:7") is None
        assert "Gold" not in (await browser.get("/")).text
        await written(app)
        await store.rebuild(app.personalizer.projectors)
        assert await store.profile("a:7") is None

    play(tmp_path, scene, webhooks_endpoints=HOOK)


def test_splits_go_by_the_arm_and_by_nothing_else(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        in_half = {}
        for arm in map(str, range(0, 200, 5)):
            pages = {
                ("Half" in (await (await measured(app, arm=arm)).get("/", headers=headers)).text)
                for headers in ([], [("x-login", "anna")])
            }
            (in_half[arm],) = pages
        assert 8 < sum(in_half.values()) < 32

    play(tmp_path, scene)


def test_whoever_says_more_later_or_refuses_loses_the_arm(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        for grant, kept in (("measure personalize", {"pz", "pz_consent"}), ("", {"pz_consent"})):
            browser = await measured(app, arm="7")
            await browser.post("/_personalize/consent", {"grant": grant})
            assert set(browser.cookies) == kept

    play(tmp_path, scene)


def test_a_sites_own_tool_that_says_less_later_has_the_arm_forgotten_by_the_next_page(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser = await measured(app, arm="7")
        browser.cookies["pz_consent"] = "no"
        await browser.get("/")
        assert set(browser.cookies) == {"pz_consent"} and await written(app) == []

    play(tmp_path, scene)


@pytest.mark.parametrize("hooks", [{}, HOOK], ids=["alone", "with webhooks"])
def test_whoever_goes_back_to_measuring_is_erased_and_draws_an_arm_anew(
    tmp_path: Path, hooks: dict[str, object]
) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", {"grant": "measure personalize"})
        for _ in range(2):
            await browser.get("/")
        assert "impression" in {event.type for event in await written(app)}
        await browser.post("/_personalize/consent", {"grant": "measure"})
        assert await written(app) == [] and "pz" not in browser.cookies
        await browser.get("/")
        assert set(browser.cookies) == {"pz_arm", "pz_consent"}

    play(tmp_path, scene, webhooks_endpoints=hooks)


@pytest.mark.parametrize("hooks", [{}, HOOK], ids=["alone", "with webhooks"])
def test_a_login_that_only_lets_us_measure_keeps_the_decision_alone(tmp_path: Path, hooks: dict[str, object]) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser, anna = Browser(app), [("x-login", "anna")]
        await browser.post("/_personalize/consent", {"grant": "measure personalize"}, headers=anna)
        await browser.get("/?plan=large", headers=anna)
        assert {"impression", "signup", "set"} <= {event.type for event in await written(app)}
        await browser.post("/_personalize/consent", {"grant": "measure"}, headers=anna)
        assert {event.type for event in await written(app)} == {CONSENT}
        stored = await app.personalizer.store.profile("u:anna")
        assert stored is not None and stored.consent.only_measures and not (stored.attributes or stored.totals)
        elsewhere = Browser(app)  # where they had agreed to more: of the two decisions the stricter holds
        await elsewhere.post("/_personalize/consent", {"grant": "measure personalize"})
        await elsewhere.get("/", headers=anna)
        assert {event.type for event in await written(app) if event.profile_id == "u:anna"} == {CONSENT}

    play(tmp_path, scene, webhooks_endpoints=hooks)


def test_a_login_that_has_refused_is_not_even_measured(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        personalizer, browser = app.personalizer, await measured(app, arm="7")
        browser.cookies["pz_consent"] = "measure"
        await personalizer.ingest.record([personalizer.event(CONSENT, "u:anna", {"granted": []})])
        await browser.get("/", headers=[("x-login", "anna")])
        assert {event.type for event in await written(app)} == {CONSENT}
        await browser.get("/")
        assert {event.profile_id for event in await written(app)} == {"u:anna", "a:7"}

    play(tmp_path, scene)


def test_an_arm_is_one_of_a_thousand_and_survives_being_written() -> None:
    assert len(set(all_arms())) == ARMS == 1_000
    for arm in all_arms():
        assert is_arm(arm) and arm_in([arm_as_text(arm)]) == arm
    assert {arm_from(number.to_bytes(16)) for number in range(ARMS)} == set(all_arms())
    assert not is_arm("v:a:1")


@pytest.mark.parametrize("values", [[], [""], ["1000"], ["01"], ["-1"], ["1 "], ["٣"], ["v0"], ["1", "2"]])
def test_what_is_no_arm_or_two_is_none(values: list[str]) -> None:
    assert arm_in(values) is None


def test_the_same_cookie_twice_is_one_arm() -> None:
    assert arm_in(["7", "7"]) == "a:7"
