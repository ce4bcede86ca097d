"""Public pages on their way to caches: what stands in their slots, and what their heads say."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from personalize.runtime.sources import Scope
from personalize.web.fragments.fragment_script import FILE_NAME
from personalize.web.middleware import PersonalizeMiddleware
from tests.driver import Browser
from tests.web.fragment_house import PUBLIC, composed, in_fragments, includes_of

PAGE = (
    "<!doctype html><title>Shop</title>"
    '<div data-slot="hero"><p>Default</p></div><!-- slot:row --><b>Row</b><!-- /slot:row -->'
    '<i data-slot="season">Any season</i><p>the end</p>'
)
LETTER = "?utm_source=newsletter"
SCRIPT = f'<script defer src="/_personalize/{FILE_NAME}"></script>'
EDGES = pytest.mark.parametrize("way", ["esi", "ssi"])
WAYS = pytest.mark.parametrize("way", ["script", "esi", "ssi"])
environment = Environment(autoescape=True)


def page_of(body: str, status: int = 200, **headers: str) -> Any:
    """A page of the site that is always this one."""

    async def page(request: Request) -> Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return HTMLResponse(body, status, headers=PUBLIC | sent)

    return page


@EDGES
def test_an_edge_finds_its_includes_in_slots_and_every_other_byte_as_it_was(tmp_path: Path, way: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        page = await browser.get("/")
        assert len(includes_of(page)) == 3
        assert await composed(browser, page) == PAGE.replace("Any season", "<b>The season</b>")

    in_fragments(tmp_path, way, {"/": page_of(PAGE)}, body)


def test_the_script_finds_slots_between_comments_and_is_fetched_once(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/")
        assert page.text == PAGE.replace("<p>Default</p>", f"<!--pz hero--><p>Default</p><!--/pz-->{SCRIPT}").replace(
            "<b>Row</b>", "<!--pz row--><b>Row</b><!--/pz-->"
        ).replace("Any season", "<!--pz season-->Any season<!--/pz-->")

    in_fragments(tmp_path, "script", {"/": page_of(PAGE)}, body)


@WAYS
def test_a_page_is_the_same_for_everybody_and_says_so(tmp_path: Path, way: str) -> None:
    def login(scope: Scope) -> str | None:
        return "anna" if (b"x-login", b"anna") in scope["headers"] else None

    async def body(app: PersonalizeMiddleware) -> None:
        pages = [
            await Browser(app).get("/"),
            await Browser(app, headers=[("x-login", "anna")]).get("/"),
            await Browser(app, headers=[("cookie", "pz_consent=measure.personalize")]).get("/" + LETTER),
            await Browser(app, headers=[("user-agent", "curl/8")]).get("/"),
        ]
        for page in pages:
            assert page.body == pages[0].body
            assert page.header("cache-control") == "public, max-age=600"
            assert page.header("content-length") == str(len(page.body))
            assert page.all("set-cookie") == ["theirs=1"]
            assert page.header("vary") == "accept-encoding"

    site = {"/": page_of(PAGE, set_cookie="theirs=1", vary="accept-encoding")}
    in_fragments(tmp_path, way, site, body, login=login)


@WAYS
def test_what_has_no_slot_leaves_as_it_came(tmp_path: Path, way: str) -> None:
    plain = "<!doctype html><p>no slot</p>"

    async def text(request: Request) -> Response:
        return PlainTextResponse('<div data-slot="hero">D</div>', headers={"etag": '"t"'})

    async def parts(request: Request) -> Response:
        return StreamingResponse(iter(["<p>a", "</p>", "b"]), media_type="text/html", headers=PUBLIC | {"etag": '"s"'})

    async def body(app: PersonalizeMiddleware) -> None:
        for path in ("/", "/text", "/parts", "/gone"):
            for method in ("GET", "HEAD"):
                bare = await Browser(app.app).request(method, path)
                wrapped = await Browser(app).request(method, path)
                assert (wrapped.status, wrapped.headers, wrapped.body) == (bare.status, bare.headers, bare.body)

    in_fragments(tmp_path, way, {"/": page_of(plain, etag='"a"'), "/text": text, "/parts": parts}, body)


@pytest.mark.parametrize("kept", ["private", "no-store", "no-cache", "private, max-age=600"])
@WAYS
def test_a_page_that_no_shared_cache_may_keep_is_filled_in_place(tmp_path: Path, way: str, kept: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/" + LETTER)
        assert '<div data-slot="hero"><b>From the letter</b></div>' in page.text
        assert page.header("cache-control") == "private, no-store"
        assert "pz" not in page.text.replace("data-", "")

    in_fragments(tmp_path, way, {"/": page_of(PAGE, cache_control=kept)}, body)


@WAYS
def test_a_page_that_asked_who_is_looking_is_filled_in_place(tmp_path: Path, way: str) -> None:
    async def who(request: Request) -> Response:
        return HTMLResponse(f"{PAGE}{request.state.page_view.identity.profile_id}", headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/" + LETTER)
        assert "<b>From the letter</b>" in page.text
        assert page.header("cache-control") == "private, no-store"

    in_fragments(tmp_path, way, {"/": who}, body)


@WAYS
def test_a_cache_can_ask_whether_its_copy_is_still_good_and_an_old_copy_is_not(tmp_path: Path, way: str) -> None:
    asked: list[str | None] = []

    async def page(request: Request) -> Response:
        asked.append(request.headers.get("if-none-match"))
        if '"v1"' in (asked[-1] or ""):
            return Response(status_code=304, headers=PUBLIC | {"etag": '"v1"'})
        return HTMLResponse(PAGE, headers=PUBLIC | {"etag": '"v1"', "last-modified": "Mon, 02 Mar 2026 10:00:00 GMT"})

    async def body(app: PersonalizeMiddleware) -> None:
        first = await Browser(app).get("/")
        etag = first.header("etag")
        assert etag is not None and etag.startswith('W/"v1.pz-')
        assert first.header("last-modified") is None
        again = await Browser(app, headers=[("if-none-match", f'"other", {etag}')]).get("/")
        assert (again.status, again.header("etag"), again.body) == (304, etag, b"")
        assert asked[-1] == '"v1", W/"v1"'
        for copy in ('"v1"', 'W/"v1.pz-0123456789"'):
            assert (await Browser(app, headers=[("if-none-match", copy)]).get("/")).status == 200
            assert asked[-1] is None
        dated = [("if-modified-since", "Mon, 02 Mar 2026 10:00:00 GMT"), ("range", "bytes=0-9")]
        assert (await Browser(app, headers=dated).get("/")).body == first.body

    in_fragments(tmp_path, way, {"/": page}, body)


@WAYS
def test_a_copy_from_before_is_replaced_by_whatever_worker_it_meets(tmp_path: Path, way: str) -> None:
    def site(body: str) -> Any:
        async def page(request: Request) -> Response:
            if request.headers.get("if-none-match"):
                return Response(status_code=304, headers=PUBLIC | {"etag": '"v1"'})
            return HTMLResponse(body, headers=PUBLIC | {"etag": '"v1"'})

        return page

    async def body(app: PersonalizeMiddleware) -> None:
        has_copy = Browser(app, headers=[("if-none-match", '"v1"')])
        page = await has_copy.get("/")
        assert (page.status, page.body) == (200, (await Browser(app).get("/")).body)
        plain = await has_copy.get("/plain")
        assert (plain.status, plain.header("etag")) == (304, '"v1"')

    in_fragments(tmp_path, way, {"/": site(PAGE), "/plain": site("<p>no slot</p>")}, body)


@WAYS
def test_a_page_that_breaks_off_is_cut_off_where_it_was(tmp_path: Path, way: str) -> None:
    async def broken(request: Request) -> Response:
        async def parts() -> AsyncIterator[str]:
            yield PAGE
            yield "<p>more</p>"
            raise RuntimeError("the site broke")

        return StreamingResponse(parts(), media_type="text/html", headers=PUBLIC | {"content-length": "5000"})

    async def body(app: PersonalizeMiddleware) -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        with pytest.raises(RuntimeError, match="the site broke"):
            await app(Browser(app)._scope("GET", "/", (), ""), receive, send)
        assert [message["type"] for message in sent][:2] == ["http.response.start", "http.response.body"]
        assert sent[-1]["more_body"]
        assert b"<p>more</p>" in b"".join(message.get("body", b"") for message in sent)

    in_fragments(tmp_path, way, {"/": broken}, body)


@WAYS
def test_a_page_that_the_site_compresses_all_the_same_is_written(tmp_path: Path, way: str) -> None:
    async def compressed(request: Request) -> Response:
        return Response(gzip.compress(PAGE.encode()), media_type="text/html", headers={"content-encoding": "gzip"})

    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/")
        assert page.header("content-encoding") is None
        assert (
            page.text.replace("p=/&", "p=/plain&").replace('p=/"', 'p=/plain"')
            == (await Browser(app).get("/plain")).text
        )

    in_fragments(tmp_path, way, {"/": compressed, "/plain": page_of(PAGE)}, body)


@WAYS
def test_a_slot_before_the_page_says_its_encoding_stays(tmp_path: Path, way: str) -> None:
    page = '<!doctype html><div data-slot="hero">D</div><meta charset="utf-8"><i data-slot="season">S</i>'

    async def home(request: Request) -> Response:
        return Response(page, media_type=None, headers=PUBLIC | {"content-type": "text/html"})

    async def body(app: PersonalizeMiddleware) -> None:
        written = (await Browser(app).get("/")).text
        assert written.startswith('<!doctype html><div data-slot="hero">D</div><meta charset="utf-8">')
        assert '<i data-slot="season">S</i>' not in written

    in_fragments(tmp_path, way, {"/": home}, body)


def test_a_restarted_worker_knows_its_copies_by_their_etag(tmp_path: Path) -> None:
    async def page(request: Request) -> Response:
        if request.headers.get("if-none-match"):
            return Response(status_code=304, headers=PUBLIC | {"etag": '"v1"'})
        return HTMLResponse(PAGE, headers=PUBLIC | {"etag": '"v1"'})

    etags: list[str] = []

    async def before(app: PersonalizeMiddleware) -> None:
        etags.append((await Browser(app).get("/")).header("etag") or "")

    async def after(app: PersonalizeMiddleware) -> None:
        again = await Browser(app, headers=[("if-none-match", etags[0])]).get("/")
        assert (again.status, again.header("etag")) == (304, etags[0])

    in_fragments(tmp_path, "esi", {"/": page}, before)
    in_fragments(tmp_path, "esi", {"/": page}, after)


def test_an_edge_is_told_of_esi_beside_what_the_site_told_it(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/")).all("surrogate-control") == ['content="ESI/1.0"']
        assert (await Browser(app).get("/own")).all("surrogate-control") == ['max-age=60, content="ESI/1.0"']
        assert (await Browser(app).get("/none")).all("surrogate-control") == []

    site = {"/": page_of(PAGE), "/own": page_of(PAGE, surrogate_control="max-age=60"), "/none": page_of("<p>no slot")}
    in_fragments(tmp_path, "esi", site, body)


@WAYS
def test_the_head_of_a_page_with_slots_promises_nothing_of_the_sites_bytes(tmp_path: Path, way: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        first = await Browser(app).request("HEAD", "/")
        page = await Browser(app).get("/")
        for head in (first, await Browser(app).request("HEAD", "/")):
            assert head.header("content-length") is None
            assert head.header("etag") == page.header("etag")
            assert head.header("cache-control") == "public, max-age=600"

    in_fragments(tmp_path, way, {"/": page_of(PAGE, etag='"v1"')}, body)


@WAYS
@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_a_page_in_parts_is_written_like_a_whole_one(tmp_path: Path, way: str, size: int) -> None:
    long = PAGE.replace("<title>", "<p>x</p>" * 200 + "<title>")

    async def parts(request: Request) -> Response:
        data = long.encode()
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        told = {"content-length": str(len(data))} if "told" in request.query_params else {}
        return StreamingResponse(iter(chunks), media_type="text/html", headers=PUBLIC | told)

    async def body(app: PersonalizeMiddleware) -> None:
        whole = await Browser(app).get("/whole")
        await Browser(app).get("/")  # with ESI, the head has to be known to have slots
        streamed = await Browser(app).get("/")
        assert streamed.text.replace('p=/"', 'p=/whole"').replace("p=/&", "p=/whole&") == whole.text
        assert streamed.header("content-length") is None
        promised = await Browser(app).get("/?told")
        assert promised.body == streamed.body
        assert promised.header("content-length") in (None, str(len(promised.body)))

    in_fragments(tmp_path, way, {"/": parts, "/whole": page_of(long)}, body)


def test_a_slot_that_is_asked_for_in_code_makes_the_page_private_only_before_its_head_left(tmp_path: Path) -> None:
    async def page(request: Request) -> Response:
        decision = await request.state.page_view.slot("hero")
        return HTMLResponse(f"{decision.item_ids}", headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/" + LETTER)
        assert page.text == "('things/letter',)"
        assert page.header("cache-control") == "private, no-store"

    in_fragments(tmp_path, "script", {"/": page}, body)


@EDGES
def test_slots_whose_own_markup_an_edge_would_misread_stay_as_they_are(tmp_path: Path, way: str) -> None:
    for own in ("<esi:include src='/x'/>", "a</ESI:remove>b", "<!--#include virtual='/x' -->", "<![CDATA[ x>"):
        kept = f'<div data-slot="hero">{own}</div><i data-slot="season">S</i>'

        async def body(app: PersonalizeMiddleware, own: str = own) -> None:
            page = await Browser(app).get("/")
            if ("#" in own) == (way == "ssi"):
                assert f'<div data-slot="hero">{own}</div>' in page.text
                assert len(includes_of(page)) == 1

        in_fragments(tmp_path, way, {"/": page_of(kept)}, body)


def test_a_default_too_long_for_an_address_stays(tmp_path: Path) -> None:
    words = " ".join(str(number * 7919) for number in range(4_000))

    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/")
        assert f'<div data-slot="hero">{words}</div>' in page.text
        assert len(includes_of(page)) == 1

    in_fragments(
        tmp_path, "esi", {"/": page_of(f'<div data-slot="hero">{words}</div><i data-slot="season">S</i>')}, body
    )


def test_ten_thousand_slots_are_bounded(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/")
        assert len(includes_of(page)) == 200
        assert max(map(len, includes_of(page))) < 1_000

    in_fragments(tmp_path, "esi", {"/": page_of('<i data-slot="season">S</i>' * 10_000)}, body)


def test_comments_stand_only_where_a_browser_reads_them_as_such(tmp_path: Path) -> None:
    source = (
        "<!doctype html><title>{% slot 'hero' %}T{% endslot %}</title><a title=\"{% slot 'hero' %}A{% endslot %}\">"
        "<script>let s = \"{% slot 'hero' %}J{% endslot %}\"</script>"
        "<textarea>{% slot 'hero' %}X{% endslot %}</textarea>"
        "<p>{% slot 'hero' %}P{% endslot %}</p>"
    )

    async def tagged(request: Request) -> Response:
        return HTMLResponse(environment.from_string(source).render(), headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        app.teach(environment)
        page = await Browser(app).get("/")
        assert page.text == (
            '<!doctype html><title>T</title><a title="A"><script>let s = "J"</script><textarea>X</textarea>'
            f"<p><!--pz hero-->P<!--/pz-->{SCRIPT}</p>"
        )

    in_fragments(tmp_path, "script", {"/": tagged}, body)


@WAYS
def test_the_marks_of_a_slot_tag_that_no_rule_knows_leave_no_page_however_it_comes(tmp_path: Path, way: str) -> None:
    async def tagged(request: Request) -> Response:
        page = environment.from_string("<!doctype html><p>{% slot 'new' %}P{% endslot %}</p>").render()
        return StreamingResponse(iter((page[:30], page[30:])), media_type="text/html", headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        app.teach(environment)
        for _ in range(2):
            assert (await Browser(app).get("/")).text == "<!doctype html><p>P</p>"

    in_fragments(tmp_path, way, {"/": tagged}, body)


def test_where_a_policy_keeps_our_script_out_the_marks_of_the_slot_tag_leave_with_it(tmp_path: Path) -> None:
    async def tagged(request: Request) -> Response:
        page = environment.from_string("<!doctype html><p>{% slot 'hero' %}P{% endslot %}</p>").render()
        return HTMLResponse(page, headers=PUBLIC | {"content-security-policy": "script-src 'none'"})

    async def body(app: PersonalizeMiddleware) -> None:
        app.teach(environment)
        for _ in range(2):
            assert (await Browser(app).get("/")).text == "<!doctype html><p>P</p>"

    in_fragments(tmp_path, "script", {"/": tagged}, body)


def test_a_part_of_a_page_gets_its_slots_and_no_script(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app, headers=[("hx-request", "true")]).get("/")
        assert page.text == '<li><div data-slot="hero"><!--pz hero-->D<!--/pz--></div></li>'

    in_fragments(tmp_path, "script", {"/": page_of('<li><div data-slot="hero">D</div></li>')}, body)


@pytest.mark.parametrize(
    ("policy", "tag"),
    [
        ("script-src 'self'", SCRIPT),
        ("script-src 'self'; Require-Trusted-Types-For 'script'", ""),
        ("script-src 'nonce-abc'", SCRIPT.replace("></", ' nonce="abc"></')),
        ("default-src 'self'; script-src 'nonce-a\"b'", SCRIPT.replace("></", ' nonce="a&#34;b"></')),
        ("script-src 'none'", ""),
        ("default-src 'sha256-abc'", ""),
    ],
)
def test_the_pages_own_policy_decides_about_the_script(tmp_path: Path, policy: str, tag: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/")
        assert page.header("content-security-policy") == policy
        if tag:
            assert page.text.count("<script") == 1 and tag in page.text
        else:
            assert page.text == PAGE

    in_fragments(tmp_path, "script", {"/": page_of(PAGE, content_security_policy=policy)}, body)


@WAYS
def test_pages_left_alone_and_answers_to_forms_hold_no_includes(tmp_path: Path, way: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/excluded")).text == PAGE
        gone = await Browser(app).get("/gone")
        assert (gone.status, gone.text) == (404, PAGE)

    in_fragments(tmp_path, way, {"/excluded": page_of(PAGE), "/gone": page_of(PAGE, 404)}, body, excluded=["/excluded"])
