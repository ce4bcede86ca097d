"""Slots without a mark stand at the first element that their selector finds, and nothing else changes."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from personalize.rules.definitions import HOWS, How, Placement
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.places import LONGEST_PAGE
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import Scanner
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.trust.trials import IS_LONG
from tests.web.html.test_written import MARKUP

TOKEN = "0123456789abcdef0123"
CASES = Path(__file__).parents[2] / "cases" / "html"


def scanner(placements: Mapping[str, Placement], encoding: str = "utf-8") -> Scanner:
    return Scanner(token=TOKEN.encode(), known=placements.__contains__, placements=placements, encoding=encoding)


def at(css: str, how: How = "inside") -> dict[str, Placement]:
    return {"hero": Placement(css, how)}


async def fill(slot_ids: Sequence[str]) -> list[str | None]:
    return [None if slot_id == "kept" else slot_id.upper() for slot_id in slot_ids]


def filled(
    page: bytes, placements: Mapping[str, Placement], *, size: int | None = None, encoding: str = "utf-8"
) -> bytes:
    """The page with its slots filled by their names in capitals; in chunks of a size, or at once."""

    async def pass_by() -> bytes:
        rewriter = Rewriter(scanner(placements, encoding), fill, encoding)
        if size is None:
            return await rewriter.last(page)
        parts = [await rewriter.feed(page[start : start + size]) for start in range(0, len(page), size)]
        return b"".join([*parts, await rewriter.close()])

    return asyncio.run(pass_by())


def doubts(page: bytes, placements: Mapping[str, Placement]) -> dict[str, str]:
    found = scanner(placements)
    found.last(page)
    return {slot_id: doubt.value for slot_id, doubt in found.doubts.by_slot.items()}


SHOP = (
    b"<!doctype html><html><head><title>main > .hero</title></head><body>\r\n<!-- <main><p class=hero> -->"
    b"<script>'<main class=hero>'</script><header class=hero>Head</header>"
    b"<main>\r\n<p>Intro<section class='big hero' id=x>Old <b>text</b></section><p class=lead>Lead</p>"
    b"<ul><li>One<li class=hero><a href=/>Two</a></li><li>Three</ul><img class=pic src=a.png>"
    b"<table><tr><td>a</td><td class=price>9</td></tr></table><p class=hero>Last</p></main></body></html>"
)


@pytest.mark.parametrize(
    ("css", "how", "old", "new"),
    [
        ("main > .hero", "inside", b"Old <b>text</b>", b"HERO"),
        ("#x", "replace", b"<section class='big hero' id=x>Old <b>text</b></section>", b"HERO"),
        ("#x", "before", b"<section class", b"HERO<section class"),
        ("#x", "after", b"</section>", b"</section>HERO"),
        ("body > main:nth-child(3) > section:nth-of-type(1) > b:first-child", "inside", b"text", b"HERO"),
        ("main p + section", "inside", b"Old <b>text</b>", b"HERO"),
        ("section, header", "inside", b">Head<", b">HERO<"),
        ("p.lead", "inside", b">Lead<", b">HERO<"),
        ("ul > li:nth-child(2)", "inside", b"<a href=/>Two</a>", b"HERO"),
        ("ul > li.hero > a", "replace", b"<a href=/>Two</a>", b"HERO"),
        ("img.pic", "replace", b"<img class=pic src=a.png>", b"HERO"),
        ("img", "before", b"<img", b"HERO<img"),
        ("img", "after", b"a.png>", b"a.png>HERO"),
        ("td.price", "inside", b">9<", b">HERO<"),
        ("table", "before", b"<table", b"HERO<table"),
        ("[class~=big]:not(p)", "inside", b"Old <b>text</b>", b"HERO"),
    ],
)
@pytest.mark.parametrize("size", [None, 1, 7, 100])
def test_only_the_place_of_the_slot_changes(css: str, how: How, old: bytes, new: bytes, size: int | None) -> None:
    assert SHOP.count(old) == 1
    assert filled(SHOP, at(css, how), size=size) == SHOP.replace(old, new)


@pytest.mark.parametrize("how", ["inside", "replace", "before", "after"])
def test_a_slot_that_shows_nothing_leaves_the_page_as_it_is(how: str) -> None:
    assert filled(SHOP, {"kept": Placement("main > .hero", how)}) == SHOP


@pytest.mark.parametrize("css", [".nowhere", "script", "head > p", "noscript p", "template p", "svg"])
def test_a_page_without_such_an_element_is_the_very_same(css: str) -> None:
    page = SHOP.replace(b"<ul>", b"<noscript><p>a</p></noscript><template><p>b</p></template><svg><p>c</p></svg><ul>")
    assert filled(page, at(css)) == page


@pytest.mark.parametrize(
    ("css", "how", "doubt"),
    [
        ("body", "inside", "element"),
        ("title", "before", "element"),
        ("tr", "before", "element"),
        ("table", "replace", "element"),
        ("img", "inside", "element"),
        ("ul > li", "inside", "nesting"),
        ("main > p", "inside", "nesting"),
    ],
)
def test_an_element_that_can_not_be_changed_safely_is_told(css: str, how: How, doubt: str) -> None:
    assert filled(SHOP, at(css, how)) == SHOP
    assert doubts(SHOP, at(css, how)) == {"hero": doubt}


def test_slots_stand_side_by_side_at_one_element() -> None:
    placements = {how: Placement("p", how) for how in HOWS if how != "replace"}
    assert filled(b"<p>x</p>", placements) == b"BEFORE<p>INSIDE</p>"
    assert doubts(b"<p>x</p>", placements) == {"after": "taken"}


def test_where_the_page_marks_the_slot_the_mark_counts() -> None:
    token = f"{open_mark(TOKEN, 'hero')}t{close_mark(TOKEN)}".encode()
    for mark, shown in (
        (b"<i data-slot=hero>m</i>", b"<i data-slot=hero>HERO</i>"),
        (b"<div data-slot=hero>m</div>", b"<div data-slot=hero>HERO</div>"),
        (b"<!-- slot:hero -->m<!-- /slot:hero -->", b"<!-- slot:hero -->HERO<!-- /slot:hero -->"),
        (token, b"HERO"),
    ):
        text = b"<i>Some text that is long enough to be leapt over, and then some.</i>"
        for size in (None, 1, 150):
            assert filled(text + mark + text + b"<p>x</p>", at("p"), size=size) == text + shown + text + b"<p>x</p>"
    page = b"<div data-slot=other>x</div>"
    assert filled(page, {"other": Placement("p", "inside"), **at("div")}) == page.replace(b"x", b"OTHER")


def test_the_outermost_slot_counts() -> None:
    placements = {"hero": Placement("main", "inside"), "side": Placement("b", "inside")}
    assert filled(b"<main><b>x</b></main>", placements) == b"<main>HERO</main>"
    assert filled(b"<div data-slot=side><b>x</b></div>", placements) == b"<div data-slot=side>SIDE</div>"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        *(("utf-8", "größe"), ("iso8859-1", "größe"), ("cp1252", "größe"), ("koi8-r", "цена"), ("big5", "價格")),
        *(("shift_jis", "値段"), ("euc_jp", "値段"), ("gb18030", "价格"), ("euc_kr", "가격")),
        *(("shift_jis", "表示"), ("gbk", "乗る"), ("big5", "功能")),  # with bytes that are a backslash or a bracket
    ],
)
def test_a_page_in_any_encoding_is_found_and_filled(encoding: str, word: str) -> None:
    page = f"<p>{word}</p><p class='x {word}'>{word}</p>{word}".encode(encoding)
    new = f"<p>{word}</p><p class='x {word}'>HERO</p>{word}".encode(encoding)
    for size in (None, 1):
        assert filled(page, at(f".{word}"), encoding=encoding, size=size) == new


def test_a_selector_that_the_encoding_can_not_write_finds_nothing() -> None:
    page = "<p class='größe'>x</p>".encode("cp1252")
    assert filled(page, at(".値段"), encoding="cp1252") == page


def test_a_byte_order_mark_is_no_text_before_the_page() -> None:
    page = b"\xef\xbb\xbf<!doctype html><html lang=en><head><link></head><body class=shop><p>x</p>"
    assert filled(page, at("html[lang=en] > body.shop > p:first-child")) == page.replace(b"x", b"HERO")


def test_a_library_that_fails_leaves_the_page_as_it_is() -> None:
    page = b"<p>x</p><b data-slot=hero>x</b>"
    with patch("turbohtml.parse", side_effect=RuntimeError("a bug")):
        assert filled(page, at("p")) == page.replace(b">x</b", b">HERO</b")
        assert doubts(b"<p>x</p>", at("p")) == {"hero": "unreadable"}


def test_a_page_that_is_too_long_is_passed_on() -> None:
    page = b"<i>text</i>" * (LONGEST_PAGE // 11 + 1) + b"<p>x</p>"
    for size in (None, 65_536):
        assert filled(page, at("p"), size=size) == page
    assert doubts(page, at("p")) == {"hero": "long page"}
    page = b"<p>x</p>" + page
    assert filled(page, at("p"), size=65_536) == page.replace(b"x", b"HERO", 1)


def test_what_waits_to_be_looked_at_is_bounded() -> None:
    found, came, left = scanner(at(".nowhere")), 0, 0
    for chunk in [b"<i>text</i>" * 100] * 400:
        came += len(chunk)
        left += sum(len(piece.data) for piece in found.feed(chunk))
        assert came - left <= max(came / 4, 10)
    first = scanner(at(".nowhere"))
    assert b"".join(piece.data for piece in first.feed(b"<p>a</p><di")) == b"<p>a</p>"


def test_a_page_that_comes_in_single_bytes_is_read_a_bounded_number_of_times() -> None:
    import turbohtml  # noqa: PLC0415

    with patch("turbohtml.parse", side_effect=turbohtml.parse) as parse:
        filled(b"<i>text</i>" * 9_000, at(".nowhere"), size=1)
    assert sum(len(call.args[0]) for call in parse.call_args_list) < 700_000


SOUND = st.recursive(
    st.sampled_from(
        ["word", "<br>", "<img alt='>'>", "<!-- </div> <p class=x> -->", "<p>text", "<svg><path/></svg>", "\r\n", "é"]
    ),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        st.sampled_from(["div", "section", "ul", "em", "div class=x", "section class=x", "h2 class=x", "main"]),
        st.lists(inner | st.just("<li>item"), max_size=4),
    ),
    max_leaves=25,
)
PAGES = st.lists(SOUND, max_size=4).map("".join)


@given(page=PAGES, cuts=st.lists(st.integers(0, 400), max_size=5))
@settings(max_examples=150, deadline=None)
def test_the_first_element_that_a_browser_would_find_is_filled_however_the_page_is_cut(
    page: str, cuts: list[int]
) -> None:
    source = page.encode()
    whole = filled(source, at("div > .x"))
    first = LexborHTMLParser(page).css_first("div > .x")
    if whole == source:
        assert first is None or doubts(source, at("div > .x"))
    else:
        assert LexborHTMLParser(whole.decode()).css_first("div > .x").text(deep=True) == "HERO"
    found = scanner(at("div > .x"))
    edges = [0, *sorted(min(cut, len(source)) for cut in cuts), len(source)]
    chunks = [source[start:end] for start, end in pairwise(edges)]
    pieces = [piece for chunk in chunks for piece in found.feed(chunk)] + found.close()
    parts = asyncio.run(Rewriter(scanner({}), fill, "utf-8").fill(pieces))
    assert parts == whole


CONTEXTS = st.sampled_from(
    [
        *(("", "p"), ("", "pre"), ("", "button"), ("", "form"), ("", "div"), ("", "span"), ("<ul>", "li")),
        *(("<ul><li>one", "li"), ("<dl><dt>", "dd"), ("<table><tr>", "td"), ("<table><tr><td>a", "th"), ("<a>", "p")),
    ]
)


@given(before=MARKUP, context=CONTEXTS, inside=MARKUP)
@example(before="<div><b></div>", context=("", "form"), inside="")
@settings(max_examples=300, deadline=None)
def test_an_element_ends_where_a_browser_ends_it(before: str, context: tuple[str, str], inside: str) -> None:
    around, element = context
    page = f"{before}{around}<{element} class=x>INSIDE{inside}</{element}>AFTER"
    shown = filled(page.encode(), at(".x")).decode()
    if shown != page:
        assert "AFTER" not in LexborHTMLParser(page).css_first(".x").text(deep=True)
        assert LexborHTMLParser(shown).css_first(".x").text(deep=True) == "HERO"
        assert shown.endswith(f"</{element}>AFTER")


JUNK = st.lists(
    st.sampled_from([path.read_bytes() for path in CASES.glob("*.src.html") if path.stat().st_size < 300])
    | st.sampled_from(
        [b"<b>", b"</b>", b"<p class=x>", b"</p>", b"<a><div class=x>", b"</a>", b"<table>", b"<td class=x>"]
    )
    | st.binary(max_size=5),
    max_size=8,
).map(b"".join)


@given(page=JUNK, how=st.sampled_from(["inside", "replace", "before", "after"]), size=st.integers(1, 60))
@example(page=b"<b><p class=x>1</b>2</p>3", how="inside", size=1)
@settings(max_examples=200, deadline=None)
def test_whatever_the_page_is_the_pieces_are_the_page(page: bytes, how: str, size: int) -> None:
    found = scanner(at(".x", how))
    pieces = [piece for start in range(0, len(page), size) for piece in found.feed(page[start : start + size])]
    assert b"".join(piece.data for piece in [*pieces, *found.close()]) == page


def real_pages(shared_data: Path) -> list[Path]:
    """Some of the news pages, or all of them in `make trust`."""
    pages = sorted((shared_data / "html" / "article-extraction-benchmark" / "html").glob("*.html.gz"))
    return pages if IS_LONG else pages[::18]


@pytest.mark.trust
@pytest.mark.shared_data
def test_in_real_pages_the_element_that_a_browser_finds_is_filled(shared_data: Path) -> None:
    paths, count = real_pages(shared_data), 0
    for path in paths:
        page = gzip.decompress(path.read_bytes())
        for css in ("body h1", "div > div > p", "ul > li:nth-child(2)"):
            found = LexborHTMLParser(page.decode("latin-1")).css_first(css)
            whole = filled(page, at(css))
            assert filled(page, at(css), size=16_384) == whole, path.name
            if whole == page:
                assert found is None or doubts(page, at(css)), (path.name, css)
            else:
                count += 1
                assert LexborHTMLParser(whole.decode("latin-1")).css_first(css).text(deep=True) == "HERO"
    assert count > len(paths)


RULES_WITH_A_PLACE = RULES.replace("  hero:\n", '  hero:\n    place: {css: "main > .hero"}\n').replace(
    "  season:\n", '  season:\n    place: {css: "footer", how: before}\n'
)
PARTS = (b"<!doctype html><main>", b"<p class=hero>De", b"fault</p></main>", b"<footer>Foot</footer>")


async def home(request: Request) -> Response:
    """A page that holds no mark, in one part."""
    return HTMLResponse(b"".join(PARTS))


async def in_parts(request: Request) -> Response:
    """The same in parts, with its length where the query asks for it."""

    async def parts() -> AsyncIterator[bytes]:
        for part in PARTS:
            yield part

    size = {"content-length": str(len(b"".join(PARTS)))} if request.query_params else {}
    return StreamingResponse(parts(), media_type="text/html", headers=size)


def test_a_site_without_any_mark_shows_each_visitor_what_the_rules_say(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path, rules=RULES_WITH_A_PLACE)
        site = Starlette(routes=[Route("/", home), Route("/parts", in_parts)])
        app = wrap(site, desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = Browser(app)
            stranger = await browser.get("/")
            assert "<p class=hero>Default</p></main><b>The season</b><footer>" in stranger.text
            reader = await browser.get("/?utm_source=newsletter")
            assert "<p class=hero><b>From the letter</b></p></main><b>The season</b><footer>" in reader.text
            assert reader.header("cache-control") == "private, no-store"
            for path in ("/parts", "/parts?with=length"):
                await Browser(app).get(path)
                reply = await Browser(app).get(f"{path}{'&' if '?' in path else '?'}utm_source=newsletter")
                assert reply.text == reader.text, path
            assert app.personalizer.health.slots["hero"]["filled"] == 3

    asyncio.run(run())


def test_what_keeps_a_slot_from_being_filled_is_counted_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        write_desk(tmp_path, rules=RULES_WITH_A_PLACE.replace("main > .hero", "main"))
        app = wrap(Starlette(routes=[Route("/", home), Route("/parts", in_parts)]), desk_settings(tmp_path))

        async def unclosed(request: Request) -> Response:
            return HTMLResponse("<main>never ends<footer>Foot</footer>")

        app.app.router.routes.append(Route("/unclosed", unclosed))  # type: ignore[attr-defined]
        async with running(app):
            await published(app)
            for _ in range(3):
                reply = await Browser(app).get("/unclosed")
            assert "<main>never ends<footer>Foot" in reply.text
            assert app.personalizer.health.slots["hero"] == {"unclosed": 3}

    asyncio.run(run())
    told = [record.getMessage() for record in caplog.records if "hero" in record.getMessage()]
    assert told == ["the slot 'hero' keeps the site's own markup: its end was not found"]
