"""A preview link shows the page as a persona by a draft: to nobody else, kept nowhere, and in all caches' way."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from personalize.decisions.explain import explain
from personalize.decisions.explanation import Explanation
from personalize.problems import Problems
from personalize.runtime import preview as runtime_preview
from personalize.runtime.draft import Draft, read_draft
from personalize.runtime.preview import MOST_DRAFTS
from personalize.runtime.preview_links import LINK_LASTS, Preview, PreviewLinks
from personalize.wrap import wrap
from tests.desk import KEY, RULES, desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERSONAS = """
personas:
  buyer: {title: Bo <b>& Co</b>, given: {purchase.count: 3, profile.tier: gold}}
"""
#: The draft shows the letter to buyers, from Christmas on the gold.
DRAFT = (
    RULES.replace("{id: buyers, to: {segment: buyers}, show: things/thanks}", "CHRISTMAS\n      - BUYERS")
    .replace("CHRISTMAS", "{id: christmas, when: {from: 2026-12-24}, show: things/gold}")
    .replace("BUYERS", "{id: buyers, to: {segment: buyers}, show: things/letter}")
    + PERSONAS
)
SLOTS = '<section class="x" data-slot="hero"><p>Default é</p></section><ul data-slot="row"><li>one</li></ul>'
PAGE = f"<!doctype html><title>Shop</title><body>{SLOTS}<p>end</p>"
CACHED = {
    "ETag": '"abc"',
    "Cache-Control": "public, max-age=60",
    "CDN-Cache-Control": "max-age=600",
    "Referrer-Policy": "unsafe-url",
    "Content-Security-Policy": "default-src 'self'",
}


async def home(request: Request) -> Response:
    return HTMLResponse(PAGE, headers=CACHED)


async def streamed(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for part in ("<!doctype html><bo", "dy><div data-sl", 'ot="hero">Default</div>', "<p>last"):
            yield part

    return StreamingResponse(parts(), media_type="text/html")


async def told(request: Request) -> Response:
    page_view = request.state.page_view
    kept = [page_view.record("purchase", amount="100", category="tents"), page_view.set(tier="gold")]
    return JSONResponse(
        {
            "url": str(request.url),
            "kept": kept,
            "notice": page_view.notice.shown,
            "profile": page_view.identity.profile_id,
            "consent": sorted(page_view.consent.granted or ()),
            "hero": (await page_view.slot("hero")).item_ids,
        }
    )


async def moved(request: Request) -> Response:
    return RedirectResponse("/login", 303)


async def latin(request: Request) -> Response:
    page = '<!doctype html><div data-slot="row">à la carte</div>'
    return Response(page.encode("latin-1"), media_type="text/html; charset=iso-8859-1")


async def placed(request: Request) -> Response:
    return HTMLResponse('<main><p class="y">Default</p></main>')


async def squeezed(request: Request) -> Response:
    page = gzip.compress(b'<!doctype html><div data-slot="hero">D</div>')
    return Response(page, media_type="text/html", headers={"content-encoding": "gzip"})


async def posted(request: Request) -> Response:
    return JSONResponse({"query": request.url.query})


class HandMovedClock:
    """Stands still until it is moved."""

    now_at = NOON

    def now(self) -> datetime:
        return self.now_at


class Site:
    """A running site whose draft differs from what is live, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        write_desk(folder)
        self.clock = HandMovedClock()
        routes = [
            Route("/", home),
            Route("/streamed", streamed),
            Route("/told", told),
            Route("/moved", moved),
            Route("/latin", latin),
            Route("/placed", placed),
            Route("/squeezed", squeezed),
            Route("/send", posted, methods=["POST"]),
        ]
        self.app = wrap(Starlette(routes=routes), desk_settings(folder, privacy_gpc="ignore"), clock=self.clock)
        files = {**read_draft(self.personalizer.settings, Problems()).files, "rules/all.yaml": DRAFT}
        self.draft = Draft(files)

    @property
    def personalizer(self):  # type: ignore[no-untyped-def]
        return self.app.personalizer

    async def save(self, draft: Draft) -> str:
        await self.personalizer.store.save_rule_set(draft.version, draft.files, NOON)
        return draft.version

    def link(self, path: str = "/", *, keys: tuple[str, ...] = (KEY,), **changed: object) -> str:
        """The address of a preview of this path, made now."""
        usual = {
            "version": self.draft.version,
            "path": path,
            "expires_at": self.clock.now() + LINK_LASTS,
            "persona_id": "buyer",
        }
        return f"{path}?pz_preview={PreviewLinks(keys).sign(Preview(**{**usual, **changed}))}"  # type: ignore[arg-type]


