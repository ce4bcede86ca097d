"""The visitor's own page: what we know, why something was shown, and what they may say about it."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.pages.you import YourPage
from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

RULES = """
attributes:
  first_name: {type: text, title: First name, from_browser: true}
  tier: {type: choice, choices: [basic, gold], title: Tier}
  letters: {type: bool, title: Gets letters, from_browser: true}
events:
  purchase:
    title: Bought something
    properties: {amount: {type: money}, category: {type: text}}
    value: amount
    interest: category
segments:
  cheap-skates: {title: Cheapskates, who: {purchase.total: {less_than: 500}}}
slots:
  hero:
    title: Large picture
    rules:
      - {id: secret-rule, to: {segment: cheap-skates, interest.tents: {at_least: 0.3}}, show: things/tent}
"""
YES = {"grant": "measure personalize", "back": "/"}
YOU = "/_personalize/you"
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


async def shop(request: Request) -> Response:
    """A page on which visitors buy what the address says, and get a name."""
    visit, asked = request.state.page_view, request.query_params
    if "buys" in asked:
        visit.record("purchase", category=asked["buys"], amount="100")
        visit.set(first_name=asked.get("name", "Kari"), tier="gold")
    return HTMLResponse('<div data-slot="hero">Default</div>')


def login(scope: Scope) -> str | None:
    """A login that only the inside of the site knows."""
    user: str | None = scope.get("shop.user")
    return user


class Login:
    """Knows who is logged in by a header, and tells the inside of the site alone."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["shop.user"] = dict(scope["headers"]).get(b"x-login", b"").decode() or None
        await self.app(scope, receive, send)


