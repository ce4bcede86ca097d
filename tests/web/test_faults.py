"""When something of ours or around us breaks, the visitor gets the site's own page."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.content.render import Rendering
from personalize.runtime.sources import LoginSource, Scope
from personalize.visitors.consent import Consent, granting
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.stores.faulty import Fault, FaultyStore

PAGE = '<!doctype html><div data-slot="hero"><p>Default</p></div><div data-slot="season"><p>Own</p></div>'


async def home(request: Request) -> Response:
    """A page with a slot that needs the profile, and one that needs nobody."""
    return HTMLResponse(PAGE)


def site() -> Starlette:
    """The bare site."""
    return Starlette(routes=[Route("/", home)])


class Raises:
    """A login, consent and fact source of the site that fails."""

    def user_id(self, scope: Scope) -> str | None:
        """Fails."""
        raise RuntimeError("the login database is gone")

    def read(self, scope: Scope) -> Consent:
        """Fails."""
        raise RuntimeError("the consent tool is gone")

    def facts(self, scope: Scope) -> Mapping[str, object]:
        """Fails."""
        raise RuntimeError("the GeoIP file is gone")


class AlwaysYes:
    """Everybody has agreed."""

    def read(self, scope: Scope) -> Consent:
        """Everything is granted."""
        return granting(["measure", "personalize"])


async def a_known_buyer(app: PersonalizeMiddleware) -> Browser:
    """Somebody who has bought a tent and sees it."""
    browser = Browser(app)
    await browser.post("/_personalize/consent", {"grant": "measure personalize"})
    profile_id = "v:" + browser.cookies["pz"].partition(".")[0]
    await app.personalizer.record("purchase", profile_id, {"amount": 1, "category": "tents"})
    async with asyncio.timeout(5):
        # On a machine with other work a page may find no time to read who this is, and leaves as it came.
        while "<p>Default</p>" in (page := (await browser.get("/")).text):
            await asyncio.sleep(0.02)
    assert "What goes with a tent" in page
    await written(app)
    return browser


@pytest.mark.parametrize("kind", ["login", "consent", "facts"])
def test_a_source_of_the_site_that_raises_is_counted_and_the_page_served(tmp_path: Path, kind: str) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        sources = {"consent": AlwaysYes(), kind: Raises()}
        app = wrap(site(), desk_settings(tmp_path), **sources)  # type: ignore[arg-type]
        async with running(app):
            await published(app)
            reply = await Browser(app).get("/")
            assert reply.status == 200
            assert "<p>Default</p>" in reply.text and "The season" in reply.text
            what = "fact" if kind == "facts" else kind
            assert app.personalizer.health.failures[f"the {what} source failed"] == 1

    asyncio.run(run())


def test_a_fact_source_adds_to_what_a_request_tells_and_what_it_may_not_is_left_out(tmp_path: Path) -> None:
    class Norway:
        def facts(self, scope: Scope) -> Mapping[str, object]:
            return {"country": "NO", "region": 3, 5: "Oslo"}  # type: ignore[dict-item]

    async def run() -> None:
        write_desk(tmp_path, rules=RULES.replace("visit.source: newsletter", "page.country: NO"))
        app = wrap(site(), desk_settings(tmp_path), facts=Norway())
        async with running(app):
            await published(app)
            assert "From the letter" in (await Browser(app).get("/")).text
            assert set(app.personalizer.health.failures) == {f"the fact source gave a wrong {one}" for one in WRONG}

    asyncio.run(run())


WRONG = ("region", "name")


def test_a_locked_store_leaves_the_sites_own_markup_and_is_over_when_the_lock_is(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = await a_known_buyer(app)
            await app.personalizer.store.close()
            locker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
            locker.execute("PRAGMA locking_mode=EXCLUSIVE")
            locker.execute("BEGIN EXCLUSIVE")
            reply = await browser.get("/")
            assert reply.status == 200
            assert "<p>Default</p>" in reply.text and "The season" in reply.text
            assert reply.header("cache-control") == "private, no-store"
            assert app.personalizer.health.failures["the profile could not be read"] == 1
            assert app.personalizer.health.slots["hero"]["degraded"] == 1
            locker.execute("ROLLBACK")
            locker.close()
            await app.personalizer.store.open()
            assert "What goes with a tent" in (await browser.get("/")).text

    asyncio.run(run())


def stored_files(folder: Path) -> list[Path]:
    """The store and what SQLite keeps beside it."""
    return [path for path in folder.iterdir() if path.name.startswith("store.db")]


def test_a_store_that_is_gone_keeps_no_page_from_being_served(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = await a_known_buyer(app)
            aside = tmp_path / "aside"
            aside.mkdir()
            files = stored_files(tmp_path)
            for path in files:
                path.rename(aside / path.name)
            await asyncio.sleep(0.2)  # whether the file is still there is looked at ten times a second
            for _ in range(3):
                reply = await browser.get("/")
                assert reply.status == 200
                assert "<p>Default</p>" in reply.text and "The season" in reply.text
            for path in files:
                (aside / path.name).rename(path)
            assert "What goes with a tent" in (await browser.get("/")).text

    asyncio.run(run())


def test_a_store_that_cannot_be_opened_at_start_keeps_no_page_from_being_served(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        (tmp_path / "var").write_text("a file stands where the folder should be", encoding="utf-8")
        app = wrap(site(), desk_settings(tmp_path, store="sqlite:var/store.db"))
        async with running(app):
            assert (await Browser(app).get("/")).text == PAGE
            assert app.personalizer.health.failures

    asyncio.run(run())


def test_an_error_of_our_own_while_filling_keeps_the_sites_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Rendering, values: Mapping[str, object]) -> str:
        raise RuntimeError("a bug of ours")

    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            monkeypatch.setattr(Rendering, "markup", broken)
            reply = await Browser(app).get("/")
            assert (reply.status, reply.text) == (200, PAGE)
            assert app.personalizer.health.failures["a slot could not be filled"] == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "cookie",
    [
        "pz=forged",
        "pz=" + "x" * 9000,
        "pz=v0000.sig",
        "pz=\x00\xff",
        'foo={"a":1}; pz=',
        "bad,name=1; pz=..",
        "pz=a; pz=b",
        ";;;=;",
        "pz",
    ],
)
def test_a_cookie_of_no_use_makes_a_new_visitor_and_never_an_error(tmp_path: Path, cookie: str) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            headers = [("cookie", f"{cookie}; pz_consent=measure.personalize")]
            reply = await Browser(app).get("/", headers=headers)
            assert reply.status == 200
            (fresh,) = reply.all("set-cookie")
            assert fresh.startswith("pz=v")
            assert await written(app) == []

    asyncio.run(run())


def test_a_thousand_clients_that_keep_no_cookie_leave_no_trace(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            for number in range(1000):
                await Browser(app).get(f"/?n={number}", headers=[("cookie", "pz_consent=measure.personalize")])
            assert await written(app) == []
            assert [profile async for profile in app.personalizer.store.profiles()] == []

    asyncio.run(run())


class IsAnna:
    """Everybody is logged in as the same person."""

    def user_id(self, scope: Scope) -> str | None:
        """The id is an address of mail, as on many sites."""
        return "anna@example.org"


async def tells(request: Request) -> Response:
    """A page on which the site records what the schema does not know, and what it may not hold."""
    page_view = request.state.page_view
    page_view.record("newsletter", to="anna@example.org")
    page_view.record("purchase", amount="anna@example.org", category="tents")
    page_view.set(tier="anna@example.org")
    return HTMLResponse(PAGE)


@pytest.mark.parametrize("login", [Raises(), IsAnna()])
def test_nothing_that_tells_who_somebody_is_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, login: LoginSource
) -> None:
    def broken(self: Rendering, values: Mapping[str, object]) -> str:
        raise RuntimeError(f"cannot greet anna@example.org: {values}")

    async def run() -> None:
        write_desk(tmp_path)
        store = FaultyStore()
        pages = Starlette(routes=[Route("/", home), Route("/tells", tells)])
        app = wrap(pages, desk_settings(tmp_path), login=login, store=store)
        async with running(app):
            await published(app)
            browser = Browser(app, headers=[("referer", "https://mail.example/?to=anna@example.org")])
            browser.cookies = {"pz_consent": "measure.personalize", "pz": "secretcookie"}
            for fault in Fault:
                store.fault = fault
                for path in ("/?email=anna@example.org", "/tells?token=secrettoken"):
                    assert (await browser.get(path)).status == 200
            monkeypatch.setattr(Rendering, "markup", broken)
            await browser.get("/")

    caplog.set_level("DEBUG")
    asyncio.run(run())
    assert caplog.records
    for secret in ("secretcookie", "anna@example.org", "secrettoken", "login database"):
        assert secret not in caplog.text
