"""The addresses that public pages get their slots from: what they answer, to whom, and what is kept of it."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from personalize.errors import StoreError
from personalize.events.event import IMPRESSION, PAGE_VIEW
from personalize.profiles.profile import Profile
from personalize.runtime.sources import Scope
from personalize.stores.memory.store import MemoryStore
from personalize.web.fragments.fragment_script import FILE_NAME
from personalize.web.fragments.fragments import ADDRESS_HEADER
from personalize.web.middleware import PersonalizeMiddleware
from tests.desk import RULES, write_desk, written
from tests.driver import Browser, Reply
from tests.web.fragment_house import PUBLIC, composed, in_fragments, includes_of

PAGE = '<!doctype html><div data-slot="hero">Default</div><i data-slot="row">Row</i><b data-slot="season">Any</b>'
ANNA = ("x-login", "anna")
AGREED = ("cookie", "pz_consent=measure.personalize")
FETCH = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "*/*")]
LETTER = "utm_source=newsletter"


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


async def home(request: Request) -> Response:
    """A page with slots."""
    return HTMLResponse(PAGE, headers=PUBLIC)


async def asked(browser: Browser, *slot_ids: str, p: str = "/", **more: str) -> Reply:
    """What our script asks for on a page."""
    query = urlencode([("p", p), *more.items(), *(("s", slot_id) for slot_id in slot_ids)])
    return await browser.get(f"/_personalize/slots?{query}", headers=FETCH)


async def buy(app: PersonalizeMiddleware) -> None:
    """Anna has agreed, and buys a tent."""
    browser = Browser(app, headers=[ANNA])
    await browser.post("/_personalize/consent", {"grant": "measure personalize"})
    await app.personalizer.record("purchase", "u:anna", {"amount": "10", "category": "tents"})


@pytest.mark.parametrize("way", ["esi", "ssi"])
def test_an_edge_gets_for_each_visitor_what_is_theirs(tmp_path: Path, way: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        anna, stranger = Browser(app, headers=[ANNA, AGREED]), Browser(app)
        page = await stranger.get("/")
        for _ in range(2):
            assert "<b>What goes with a tent</b>" in await composed(anna, page)
            assert await composed(stranger, page) == PAGE.replace("Any", "<b>The season</b>")

    in_fragments(tmp_path, way, {"/": home}, body, login=login)


def test_an_answer_is_private_and_sets_no_cookie(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app, headers=[AGREED])
        page = await browser.get("/")
        for reply in [await browser.get(one) for one in includes_of(page)] + [await asked(browser, "hero")]:
            assert reply.status == 200
            assert reply.header("cache-control") == "private, no-store"
            assert reply.header("x-content-type-options") == "nosniff"
            is_html = (reply.header("content-type") or "").startswith("text/html")
            assert ("sandbox" in (reply.header("content-security-policy") or "")) == is_html
            assert reply.header("content-length") == str(len(reply.body))
            assert reply.all("set-cookie") == []
        assert await written(app) == []

    in_fragments(tmp_path, "esi", {"/": home}, body)


class GoneStore(MemoryStore):
    """A store that loads rules and then is gone."""

    def profile_at_once(self, profile_id: str) -> Profile | None:
        raise StoreError("the store is gone")


def test_where_the_store_is_gone_the_answer_is_what_the_page_has_itself(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app, headers=[ANNA, AGREED])
        page = await browser.get("/")
        assert await composed(browser, page) == PAGE.replace("Any", "<b>The season</b>")
        told = await asked(browser, "hero", "season")
        assert told.text == '{"season": "<b>The season</b>"}'

    in_fragments(tmp_path, "esi", {"/": home}, body, login=login, own_store=GoneStore())


def test_who_asks_too_often_gets_the_pages_own_and_edges_may_ask_for_all(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        answers = [(await asked(Browser(app), "season")).text for _ in range(4)]
        filled = '{"season": "<b>The season</b>"}'
        if way == "script":
            assert answers == [filled, filled, "{}", "{}"]
            assert app.personalizer.health.skipped == {"rate": 2}
        else:
            assert answers == [filled] * 4

    for way in ("script", "esi"):
        in_fragments(tmp_path, way, {"/": home}, body, cache_slot_requests_per_minute=2)


def test_a_switched_off_site_still_answers_for_pages_that_caches_hold(tmp_path: Path) -> None:
    addresses: list[str] = []

    async def before(app: PersonalizeMiddleware) -> None:
        addresses.extend(includes_of(await Browser(app).get("/")))

    async def after(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/")).text == PAGE
        assert [(await Browser(app).get(one)).text for one in addresses] == ["Default", "Row", "Any"]

    in_fragments(tmp_path, "esi", {"/": home}, before)
    in_fragments(tmp_path, "esi", {"/": home}, after, off=True)
    in_fragments(tmp_path, "ssi", {"/": home}, after, off=True)


def test_what_an_address_carries_can_be_changed_by_nobody(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        hero, row, _ = includes_of(await browser.get("/"))
        stolen = hero.replace("/slot/hero", "/slot/row")
        changed = hero[:-3] + ("AAA" if not hero.endswith("AAA") else "BBB")
        unsigned = hero.rpartition(".")[0]
        for address in (stolen, changed, unsigned, hero.partition("&d=")[0] + "&d=eNoDAAAAAAE.x", hero + "%C3%A9"):
            reply = await browser.get(address)
            assert (reply.status, reply.body) == (200, b"")
        assert (await browser.get(row)).text == "Row"

    in_fragments(tmp_path, "esi", {"/": home}, body)


@pytest.mark.parametrize(
    "address",
    ["slot/hero", "slot/", "slot/HERO?p=/", "slot/hero?p=//evil.example", "slot/hero?p=https://evil.example/",
     "slot/hero?p=/%0d%0ax", "slot/hero?p=/\\evil", "slot/hero?p=" + "/x" * 3_000, "slot/hero?" + "p=/&" * 20_000,
     "slots", "slots?p=/&s=../x&s=" + "x" * 99, "slots?p=%00"],
)  # fmt: skip
def test_an_address_that_is_none_of_ours_gets_nothing_and_no_error(tmp_path: Path, address: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app, headers=[AGREED]).get(f"/_personalize/{address}")
        assert reply.status == 200
        assert reply.text in ("", "{}")
        assert reply.header("cache-control") == "private, no-store"

    in_fragments(tmp_path, "esi", {"/": home}, body)


def test_only_reading_is_answered(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).post("/_personalize/slot/hero?p=/", {})).status == 405
        head = await Browser(app).request("HEAD", "/_personalize/slot/season?p=/")
        assert (head.status, head.body) == (200, b"")
        assert (await Browser(app).get("/_personalize/slots-of-others")).status == 404

    in_fragments(tmp_path, "script", {"/": home}, body)


def test_the_script_is_short_kept_for_ever_and_sets_no_cookie_itself(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get(f"/_personalize/{FILE_NAME}")
        assert len(reply.body) < 1_024
        assert reply.header("cache-control") == "public, max-age=31536000, immutable"
        assert reply.header("content-type") == "text/javascript; charset=utf-8"
        assert "cookie" not in reply.text and "eval" not in reply.text
        old = await Browser(app).get("/_personalize/slots-0123456789ab.js")
        assert (old.text, old.header("cache-control")) == (reply.text, "public, max-age=300")

    in_fragments(tmp_path, "script", {"/": home}, body)


def test_rules_see_the_page_and_not_the_request_for_a_part_of_it(tmp_path: Path) -> None:
    rules = RULES.replace("visit.source: newsletter", "page.path: /tents, page.query.size: L").replace(
        "to: {segment: buyers}", "to: {page.referrer: {contains: search.example}}"
    )
    write_desk(tmp_path, rules=rules)

    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        size = await asked(browser, "hero", p="/tents?size=L")
        assert size.text == '{"hero": "<b>From the letter</b>"}'
        assert (await asked(browser, "hero", p="/tents")).text == "{}"
        assert "Thank you" in (await asked(browser, "hero", r="https://search.example/?q=x")).text
        from_page = await browser.get("/_personalize/slot/hero?p=/", headers=[("referer", "https://search.example/")])
        assert "Thank you" in from_page.text
        told = [(ADDRESS_HEADER.decode(), "/tents?size=L")]
        assert "letter" in (await browser.get("/_personalize/slot/hero?p=/tents", headers=told)).text
        assert (await browser.get("/_personalize/slot/hero?p=/hats", headers=told)).text == ""
        below = await browser.get("/app/_personalize/slot/hero?p=/tents", root_path="/app", headers=[
            (ADDRESS_HEADER.decode(), "/app/tents?size=L")
        ])  # fmt: skip
        assert "letter" in below.text
        scripted = await browser.get(
            "/app/_personalize/slots?s=hero&p=/app/tents%3Fsize%3DL", root_path="/app", headers=FETCH
        )
        assert "letter" in scripted.text

    in_fragments(tmp_path, "script", {"/": home}, body)


def test_a_page_below_a_mount_names_addresses_that_lead_there(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = await Browser(app).get("/app/", root_path="/app")
        assert includes_of(page)[0].startswith("/app/_personalize/slot/hero?p=/&")

    in_fragments(tmp_path, "esi", {"/": home}, body)


def test_no_item_stands_in_two_slots_that_know_nothing_of_one_another(tmp_path: Path) -> None:
    rules = (
        "slots:\n  one: {rules: [{id: a, show: [things/tent, things/thanks]}]}\n"
        "  two: {rules: [{id: a, show: [things/tent, things/thanks]}]}\n"
    )
    write_desk(tmp_path, rules=rules, items={"tent": "What goes with a tent", "thanks": "Thank you"})

    async def page(request: Request) -> Response:
        return HTMLResponse('<p><i data-slot="one">1</i><i data-slot="two">2</i>', headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        composed_page = await composed(browser, await browser.get("/"))
        assert (
            composed_page
            == '<p><i data-slot="one"><b>What goes with a tent</b></i><i data-slot="two"><b>Thank you</b></i>'
        )
        told = await asked(browser, "one", "two")
        assert [told.text.count(title) for title in ("tent", "Thank")] == [1, 1]

    in_fragments(tmp_path, "ssi", {"/": page}, body)


def test_an_item_that_shows_nothing_is_not_taken_for_no_answer(tmp_path: Path) -> None:
    write_desk(tmp_path)
    (tmp_path / "content_templates" / "thing.html").write_text("", encoding="utf-8")

    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        assert await composed(browser, await browser.get("/")) == PAGE.replace("Any", " ")

    in_fragments(tmp_path, "ssi", {"/": home}, body)


def test_an_encoding_that_lacks_letters_gets_references(tmp_path: Path) -> None:
    write_desk(tmp_path, items={"tent": "Zelt für 5 €", "thanks": "x", "letter": "x", "gold": "x", "season": "é€"})

    async def page(request: Request) -> Response:
        body = '<i data-slot="season">ä</i><i data-slot="hero">ß</i>'.encode("latin-1")
        return Response(body, headers=PUBLIC | {"content-type": "text/html; charset=iso-8859-1"})

    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        shell = await browser.get("/")
        text = shell.body.decode("latin-1")
        season, hero = [part.partition('"')[0] for part in text.split('esi:include src="')[1:]]
        assert (await browser.get(season)).body == b"<b>&#233;&#8364;</b>"
        assert (await browser.get(hero)).body == "ß".encode("latin-1")

    in_fragments(tmp_path, "esi", {"/": page}, body)


def test_a_login_that_slots_cannot_see_is_told_once_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        known = Browser(app, headers=[("cookie", "pz=kAAAAAAAAAAAAAAAAAAAAAA.x")])
        for _ in range(2):
            await known.get("/_personalize/slot/hero?p=/")
        await Browser(app, headers=[("cookie", "pz=vAAAAAAAAAAAAAAAAAAAAAA.x")]).get("/_personalize/slot/hero?p=/")

    in_fragments(tmp_path, "ssi", {"/": home}, body)
    assert caplog.text.count("can't see the login") == 1
    in_fragments(tmp_path, "ssi", {"/": home}, body, login=login)
    assert caplog.text.count("can't see the login") == 1


# What is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["esi", "ssi"])
def test_a_page_in_fragments_is_one_page_view_and_an_impression_for_each_filled_slot(tmp_path: Path, way: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        anna = Browser(app, headers=[ANNA, AGREED])
        page = await anna.get("/")
        await composed(anna, page)
        events = (await written(app))[2:]
        assert [event.type for event in events] == [PAGE_VIEW, IMPRESSION, IMPRESSION]
        assert events[0].properties["path"] == "/"
        shown = [slot["slot"] for event in events[1:] for slot in event.properties["slots"]]  # type: ignore[index,union-attr]
        assert shown == ["hero", "season"]

    in_fragments(tmp_path, way, {"/": home}, body, login=login)


def test_the_script_tells_of_a_page_view_once_however_often_it_asks(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        anna = Browser(app, headers=[ANNA, AGREED])
        await asked(anna, "hero", "season", view="1")
        await asked(anna, "row", again="1")
        events = (await written(app))[2:]
        assert [event.type for event in events] == [PAGE_VIEW, IMPRESSION]

    in_fragments(tmp_path, "script", {"/": home}, body, login=login)


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
    ],
)
def test_what_another_site_fetches_is_the_pages_own_and_not_counted(
    tmp_path: Path, headers: list[tuple[str, str]]
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        hero, *_ = includes_of(await Browser(app).get("/"))
        stranger = Browser(app, headers=[ANNA, AGREED, *headers])
        for address, own in ((hero, "Default"), ("/_personalize/slots?p=/&s=hero&view=1", "{}")):
            reply = await stranger.get(address)
            assert reply.text == own
            assert reply.header("access-control-allow-origin") is None
        assert len(await written(app)) == 2

    in_fragments(tmp_path, "esi", {"/": home}, body, login=login)


def test_who_comes_by_a_link_from_another_site_sees_what_is_theirs(tmp_path: Path) -> None:
    came = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]

    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        anna = Browser(app, headers=[ANNA, AGREED, *came])
        assert "tent" in await composed(anna, await anna.get("/"))

    in_fragments(tmp_path, "ssi", {"/": home}, body, login=login)


@pytest.mark.parametrize(
    "header", [("user-agent", "Googlebot/2.1"), ("sec-purpose", "prefetch;prerender"), ("hx-preloaded", "true")]
)
def test_robots_and_what_is_fetched_in_advance_are_not_counted(tmp_path: Path, header: tuple[str, str]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await buy(app)
        nobody = Browser(app, headers=[ANNA, AGREED, header])
        await composed(nobody, await nobody.get("/"))
        await asked(nobody, "hero", view="1")
        assert len(await written(app)) == 2

    in_fragments(tmp_path, "esi", {"/": home}, body, login=login)


def test_who_agreed_by_another_banner_is_told_apart_by_no_fragment(tmp_path: Path) -> None:
    """Each of them would mint an id of its own, and split tests would differ from slot to slot."""
    rules = "slots:\n  hero: {rules: [{id: half, to: {percentage: 50%}, show: things/tent}]}\n"
    write_desk(tmp_path, rules=rules, items={"tent": "Tent"})

    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app, headers=[AGREED, ("accept", "text/html"), ("sec-fetch-dest", "document")])
        seen = {(await browser.get("/_personalize/slot/hero?p=/")).text for _ in range(12)}
        assert len(seen) == 1

    in_fragments(tmp_path, "ssi", {"/": home}, body)


def test_what_the_site_itself_records_on_a_public_page_is_kept(tmp_path: Path) -> None:
    async def page(request: Request) -> Response:
        request.state.page_view.record("purchase", amount="10", category="tents")
        return HTMLResponse(PAGE, headers=PUBLIC)

    async def body(app: PersonalizeMiddleware) -> None:
        await Browser(app, headers=[ANNA, AGREED]).get("/")
        assert [event.type for event in await written(app)] == ["purchase"]

    in_fragments(tmp_path, "esi", {"/": page}, body, login=login)


def test_figures_count_what_became_of_slots(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await composed(browser, await browser.get("/"))
        slots = app.personalizer.health.slots
        assert {name: dict(counted) for name, counted in slots.items()} == {
            "hero": {"default": 1},
            "row": {"default": 1},
            "season": {"filled": 1},
        }

    in_fragments(tmp_path, "ssi", {"/": home}, body)
