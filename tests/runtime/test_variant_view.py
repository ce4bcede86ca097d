"""Pages in a few variants that caches share: decided by what an edge tells, by the path, and by the clock alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from personalize.runtime.clock import Clock, FixedClock, seconds_by
from personalize.web.middleware import PersonalizeMiddleware
from tests.desk import written
from tests.driver import Browser
from tests.web.cached_site import HEADERS, KEY, NOW, Body, consenting, in_seconds, run

RULES = """
attributes: {first_name: {type: text}, tier: {type: choice, choices: [basic, gold]}}
events: {purchase: {properties: {amount: {type: money}}}}
segments: {phones: {who: {page.device: mobile}}}
slots:
  hero:
    page: home
    rules:
      - {id: phones, to: {segment: phones}, show: things/tent}
      - {id: members, to: {profile.tier: gold}, show: things/thanks}
      - {id: deals, to: {page.path: /deals}, show: things/letter}
  season:
    page: home
    rules: [{id: evening, when: {hours: 18:00-23:00}, show: things/season}]
  elsewhere:
    rules: [{id: big, to: {page.browser: firefox}, show: things/tent}]
"""
INPUTS = {
    "page.device": ["mobile", "desktop"],
    "profile.tier": ["basic", "gold"],
    "page.browser": ["firefox"],
}
EDGE = ("x-personalize-edge", KEY)
PHONE = [EDGE, ("X-Personalize-Page-Device", "mobile")]
BOTH = "X-Personalize-Page-Device, X-Personalize-Profile-Tier"
ITEMS = {"gold": "title: For gold"}


class Ticking:
    """A clock by which two seconds go by whenever it is looked at."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The moment."""
        self._at += timedelta(seconds=2)
        return self._at


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against the site in variants."""

    def started(body: Body, rules: str = RULES, **more: object) -> None:
        settings: dict[str, object] = {"cache_mode": "variants", "cache_inputs": INPUTS, "cache_edge_keys": [KEY]}
        run(tmp_path, body, rules, **{"items": ITEMS, **settings, **more})  # type: ignore[arg-type]

    return started


def test_a_page_says_how_long_it_holds_what_tells_it_apart_and_what_it_can_be_purged_by(
    with_site: Callable[..., None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update({"vary": "Accept-Encoding", "surrogate-key": "shop", "surrogate-control": "max-age=999"})
        reply = await Browser(app).get("/", headers=PHONE)
        assert "<b>What goes with a tent</b>" in reply.text
        assert reply.all("cache-control") == ["public, s-maxage=60, max-age=0"]
        assert reply.all("vary") == [f"Accept-Encoding, {BOTH}"]
        assert reply.all("surrogate-key") == ["shop personalize slot-hero slot-season item-things/tent"]
        assert reply.all("set-cookie") == reply.all("surrogate-control") == []
        assert reply.header("content-length") == str(len(reply.body))

    with_site(body)


def test_a_page_without_slots_leaves_as_the_site_made_it(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        bare, wrapped = [await Browser(one).get("/plain", headers=PHONE) for one in (app.app, app)]
        assert bare.messages == wrapped.messages

    with_site(body)


def test_what_counts_is_what_the_edge_tells_and_nothing_else(with_site: Callable[..., None]) -> None:
    device, tier = "x-personalize-page-device", "x-personalize-profile-tier"
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
    cases: list[tuple[list[tuple[str, str]], str]] = [
        ([EDGE, (tier, "gold")], "Thank you"),
        ([EDGE, (device, "mobile"), (tier, "gold")], "with a tent"),
        ([EDGE, (device, "tablet")], "Default"),
        ([EDGE, (device, "")], "Default"),
        ([EDGE], "Default"),
        ([(device, "mobile")], "Default"),
        ([("x-personalize-edge", "guess"), (device, "mobile")], "Default"),
        ([("user-agent", safari)], "Default"),
    ]

    async def body(app: PersonalizeMiddleware) -> None:
        for headers, shown in cases:
            assert shown in (await Browser(app).get("/", headers=headers)).text, headers

    with_site(body)


def test_the_path_may_be_asked_about(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert "From the letter" in (await Browser(app).get("/deals")).text

    with_site(body)


def test_nobody_is_recognised_given_a_cookie_or_counted(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        del browser.cookies["pz"]
        before = len(await written(app))
        reply = await browser.get("/", headers=PHONE)
        assert reply.header("cache-control") == "public, s-maxage=60, max-age=0"
        assert reply.all("set-cookie") == []
        assert len(await written(app)) == before

    with_site(body)


def _go_by(app: PersonalizeMiddleware, clock: Clock) -> None:
    app.personalizer.clock, app.personalizer.seconds = clock, seconds_by(clock)


def test_no_cache_keeps_a_variant_beyond_the_next_change_of_a_slot(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        _go_by(app, FixedClock(NOW.replace(hour=17, minute=59, second=30)))
        assert (await Browser(app).get("/")).header("cache-control") == "public, s-maxage=30, max-age=0"
        _go_by(app, FixedClock(NOW.replace(hour=18)))
        evening = await Browser(app).get("/")
        assert "The season" in evening.text
        assert evening.header("cache-control") == "public, s-maxage=60, max-age=0"

    with_site(body)


@pytest.mark.parametrize("validity", [f"until: {in_seconds(30)}", f"from: {in_seconds(30)}"])
def test_an_item_that_comes_or_goes_is_a_change(with_site: Callable[..., None], validity: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/")).header("cache-control") == "public, s-maxage=30, max-age=0"

    with_site(body, items={**ITEMS, "season": f"title: The season\n{validity}"})


def test_the_time_that_the_site_took_is_not_lent_to_caches(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        _go_by(app, Ticking(NOW.replace(hour=17, minute=59, second=30)))
        told = str((await Browser(app).get("/")).header("cache-control"))
        assert int(told.removeprefix("public, s-maxage=").removesuffix(", max-age=0")) < 29

    with_site(body)


def test_what_the_site_keeps_for_one_visitor_is_not_made_public(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for said in (
            {"cache-control": "private, max-age=60"},
            {"cache-control": "no-store"},
            {"cache-control": "no-cache"},
            {"set-cookie": "session=anna"},
            {"cache-control": "public, max-age=60", "set-cookie": "session=anna"},
            {"vary": "Cookie"},
            {"vary": "*"},
        ):
            HEADERS.clear()
            HEADERS.update(said)
            reply = await Browser(app).get("/", headers=PHONE)
            assert "with a tent" in reply.text
            assert reply.header("cache-control") == "private, no-store", said
            assert reply.all("set-cookie") == ([said["set-cookie"]] if "set-cookie" in said else [])

    with_site(body)


def test_a_page_for_somebody_whom_the_site_knows_is_shared_only_if_the_site_says_so(
    with_site: Callable[..., None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for known in (("x-login", "anna"), ("authorization", "Basic YTpi")):
            HEADERS.clear()
            assert (await Browser(app).get("/", headers=[known])).header("cache-control") == "private, no-store"
            HEADERS["cache-control"] = "public, max-age=10"
            shared = await Browser(app).get("/", headers=[known])
            assert shared.header("cache-control") == "public, s-maxage=10, max-age=0"
        form = await Browser(app).request("POST", "/")
        assert form.header("cache-control") == "private, no-store"

    with_site(body)


def test_a_page_in_parts_varies_by_every_input_since_any_slot_may_come(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS["cache-control"] = "public, max-age=600"
        first = await Browser(app).get("/parts", headers=PHONE)
        assert (first.header("vary"), first.header("cache-control")) == (None, "public, max-age=600")
        assert "with a tent" not in first.text
        second = await Browser(app).get("/parts", headers=PHONE)
        assert "with a tent" in second.text
        assert second.header("cache-control") == "public, s-maxage=60, max-age=0"
        every = f"{BOTH}, X-Personalize-Page-Browser"
        assert (second.header("vary"), second.header("surrogate-key")) == (every, "personalize personalize-streamed")

    with_site(body)


def test_code_that_asks_for_a_slot_gets_the_variant_and_the_answer_is_shared(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/decided", headers=PHONE)
        assert reply.text == '["things/tent"]'
        assert (reply.header("vary"), reply.all("set-cookie")) == (BOTH, [])
        assert reply.header("cache-control") == "public, s-maxage=60, max-age=0"

    with_site(body)


def test_a_shared_page_is_revalidated_by_our_own_tag(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update({"etag": '"site"', "last-modified": "Sun, 22 Nov 2020 12:00:00 GMT"})
        phone, other = await Browser(app).get("/", headers=PHONE), await Browser(app).get("/")
        assert phone.header("etag") != other.header("etag")
        assert phone.header("last-modified") is None
        asked = ("if-none-match", str(phone.header("etag")))
        again = await Browser(app).get("/", headers=[*PHONE, asked])
        assert (again.status, again.body, again.header("vary")) == (304, b"", BOTH)
        assert (await Browser(app).get("/", headers=[asked])).status == 200

    with_site(body)


def test_what_the_site_records_itself_is_kept_as_ever(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        await browser.post("/told?name=Anna", {})
        assert [event.type for event in await written(app)].count("set") == 2

    with_site(body)


def test_the_site_does_not_see_the_key_of_the_edge(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/seen", headers=PHONE)).text == '["x-personalize-page-device"]'

    with_site(body)


def test_a_page_whose_slots_together_have_too_many_variants_is_not_shared(with_site: Callable[..., None]) -> None:
    rules = """
