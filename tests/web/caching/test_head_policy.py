"""Pages that depend on the visitor are the visitor's alone, whatever the site tells caches, whatever their address."""

from collections.abc import Callable
from pathlib import Path

import pytest

from personalize.web.middleware import PersonalizeMiddleware
from tests.desk import RULES, written
from tests.driver import Browser
from tests.web.cached_site import HEADERS, Body, consenting, in_seconds, run
from tests.web.shared_cache import SharedCache

LETTER = "/?utm_source=newsletter"
PERMISSIVE = {
    "cache-control": "public, s-maxage=600, stale-while-revalidate=600",
    "expires": "Sun, 22 Nov 2026 12:00:00 GMT",
    "surrogate-control": "max-age=3600",
    "cdn-cache-control": "max-age=600",
    "cloudflare-cdn-cache-control": "max-age=600",
    "x-accel-expires": "600",
    "edge-control": "max-age=600",
    "pragma": "cache",
    "last-modified": "Sun, 22 Nov 2020 12:00:00 GMT",
    "etag": '"site"',
}


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against the site with the usual rules."""

    def started(body: Body, rules: str = RULES, **more: object) -> None:
        run(tmp_path, body, rules, **more)  # type: ignore[arg-type]

    return started


def test_whatever_the_site_tells_caches_a_personal_page_is_kept_by_none(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update(PERMISSIVE)
        reply = await Browser(app).get("/")
        assert reply.header("cache-control") == "private, no-store"
        assert [name for name in PERMISSIVE if name != "cache-control" and reply.header(name)] == []

    with_site(body)


def test_what_the_site_says_of_variants_stays_as_it_is(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS["vary"] = "Accept-Language, Cookie"
        assert (await Browser(app).get("/")).all("vary") == ["Accept-Language, Cookie"]

    with_site(body)


def test_a_cookie_goes_out_with_no_asset_redirect_or_public_page(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        del browser.cookies["pz"]
        for path in ("/assets/x.css", "/assets/x.svg", "/assets/x.json", "/moved", "/plain"):
            reply = await browser.get(path)
            assert reply.all("set-cookie") == []
            assert "no-store" not in (reply.header("cache-control") or "")
        assert "pz" in (await browser.get("/")).all("set-cookie")[0]

    with_site(body)


def test_a_page_under_the_name_of_a_file_is_private_and_brings_no_cookie(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update(PERMISSIVE)
        browser = await consenting(app)
        del browser.cookies["pz"]
        for path in ("/account/x.css", "/account;x.css", "/account/%2e%2e/x.JS", "/account/a.b.png"):
            reply = await browser.get(path)
            assert reply.header("cache-control") == "private, no-store"
            assert reply.all("set-cookie") == []
        assert (await browser.get("/account/x")).all("set-cookie") != []

    with_site(body)


def test_a_cache_inside_that_looks_at_cookies_renders_once_for_all_of_ours(with_site: Callable[..., None]) -> None:
    inside: list[SharedCache] = []

    def cached(bare: object) -> SharedCache:
        inside.append(SharedCache(bare, now=lambda: 0.0))  # type: ignore[arg-type]
        return inside[0]

    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update({"vary": "Cookie", "cache-control": "max-age=600"})
        pages = {(await (await consenting(app)).get("/")).text for _ in range(10)}
        assert inside[0].outcomes == {"miss": 1, "hit": 9}
        assert pages == {next(iter(pages))}
        with_own = Browser(app)
        with_own.cookies["basket"] = "full"
        await with_own.get("/")
        assert inside[0].outcomes["miss"] == 2

    with_site(body, around=cached)


def test_a_service_workers_script_and_what_it_preloads_are_as_they_were(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        worker = [("service-worker", "script"), ("sec-fetch-dest", "serviceworker"), ("accept", "*/*")]
        bare, wrapped = [await Browser(one).get("/assets/sw.js", headers=worker) for one in (app.app, app)]
        assert bare.messages == wrapped.messages
        preloaded = await Browser(app).get("/", headers=[("service-worker-navigation-preload", "true")])
        assert preloaded.text == (await Browser(app).get("/")).text
        assert preloaded.header("vary") is None

    with_site(body)


# --- who asks each time


def test_a_page_that_has_not_changed_is_not_sent_again_and_still_counted(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update(PERMISSIVE)
        browser = await consenting(app)
        first = await browser.get(LETTER)
        tag = first.header("etag")
        assert tag is not None and tag.startswith('W/"')
        assert first.header("cache-control") == "private, no-cache"
        assert first.header("last-modified") is None
        again = await browser.get(LETTER, headers=[("if-none-match", f'"x", {tag}')])
        assert (again.status, again.body, again.header("content-length")) == (304, b"", None)
        assert again.header("etag") == tag
        assert again.header("cache-control") == "private, no-cache"
        kinds = [event.type for event in await written(app)]
        assert kinds.count("page_view") == kinds.count("impression") == 2
        assert (await Browser(app).get("/", headers=[("if-none-match", "*")])).status == 304

    with_site(body, cache_revalidate=True)


def test_what_somebody_else_has_or_another_time_is_no_match(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        letter = await Browser(app).get(LETTER)
        asked = [("if-none-match", str(letter.header("etag")))]
        stranger = await Browser(app).get("/", headers=asked)
        assert stranger.status == 200
        assert stranger.header("etag") != letter.header("etag")
        assert (await Browser(app).get(LETTER, headers=asked)).status == 304
        assert (await Browser(app).request("POST", LETTER, headers=asked)).status == 200

    with_site(body, cache_revalidate=True)


def test_who_logs_in_is_told_so_by_a_cookie_even_where_the_page_stays_the_same(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        tag, before = str((await browser.get("/")).header("etag")), browser.cookies["pz"]
        reply = await browser.get("/", headers=[("if-none-match", tag), ("x-login", "anna")])
        assert reply.status == 304
        assert browser.cookies["pz"] != before

    with_site(body, cache_revalidate=True)


def test_a_page_in_parts_and_a_head_have_no_validator(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update(PERMISSIVE)
        for _ in range(2):
            streamed = await Browser(app).get("/parts")
        assert (streamed.header("etag"), streamed.header("cache-control")) == (None, "private, no-cache")
        head = await Browser(app).request("HEAD", "/")
        assert (head.header("etag"), head.header("cache-control")) == (None, "private, no-cache")
        assert head.all("set-cookie") == []

    with_site(body, cache_revalidate=True)


def test_by_default_a_page_has_no_validator(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update(PERMISSIVE)
        assert (await Browser(app).get("/", headers=[("if-none-match", "*")])).header("etag") is None

    with_site(body)


# --- who is looking changes


def test_at_login_and_logout_browsers_forget_what_they_fetched_in_advance(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        both = '"prefetchCache", "prerenderCache"'
        browser = await consenting(app)
        assert (await browser.get("/")).header("clear-site-data") is None
        signed_in = await browser.post("/login?as=anna", {})
        assert (signed_in.status, signed_in.header("clear-site-data")) == (303, both)
        anna = [("x-login", "anna")]
        assert (await browser.get("/assets/x.css", headers=anna)).header("clear-site-data") is None
        assert (await browser.get("/", headers=anna)).header("clear-site-data") == both
        assert (await browser.get("/", headers=anna)).header("clear-site-data") is None
        assert (await browser.post("/login", {}, headers=anna)).header("clear-site-data") == both
        assert (await browser.get("/")).header("clear-site-data") == both
        assert (await browser.get("/")).header("clear-site-data") is None

    with_site(body, cache_clear_site_data=True)


def test_unless_it_is_asked_for_nothing_is_forgotten(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        assert (await browser.post("/login?as=anna", {})).header("clear-site-data") is None
        assert (await browser.get("/", headers=[("x-login", "anna")])).header("clear-site-data") is None

    with_site(body)


def test_a_personal_page_is_not_made_in_advance_where_that_is_refused(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        in_advance = [("sec-purpose", "prefetch;prerender")]
        await Browser(app).get("/")
        refused = await Browser(app).get("/", headers=in_advance)
        assert (refused.status, refused.body, refused.header("cache-control")) == (503, b"", "no-store")
        assert (await Browser(app).get("/plain", headers=in_advance)).status == 200
        assert (await Browser(app).get("/")).status == 200

    with_site(body, cache_refuse_prefetch=True)


# --- what is the same for everybody, until the clock changes it

SEASON = """
attributes: {{first_name: {{type: text}}}}
slots:
  season:
    rules:
      - {{id: now, when: {{{when}}}, show: things/season}}
