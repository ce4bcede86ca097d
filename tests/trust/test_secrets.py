"""Keys and tokens stand in nothing that a site says; and they are replaced while visitors come."""

import asyncio
import logging
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.visitors.tokens import Tokens
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.api.channel import channel, purchase
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.trust.trials import trials

pytestmark = pytest.mark.trust
VISITORS = trials(25, 1_000)
OLD, NEW = (f"canary-of-a-{age}-key-that-is-long-and-no-word-4q8Z" for age in ("first", "second"))
YES = {"grant": "measure personalize", "back": "/"}


async def home(request: Request) -> Response:
    """A page, which may break."""
    if request.url.path == "/breaks":
        raise RuntimeError("the site has a bug")
    return HTMLResponse('<div data-slot="hero">Default</div>')


def site(folder: Path, *keys: str) -> PersonalizeMiddleware:
    """The site, with these keys, the newest last."""
    return wrap(Starlette(routes=[Route("/{rest:path}", home)]), desk_settings(folder, secret_keys=list(keys)))


async def ids_of(app: PersonalizeMiddleware, browsers: list[Browser]) -> list[str]:
    """Who each browser is, after it has looked at a page."""
    found = []
    for browser in browsers:
        browser.app = app
        assert (await browser.get("/")).status == 200
        found.append(browser.cookies["pz"][:23])
    return found


@pytest.mark.trust(tries=VISITORS)
def test_while_keys_are_replaced_nobody_becomes_somebody_else_and_in_the_end_old_cookies_are_strangers(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        write_desk(tmp_path)
        browsers, late = [], []
        async with running(first := site(tmp_path, OLD)):
            await published(first)
            for number in range(VISITORS):
                browser = Browser(first, address=f"10.2.{number // 250}.{number % 250}")
                await browser.post("/_personalize/consent", YES)
                browsers.append(browser)
            known = await ids_of(first, browsers)
            late = [dict(browser.cookies) for browser in browsers]
        async with running(both := site(tmp_path, OLD, NEW)):
            assert await ids_of(both, browsers) == known
        async with running(last := site(tmp_path, NEW)):
            assert await ids_of(last, browsers) == known
            for browser, cookies in zip(browsers, late, strict=True):
                browser.cookies = cookies
            assert not set(await ids_of(last, browsers)) & set(known)
            assert last.personalizer.health.failures == {}

    asyncio.run(scene())


async def said(folder: Path) -> tuple[str, list[str]]:
    """All that a site answers that is used and misused, and what nobody may find in it."""
    write_desk(folder)
    app, answers = site(folder, OLD, NEW), list[str]()
    async with running(app):
        await published(app)
        till, browser = await channel(app), Browser(app)
        await browser.post("/_personalize/consent", YES)
        pages = ("/", "/?pz_preview=x", f"/?pz_preview={OLD[:3]}")
        own = ("you", "you?download=json", "you?download=html", "health", "metrics", "nothing")
        for path in (*pages, *(f"/_personalize/{name}" for name in own)):
            answers.append((await browser.get(path)).text)
        with pytest.raises(RuntimeError):
            await browser.get("/breaks")
        for path, body in (("/events", purchase()), ("/profiles/read", {"visitor": "u:anna"}), ("/nothing", {})):
            answers.append((await till.call(path, body)).reply.text)
        answers.append(
            (await till.send("/events", b"{", headers=[("authorization", f"Bearer {till.token}")])).reply.text
        )
        answers.append((await till.call("/openapi.json", method="GET")).reply.text)
        app.personalizer.ingest._write = None  # type: ignore[assignment]  # a bug of ours, told in the log
        await browser.get("/")
        await asyncio.sleep(0.05)
        app.personalizer.ingest._queue.clear()
        assert till.token is not None
        return "\n".join(answers), [OLD, NEW, till.token, till.token[4:], browser.cookies["pz"]]


def test_no_key_token_or_cookie_stands_in_a_log_or_an_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    answers, secrets = asyncio.run(said(tmp_path))
    assert "Default" in answers and caplog.records
    assert [secret for secret in secrets if secret in answers + caplog.text] == []


@pytest.mark.planted
@pytest.mark.sources
def test_a_site_that_notes_what_it_signs_with_is_found_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Tokens.__init__

    def chatty(self: Tokens, keys: list[str], *more: str) -> None:
        logging.getLogger("personalize").debug("signing with %s", keys)
        begin(self, keys, *more)

    monkeypatch.setattr(Tokens, "__init__", chatty)
    caplog.set_level("DEBUG")
    _, secrets = asyncio.run(said(tmp_path))
    assert [secret for secret in secrets if secret in caplog.text] == [OLD, NEW]