attributes: {first_name: {type: text}, tier: {type: choice, choices: [basic, gold]}}
slots:
  hero: {rules: [{id: a, to: {page.device: mobile}, show: things/tent}]}
  season: {rules: [{id: b, to: {profile.tier: gold}, show: things/season}]}
"""

    async def body(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app).get("/", headers=PHONE)).header("cache-control") == "private, no-store"

    with_site(body, rules, cache_max_variants=8)


def test_what_the_edge_does_wrong_is_told_once(
    with_site: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        device = "x-personalize-page-device"
        for _ in range(2):
            await Browser(app).get("/", headers=[(device, "mobile")])
            await Browser(app).get("/", headers=[EDGE, (device, "anna@shop.example")])
            HEADERS["vary"] = "Accept-Encoding, Accept-Language, Accept, Origin, X-Shop-Currency, X-Shop-Country"
            await Browser(app).get("/", headers=[EDGE])
        assert [record.getMessage() for record in caplog.records] == [
            "inputs come without a key of cache.edge_keys: not believed",
            "the edge tells a value of page.device that cache.inputs does not declare",
            "a page's Vary has more than 128 characters: nginx does not keep it",
        ]

    with_site(body)


def test_a_page_whose_slots_nobody_defines_keeps_the_sites_caching(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        HEADERS.update({"cache-control": "max-age=5", "etag": '"site"', "vary": "Cookie"})
        bare, wrapped = [await Browser(one).get("/", headers=PHONE) for one in (app.app, app)]
        assert bare.messages == wrapped.messages

    with_site(body, RULES.partition("segments:")[0])