def visited(folder: Path, body: Callable[[Site, Browser], Awaitable[None]]) -> None:
    """Run a test in a site that is up, with its first rules live and the draft saved."""

    async def run() -> None:
        site = Site(folder)
        async with running(site.app):
            await published(site.app)
            await site.save(site.draft)
            await body(site, Browser(site.app))

    asyncio.run(run())


def text_of(reply: Reply, selector: str) -> str:
    node = LexborHTMLParser(reply.text).css_first(selector)
    return " ".join(node.text(separator=" ").split()) if node is not None else ""


def test_the_persona_sees_the_draft_and_a_visitor_the_live_page(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get(site.link())
        assert reply.status == 200
        assert text_of(reply, "section.x") == "From the letter"
        assert text_of(reply, "ul") == "Thank you For gold Hello you."
        assert text_of(await browser.get("/"), "section.x") == "Default é"

    visited(tmp_path, body)


def test_the_moment_of_the_link_counts(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get(site.link(at=NOON + timedelta(days=33)))
        assert text_of(reply, "section.x").startswith("For gold")
        assert "2026-12-24 12:00 UTC" in text_of(reply, "summary")
        assert text_of(await browser.get(site.link(at=None)), "summary").endswith("2026-11-21 12:00 UTC")

    visited(tmp_path, body)


def test_without_a_persona_it_is_shown_to_a_stranger(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get(site.link(persona_id=None))
        assert text_of(reply, "section.x") == "Default é"
        assert text_of(reply, "summary").startswith("Preview as a stranger")
        newsletter = await browser.get(site.link(persona_id=None) + "&utm_source=newsletter")
        assert text_of(newsletter, "section.x") == "From the letter"

    visited(tmp_path, body)


def test_the_bar_says_who_when_what_and_why_and_escapes_it(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get(site.link())
        assert "Bo <b>" not in reply.text and "<script" not in reply.text
        assert text_of(reply, "summary") == "Preview as Bo <b>& Co</b> , 2026-11-21 12:00 UTC"
        bar = text_of(reply, "aside")
        assert f"By the rules {site.draft.version} ." in bar and "until 2026-11-21 13:00 UTC" in bar
        assert "hero shows things/letter , by buyers ." in bar
        assert "yes purchase.count is at least 1 (seen: 3)" in bar
        assert "Not reached, since the slot is full: letter" in bar
        page = LexborHTMLParser(reply.text)
        marked = page.css("[data-personalize-slot]")
        assert [(one.tag, one.attributes["data-personalize-slot"]) for one in marked] == [("section", "1"), ("ul", "2")]
        assert [one.text() for one in LexborHTMLParser(reply.text).css(".personalize-labels span")] == [
            "1 hero",
            "2 row",
        ]

    visited(tmp_path, body)


def test_nothing_is_kept_and_no_cookie_set(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        browser.cookies["pz_consent"] = "measure.personalize"
        figures = dict(site.personalizer.health.slots)
        for path in ("/", "/told", "/streamed"):
            reply = await browser.get(site.link(path))
            assert reply.status == 200 and reply.all("set-cookie") == []
        assert await written(site.app) == []
        assert dict(site.personalizer.health.slots) == figures
        assert [one async for one in site.personalizer.store.profiles()] == []

    visited(tmp_path, body)


def test_the_site_sees_the_persona_and_no_token(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        found = await browser.get(f"{site.link('/told')}&color=red")
        assert found.text == (
            '{"url":"http://shop.example/told?color=red","kept":[true,true],"notice":false,"profile":"p:buyer",'
            '"consent":["mail","measure","personalize"],"hero":["things/letter"]}'
        )

    visited(tmp_path, body)


@pytest.mark.parametrize("path", ["/", "/told", "/moved", "/streamed", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_cache_no_search_engine_and_no_other_site_learns_of_it(tmp_path: Path, path: str, method: str) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.request(method, site.link(path))
        assert reply.all("cache-control") == ["private, no-store"]
        assert reply.all("x-robots-tag") == ["noindex, nofollow"]
        assert reply.all("referrer-policy") == ["no-referrer"]
        assert reply.all("etag") == reply.all("cdn-cache-control") == []
        assert method == "GET" or (reply.header("content-length") is None and "<aside" not in reply.text)

    visited(tmp_path, body)


def test_a_policy_of_the_site_lets_the_bars_style_in_and_nothing_else(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        policy = (await browser.get(site.link())).header("content-security-policy") or ""
        assert policy.startswith("default-src 'self'; style-src 'self' 'sha256-")
        assert (await browser.get("/")).header("content-security-policy") == "default-src 'self'"

    visited(tmp_path, body)


def test_a_page_in_parts_and_one_in_another_encoding(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        assert text_of(await browser.get(site.link("/streamed")), "div[data-slot]") == "From the letter"
        reply = await browser.get(site.link("/latin", persona_id=None))
        assert '<div data-personalize-slot="1" data-slot="row">à la carte</div>'.encode("latin-1") in reply.body

    visited(tmp_path, body)


def test_a_page_that_the_site_compresses_whatever_it_is_asked_for(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get(site.link("/squeezed"))
        assert text_of(reply, "div[data-slot]") == "From the letter"
        assert reply.header("content-encoding") is None

    visited(tmp_path, body)


def test_what_is_no_page_leaves_as_it_came(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        moved = await browser.get(site.link("/moved"))
        assert (moved.status, moved.header("location"), moved.body) == (303, "/login", b"")
        nowhere = await browser.get(site.link("/nowhere"))
        assert (nowhere.status, nowhere.body) == (404, b"Not Found")

    visited(tmp_path, body)


# Links that show nothing -------------------------------------------------------------------------------


def test_an_expired_link_says_so_and_leads_to_the_page(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        link = site.link() + "&color=%22red"
        site.clock.now_at += LINK_LASTS - timedelta(seconds=1)
        assert (await browser.get(link)).status == 200
        site.clock.now_at += timedelta(seconds=1)
        reply = await browser.get(link)
        assert (reply.status, text_of(reply, "h1")) == (410, "This preview link has expired")
        assert LexborHTMLParser(reply.text).css_first("a").attributes["href"] == "/?color=%22red"
        assert reply.header("cache-control") == "private, no-store"
        assert reply.header("x-robots-tag") == "noindex, nofollow"

    visited(tmp_path, body)


def test_no_link_opens_another_page_or_another_sites_or_one_that_was_changed(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        token = site.link().partition("=")[2]
        cookie = site.personalizer.tokens.sign("v" + "a" * 22)
        refused = [
            f"/told?pz_preview={token}",
            site.link(keys=("another key that is long enough and not weak at all 7Q",)),
            f"/?pz_preview={token[:-1]}",
            f"/?pz_preview={token[5:]}",
            "/?pz_preview=",
            f"/?pz_preview={quote('é' * 10)}",
            f"/?pz_preview={'a' * 5_000}",
            f"/?pz_preview={cookie}",
            site.link(persona_id="nobody"),
        ]
        for link in refused:
            reply = await browser.get(link)
            assert (reply.status, text_of(reply, "h1")) == (403, "This is no preview link of this page"), link
            assert "From the letter" not in reply.text

    visited(tmp_path, body)


def test_the_page_of_a_refused_link_leads_to_no_other_site(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get('//evil.example/"><script>?pz_preview=x&a="><script>')
        (link,) = LexborHTMLParser(reply.text).css("a")
        assert link.attributes["href"] == '/evil.example/%22%3E%3Cscript%3E?a="><script>'
        assert "<script" not in reply.text

    visited(tmp_path, body)


def test_a_draft_that_is_not_there_or_does_not_load_is_told_and_counted(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        assert (await browser.get(site.link(version="0" * 16))).status == 503
        broken = Draft({**site.draft.files, "rules/all.yaml": "slots: nonsense"})
        reply = await browser.get(site.link(version=await site.save(broken)))
        assert (reply.status, text_of(reply, "h1")) == (503, "This preview can't be shown just now")
        assert site.personalizer.health.failures["a preview could not be opened"] == 2
        assert (await browser.get("/")).status == 200

    visited(tmp_path, body)


def test_only_looking_at_a_page_is_previewed(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.post(f"{site.link('/send')}&a=b", {})
        assert reply.text == '{"query":"a=b"}'
        assert reply.header("x-robots-tag") is None

    visited(tmp_path, body)


def test_a_parameter_that_only_looks_like_it_is_the_sites_own(tmp_path: Path) -> None:
    async def body(site: Site, browser: Browser) -> None:
        reply = await browser.get("/told?my_pz_preview=1")
        assert '"url":"http://shop.example/told?my_pz_preview=1"' in reply.text
        assert reply.header("x-robots-tag") is None

    visited(tmp_path, body)


# Drafts in a worker ------------------------------------------------------------------------------------


def test_a_draft_is_loaded_once_and_only_a_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    real = runtime_preview.saved_rule_set

    async def counting(store, version, settings, *, load):  # type: ignore[no-untyped-def]
        loaded.append(version)
        return await real(store, version, settings, load=load)

    monkeypatch.setattr(runtime_preview, "saved_rule_set", counting)

    async def body(site: Site, browser: Browser) -> None:
        await asyncio.gather(*(browser.get(site.link()) for _ in range(5)))
        assert loaded == [site.draft.version]
        for number in range(MOST_DRAFTS):
            draft = Draft({**site.draft.files, "rules/all.yaml": f"{DRAFT}\n# {number}"})
            assert (await browser.get(site.link(version=await site.save(draft)))).status == 200
        await browser.get(site.link())
        assert loaded.count(site.draft.version) == 2

    visited(tmp_path, body)


def test_while_a_preview_is_explained_no_page_of_a_visitor_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()

    def slow(*arguments: Any, **more: Any) -> Explanation:
        assert may_go_on.wait(30)
        return explain(*arguments, **more)

    monkeypatch.setattr(runtime_preview, "explain", slow)

    async def body(site: Site, browser: Browser) -> None:
        preview = asyncio.create_task(browser.get(site.link()))
        await asyncio.sleep(0.05)
        assert text_of(await Browser(site.app).get("/"), "section.x") == "Default é"
        assert not preview.done()
        may_go_on.set()
        assert "hero shows things/letter" in text_of(await preview, "aside")

    visited(tmp_path, body)


def test_while_a_draft_loads_no_page_of_a_visitor_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(site: Site, browser: Browser) -> None:
        may_go_on = asyncio.Event()
        real = runtime_preview.saved_rule_set

        async def slow(store, version, settings, *, load):  # type: ignore[no-untyped-def]
            await may_go_on.wait()
            return await real(store, version, settings, load=load)

        monkeypatch.setattr(runtime_preview, "saved_rule_set", slow)
        preview = asyncio.create_task(browser.get(site.link()))
        await asyncio.sleep(0)
        assert text_of(await Browser(site.app).get("/"), "section.x") == "Default é"
        assert not preview.done()
        may_go_on.set()
        assert text_of(await preview, "section.x") == "From the letter"

    visited(tmp_path, body)


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("inside", '<p data-personalize-slot="1" class="y">'),
        ("replace", '<b data-personalize-slot="1">'),
        ("before", '<b data-personalize-slot="1">'),
        ("after", '</p><b data-personalize-slot="1">'),
    ],
)
def test_a_slot_that_a_selector_finds_is_shown_and_marked(tmp_path: Path, how: str, shown: str) -> None:
    async def body(site: Site, browser: Browser) -> None:
        placed = DRAFT.replace("  hero:\n", f'  hero:\n    place: {{css: "p.y", how: {how}}}\n')
        draft = Draft({**site.draft.files, "rules/all.yaml": placed})
        await site.save(draft)
        reply = await browser.get(site.link("/placed", version=draft.version))
        assert "From the letter" in reply.text
        assert shown in reply.text

    visited(tmp_path, body)