"""


@pytest.mark.parametrize(("when", "text"), [("until: {soon}", "<b>The season</b>"), ("from: {soon}", "Default")])
def test_no_cache_keeps_a_page_for_longer_than_its_slots_stay(
    with_site: Callable[..., None], when: str, text: str
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS["cache-control"] = "public, max-age=600, s-maxage=20"
        reply = await Browser(app).get("/")
        assert text in reply.text
        assert reply.header("cache-control") == "public, max-age=30, s-maxage=20"

    with_site(body, SEASON.format(when=when.format(soon=in_seconds(30))))


def test_a_page_in_parts_is_kept_no_longer_than_any_slot_stays(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS["cache-control"] = "public, max-age=600"
        first = await Browser(app).get("/parts")
        assert first.header("cache-control") == "public, max-age=600"
        assert "<b>The season</b>" not in first.text
        second = await Browser(app).get("/parts")
        assert second.header("cache-control") == "private, no-store"
        assert "<b>The season</b>" in second.text

    with_site(body, SEASON.format(when=f"until: {in_seconds(30)}"))


def test_what_never_changes_by_the_clock_is_kept_as_the_site_says(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS["cache-control"] = "public, max-age=600"
        for path in ("/", "/parts"):
            reply = await Browser(app).get(path)
            assert reply.header("cache-control") == "public, max-age=600"
            assert "<b>The season</b>" in reply.text

    with_site(body, SEASON.format(when="").replace("when: {}, ", ""))