@pytest.fixture
def with_shop(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against a wrapped, started and published shop."""

    def run(body: Body, **more: Any) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path, rules=RULES, items={"tent": "A tent"})
            site = Login(Starlette(routes=[Route("/", shop), Route("/mine", YourPage())]))
            app = wrap(site, desk_settings(tmp_path), login=login, **more)
            async with running(app):
                await published(app)
                await body(app)

        asyncio.run(all_of_it())

    return run


def text_of(reply: Reply) -> str:
    """What the page says, without its style and marks, blanks as one."""
    tree = LexborHTMLParser(reply.text)
    tree.strip_tags(["style"])
    assert tree.body is not None
    return re.sub(r"\s+", " ", tree.body.text(separator=" ")).strip()


async def a_buyer(app: PersonalizeMiddleware, **headers: str) -> Browser:
    """A browser that said yes, bought a tent, and saw what that brings."""
    browser = Browser(app, headers=[(name.replace("_", "-"), value) for name, value in headers.items()])
    await browser.post("/_personalize/consent", YES)
    await browser.get("/?buys=tents")
    await written(app)
    assert "A tent" in (await browser.get("/")).text
    await written(app)
    return browser


async def say(browser: Browser, app: PersonalizeMiddleware, path: str = YOU, **fields: str) -> Reply:
    """Press a button of the page, and look at what it leads to."""
    reply = await browser.post(path, fields)
    await written(app)
    return reply if reply.status != 303 else await browser.get(reply.header("location") or "")


def test_nobody_is_told_that_nothing_is_kept_and_gets_no_cookie(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        reply = await browser.get(YOU)
        assert (reply.status, reply.all("set-cookie")) == (200, [])
        assert "Nothing is kept of you here." in text_of(reply)
        assert reply.header("cache-control") == "no-store"
        assert "frame-ancestors 'none'" in (reply.header("content-security-policy") or "")

    with_shop(body)


def test_a_visitor_reads_what_is_kept_and_why_they_saw_something(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        text = text_of(await (await a_buyer(app)).get(YOU))
        for said in (
            "First name: Kari",
            "Tier: gold",
            "Bought something: 1×, EUR 100.00",
            "A tent Large picture",
            "your purchase total is less than EUR 500.00",
            "tents our guess: you like it",
            "Amount: EUR 100.00 Category: tents",
        ):
            assert said in text, said

    with_shop(body)


def test_names_of_rules_and_segments_are_for_the_editors(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        page = (await (await a_buyer(app)).get(YOU)).text
        assert not [word for word in ("secret-rule", "cheap-skates", "Cheapskates") if word in page]

    with_shop(body)


def test_what_they_say_of_their_taste_is_believed_on_the_next_page(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        assert "you don't care for it, as you said" in text_of(await say(browser, app, do="dislike", tag="tents"))
        assert "Default" in (await browser.get("/")).text
        assert "you like it, as you said" in text_of(await say(browser, app, do="like", tag="tents"))
        assert "A tent" in (await browser.get("/")).text
        assert "our guess" in text_of(await say(browser, app, do="unsay", tag="tents"))
        assert (await browser.post(YOU, {"do": "like", "tag": " "})).status == 422

    with_shop(body)


def test_they_put_right_what_visitors_may_set_and_nothing_else(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        assert "First name: Ola" in text_of(await say(browser, app, do="correct", name="first_name", value=" Ola "))
        assert "Gets letters: yes" in text_of(await say(browser, app, do="correct", name="letters", value="yes"))
        refused = await say(browser, app, do="correct", name="tier", value="gold")
        assert refused.status == 422 and "tier" in text_of(refused)
        assert "First name" not in text_of(await say(browser, app, do="remove", name="first_name"))
        assert (await browser.post(YOU, {"do": "remove", "name": "tier"})).status == 422

    with_shop(body)


def test_stop_holds_from_the_next_page_and_leaves_the_other_purposes(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        assert "From now on you see what everybody sees." in text_of(await say(browser, app, do="stop"))
        assert browser.cookies["pz_consent"].startswith("measure")
        left = text_of(await browser.get(YOU))
        assert "Nothing is kept of you here." in left and "counted together with what many others see" in left
        assert "Default" in (await browser.get("/")).text
        await say(browser, app, do="refuse")
        assert sorted(browser.cookies) == ["pz_consent"]
        assert "Nothing is kept of you here." in text_of(await browser.get(YOU))

    with_shop(body)


def test_a_gift_counts_as_bought_and_says_nothing_of_their_taste(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        form = LexborHTMLParser((await browser.get(YOU)).text).css("form:has(button[value=disown]) input")
        fields = {field.attributes["name"] or "": field.attributes["value"] or "" for field in form}
        text = text_of(await say(browser, app, do="disown", **fields))
        assert "Says nothing of your taste, as you told us." in text
        assert "our guess" not in text and "Bought something: 1×" in text
        assert "Default" in (await browser.get("/")).text

    with_shop(body)


def test_everything_can_be_taken_along(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        for form, name in (("json", "about-you.json"), ("html", "about-you.html")):
            assert f"?download={form}" in (await browser.get(YOU)).text
            taken = await browser.get(f"{YOU}?download={form}")
            assert taken.header("content-disposition") == f'attachment; filename="{name}"'
            assert taken.header("cache-control") == "no-store"
            assert "Kari" in taken.text and "tents" in taken.text
        nobody = await Browser(app).get(f"{YOU}?download=json")
        assert "Nothing is kept of you here." in text_of(nobody)

    with_shop(body)


def test_erased_is_erased_and_nothing_new_is_kept(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        old = dict(browser.cookies)
        assert (await browser.post(YOU, {"do": "erase"})).status == 422
        assert len(await written(app)) > 3
        assert "All of it is erased" in text_of(await say(browser, app, do="erase", sure="yes"))
        assert browser.cookies == {"pz_consent": "no"}
        await browser.get("/")
        browser.cookies = old
        await browser.get("/?buys=boots")
        assert await written(app) == []

    with_shop(body)


def test_choices_are_kept_and_listed(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        await say(browser, app, do="choose", grant="measure")
        text = text_of(await say(browser, app, do="allow"))
        assert "count what is shown and used, choose what suits me" in text

    with_shop(body)


def test_a_login_that_the_site_alone_sees_meets_its_data_where_the_site_mounts_the_page(
    with_shop: Callable[..., None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app, x_login="anna")
        assert "First name: Kari" in text_of(await browser.get("/mine"))
        assert "First name: Ola" in text_of(
            await say(browser, app, "/mine", do="correct", name="first_name", value="Ola")
        )
        profile = await app.personalizer.store.profile("u:anna")
        assert profile is not None and profile.attributes["first_name"].value == "Ola"
        outside = text_of(await browser.get(YOU))
        assert "You were logged in with this browser." in outside and "Ola" not in outside

    with_shop(body)


def test_an_old_cookie_alone_never_shows_what_is_kept_under_a_login(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        planted = dict(browser.cookies)
        browser.headers = [("x-login", "anna")]
        await browser.get("/?buys=boots&name=Anna")
        await written(app)
        for cookies in (planted, dict(browser.cookies)):
            thief = Browser(app)
            thief.cookies = dict(cookies)
            for path in (YOU, "/mine"):
                assert "Anna" not in (await thief.get(path)).text

    with_shop(body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({}, 403),
        ({"sec-fetch-site": "same-origin", "content-type": "application/json"}, 400),
    ],
)
def test_no_other_site_answers_for_the_visitor(
    with_shop: Callable[..., None], headers: Mapping[str, str], status: int
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        count = len(await written(app))
        form = {"content-type": "application/x-www-form-urlencoded", **headers}
        for path in (YOU, "/mine"):
            reply = await browser.request("POST", path, headers=list(form.items()), body=b"do=refuse")
            assert (reply.status, reply.all("set-cookie")) == (status, [])
        assert len(await written(app)) == count

    with_shop(body)


@pytest.mark.parametrize("fields", [{}, {"do": "erase everything"}, {"do": "x" * 20_000}])
def test_what_no_button_asks_for_is_refused(with_shop: Callable[..., None], fields: dict[str, str]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        assert (await (await a_buyer(app)).post(YOU, fields)).status == 400

    with_shop(body)


def test_what_was_kept_of_them_is_text_and_never_markup(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        evil = '"><img src=x onerror=alert(1)>{{7*7}}'
        page = await say(browser, app, do="correct", name="first_name", value=evil)
        tree = LexborHTMLParser(page.text)
        assert not tree.css("img, script")
        assert evil in [field.attributes.get("value") for field in tree.css("input[name=value]")]

    with_shop(body)


def test_the_page_speaks_the_words_of_the_site(with_shop: Callable[..., None]) -> None:
    words = {"What we know of you": "Hva vi vet om deg", "First name": "Fornavn"}

    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app, accept_language="nb-NO,nb;q=0.9")
        page = await browser.get(YOU)
        assert "<h1>Hva vi vet om deg</h1>" in page.text and '<html lang="nb">' in page.text
        assert "Fornavn: Kari" in text_of(page)

    with_shop(body, translate=lambda text, language: words.get(text, text) if language == "nb" else text)


def test_a_store_that_cannot_be_asked_is_said_and_counted(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await a_buyer(app)
        await app.personalizer.store.close()
        reply = await browser.get(YOU)
        assert reply.status == 503 and "Please try again in a minute." in reply.text
        assert app.personalizer.health.failures["a visitor's own page could not be shown"] == 1

    with_shop(body)
