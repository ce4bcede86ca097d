"""Nobody is remembered who has not agreed: no identifier, no row, whatever they ask for and however often."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.events.event import CONSENT, Event
from personalize.runtime.sources import Scope
from personalize.runtime.visitor import Visitor
from personalize.visitors.consent import granting
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running
from tests.trust.trials import SEED, trials

REQUESTS = trials(120, 1_000)
#: What the browser of somebody who has not agreed sends.
STATES: Mapping[str, Mapping[str, str]] = {
    "nothing said": {},
    "refused": {"pz_consent": "no"},
    "said in words of no sense": {"pz_consent": "everything.please"},
    "a signal of the browser": {},
}
PATHS = (
    *("/", "/?utm_source=newsletter", "/a/page?id=5", "/plain", "/missing", "/?pz_preview=forged"),
    *("/_personalize/you", "/_personalize/health", "/_personalize/till", "/_personalize/slots?p=/&s=hero"),
    *("/_personalize/click", "/_personalize/api/v1/openapi.json", "/_personalize/nothing"),
)
FORMS = (
    ("/_personalize/you", {"do": "download"}),
    ("/_personalize/you", {"do": "correct", "a.first_name": "Kari"}),
    ("/_personalize/you", {"do": "erase"}),
    ("/_personalize/consent", {"grant": "", "back": "/"}),
    ("/_personalize/api/v1/browser/events", {"type": "purchase"}),
)
YES = {"grant": "measure personalize", "back": "/"}


async def shop(request: Request) -> Response:
    """A page that would tell of whoever comes."""
    if request.url.path != "/plain":
        request.state.page_view.record("purchase", amount="10", category="tents")
        request.state.page_view.set(first_name="Kari")
    return HTMLResponse('<div data-slot="hero">Default</div><div data-slot="season">Default</div>')


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return dict(scope["headers"]).get(b"x-login", b"").decode() or None


def identifies(reply: Reply) -> bool:
    """Whether a cookie is set that tells this browser from others: any but a decision, or one that is deleted."""
    harmless = ("pz_consent=no;", "pz_consent=no!;")
    cookies = (cookie.lower() for cookie in reply.all("set-cookie"))
    return any("max-age=0" not in cookie and not cookie.startswith(harmless) for cookie in cookies)


async def one_request(browser: Browser, dice: random.Random) -> Reply:
    """Something that a browser, or a program that looks like one, might ask for."""
    headers = [("x-login", "kari")] if dice.random() < 0.2 else []
    headers += [("accept-language", dice.choice(("nb", "en"))), ("referer", "https://search.example/?q=tent")]
    if dice.random() < 0.2:
        path, fields = dice.choice(FORMS)
        return await browser.post(path, fields, headers=headers)
    return await browser.get(dice.choice(PATHS), headers=headers)


async def remembered(app: PersonalizeMiddleware, cookies: Mapping[str, str], signal: bool) -> list[str]:
    """What many requests in one state leave behind: cookies that identify, and rows of log and profiles."""
    dice, found = random.Random(SEED), list[str]()
    browser = Browser(app)
    for number in range(REQUESTS):
        if number % 5 == 0:
            browser = Browser(app, headers=[("sec-gpc", "1")] if signal else [])
            browser.cookies = {**cookies}
            if dice.random() < 0.3:
                browser.cookies["pz"] = dice.choice(("forged", "v" * 67, "v:u:kari"))
        reply = await one_request(browser, dice)
        assert reply.status < 500
        found += [f"{number}: {cookie}" for cookie in reply.all("set-cookie") if identifies(reply)]
    found += [f"{event.type} of {event.profile_id}" for event in await written(app) if not is_refusal(event)]
    profiles = [profile async for profile in app.personalizer.store.profiles()]
    return found + [one.profile_id for one in profiles if not (one.consent.refused and one.profile_id == "u:kari")]


def is_refusal(event: Event) -> bool:
    """Whether a login refuses: that is kept, and nothing else, so that it holds wherever they log in."""
    return (event.type, event.profile_id, event.properties.get("granted")) == (CONSENT, "u:kari", [])


async def left_behind(folder: Path, state: str) -> list[str]:
    """The same, on a site of its own."""
    write_desk(folder)
    site = Starlette(routes=[Route("/missing", Response(status_code=404)), Route("/{rest:path}", shop)])
    app = wrap(site, desk_settings(folder), login=login)
    async with running(app):
        await published(app)
        return await remembered(app, STATES[state], state == "a signal of the browser")


@pytest.mark.trust(tries=REQUESTS)
@pytest.mark.parametrize("state", STATES)
def test_of_who_has_not_agreed_nothing_is_kept_and_no_cookie_knows_them(tmp_path: Path, state: str) -> None:
    assert asyncio.run(left_behind(tmp_path, state)) == []


@pytest.mark.trust
@pytest.mark.planted
@pytest.mark.sources
@pytest.mark.parametrize("state", ["nothing said", "refused"])
def test_a_site_that_asks_nobody_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    everything = granting(["measure", "personalize"])
    monkeypatch.setattr(Visitor, "decision", property(lambda visitor: everything), raising=False)
    assert asyncio.run(left_behind(tmp_path, state))


async def after_a_withdrawal(folder: Path) -> list[str]:
    """Some agree, come by, and withdraw at a moment of chance; what is left of them, or set anew."""
    write_desk(folder)
    app = wrap(Starlette(routes=[Route("/{rest:path}", shop)]), desk_settings(folder))
    dice, found = random.Random(SEED), list[str]()
    async with running(app):
        await published(app)
        for number in range(max(2, REQUESTS // 20)):
            browser = Browser(app, address=f"10.1.{number % 200}.7")
            await browser.post("/_personalize/consent", YES)
            for _ in range(dice.randrange(4)):
                await browser.get("/")
            if dice.random() < 0.5:
                await written(app)  # else what was told is still in the queue
            withdrawn = await browser.post("/_personalize/consent", {"grant": "", "back": "/"})
            replies = [withdrawn, *[await one_request(browser, dice) for _ in range(5)]]
            found += [cookie for reply in replies for cookie in reply.all("set-cookie") if identifies(reply)]
            found += [name for name in browser.cookies if name == "pz"]
        found += [event.type for event in await written(app)]
        return found + [profile.profile_id async for profile in app.personalizer.store.profiles()]


@pytest.mark.trust(tries=REQUESTS // 20)
def test_a_withdrawal_holds_from_the_next_request_on_and_leaves_nothing(tmp_path: Path) -> None:
    assert asyncio.run(after_a_withdrawal(tmp_path)) == []


@pytest.mark.trust
@pytest.mark.planted
@pytest.mark.sources
def test_a_site_that_forgets_to_remove_what_was_withdrawn_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> int:
        """Leave it all where it is."""
        return 0

    monkeypatch.setattr("personalize.runtime.personalizer.withdraw", nothing)
    assert asyncio.run(after_a_withdrawal(tmp_path))
