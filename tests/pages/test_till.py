"""The page for whoever serves a visitor: who may look, what they see, that each look is written down, and notes."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from personalize.events.event import CONSENT, LOOK, SET
from personalize.pages.till import REASONS
from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

RULES = """
attributes:
  first_name: {type: text, title: First name}
  letters: {type: bool, title: Gets letters, purpose: mail}
  email: {type: text, title: e-mail address, searchable: true}
  card: {type: text, title: number of their card, searchable: true, purpose: mail}
events:
  purchase:
    title: Bought something
    properties:
      amount: {type: money}
      category: {type: text}
      size: {type: choice, choices: [s, l]}
      gift: {type: bool}
    value: amount
    interest: category
  survey: {title: Answered, purpose: mail, properties: {score: {type: number}}}
segments:
  regulars: {title: Comes again and again, who: {purchase.count: {at_least: 2}}}
slots:
  say:
    title: To say
    page: till
    rules:
      - {id: thanks, to: {segment: regulars}, show: things/thanks}
  hero: {rules: [{id: always, show: things/tent}]}
"""
ITEMS = {"thanks": "Thank them for coming back", "tent": "A tent"}
TILL = "/_personalize/till"
ALL = {"granted": ["personalize", "measure"]}
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


def staff(scope: Scope) -> str | None:
    """Who is at the till, by a header that stands for the site's own login."""
    return dict(scope["headers"]).get(b"x-staff", b"").decode() or None


@pytest.fixture
def with_shop(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against a wrapped, started and published shop with a till."""

    def run(body: Body, **more: Any) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path, rules=RULES, items=ITEMS)
            site = Starlette(routes=[Route("/", lambda request: HTMLResponse("hello"))])
            app = wrap(site, desk_settings(tmp_path), **{"staff": staff, **more})
            async with running(app):
                await published(app)
                await body(app)

        asyncio.run(all_of_it())

    return run


async def happens(app: PersonalizeMiddleware, type_: str, properties: dict[str, Any]) -> None:
    """Something about Kari enters the log."""
    personalizer = app.personalizer
    await personalizer.ingest.record([personalizer.event(type_, "u:kari", properties)])


async def look(app: PersonalizeMiddleware, user: str = "kari", why: str = REASONS[0], **fields: str) -> Reply:
    """Somebody of the staff looks at a visitor."""
    browser = Browser(app, headers=[("x-staff", "Ole")])
    return await browser.post(TILL, {"do": "look", "user": user, "why": why, **fields})


def text_of(reply: Reply) -> str:
    """What the page says, without its style and marks."""
    tree = LexborHTMLParser(reply.text)
    tree.strip_tags(["style"])
    assert tree.body is not None
    return re.sub(r"\s+", " ", tree.body.text(separator=" ")).strip()


async def looks(app: PersonalizeMiddleware) -> list[tuple[str, object, object]]:
    """Who was looked at, by whom, and why."""
    events = await written(app)
    return [(e.profile_id, e.properties["by"], e.properties["why"]) for e in events if e.type == LOOK]


def test_only_who_may_serve_sees_the_page_and_without_staff_there_is_none(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        for method in ("GET", "POST"):
            reply = await Browser(app).request(method, TILL, headers=[("sec-fetch-site", "same-origin")])
            assert (reply.status, "kari" in reply.text) == (403, False)
        reply = await Browser(app, headers=[("x-staff", "Ole")]).get(TILL)
        assert (reply.status, reply.header("cache-control")) == (200, "no-store")
        assert "default-src 'none'" in (reply.header("content-security-policy") or "")
        assert "<script" not in reply.text
        assert await looks(app) == []

    async def without(app: PersonalizeMiddleware) -> None:
        assert (await Browser(app, headers=[("x-staff", "Ole")]).get(TILL)).status == 404

    with_shop(body)
    with_shop(without, staff=None)


def test_a_visitor_is_told_of_in_words_with_what_to_say_next_and_why(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        await happens(app, SET, {"first_name": "Kari", "letters": True})
        for amount in (300, 500):
            await app.personalizer.record("purchase", "u:kari", {"amount": amount, "category": "tents"})
        await app.personalizer.record("survey", "u:kari", {"score": 7})
        text = text_of(await look(app))
        for said in (
            "First name Kari",
            "Segments Comes again and again",
            "Thank them for coming back To say",
            'Show things/thanks to everyone in "Comes again and again".',
            "Bought something 2, EUR 800.00 in all",
            "tents",
        ):
            assert said in text, said
        assert "Gets letters" not in text and "score: 7" not in text  # for which nobody has agreed

    with_shop(body)


def test_who_has_what_they_are_found_by_is_looked_at_and_of_several_one_is_chosen(
    with_shop: Callable[..., None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        await happens(app, SET, {"email": "kari@example.org", "card": "C 17"})
        assert "Their login, number of their card or e-mail address" in text_of(await look(app, "nobody"))
        found = await look(app, " KARI@example.org ")
        assert "kari" in LexborHTMLParser(found.text).css_first("#who").text() and "C 17" not in text_of(found)
        assert "Nothing is known under this." in text_of(await look(app, "C 17"))  # she agreed to no mail
        await happens(app, CONSENT, {"granted": ["personalize", "mail"]})
        assert "C 17" in text_of(await look(app, "c 17"))
        personalizer, before = app.personalizer, await looks(app)
        told = [(CONSENT, ALL), (SET, {"email": "kari@example.org"})]
        await personalizer.ingest.record([personalizer.event(type_, "u:ole", said) for type_, said in told])
        both = await look(app, "kari@example.org")
        assert [one.attributes["value"] for one in LexborHTMLParser(both.text).css("li button")] == ["kari", "ole"]
        assert "Segments" not in text_of(both) and await looks(app) == before

    with_shop(body)


def test_each_look_is_written_down_before_anything_is_told(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        before = await app.personalizer.store.profile("u:kari")
        assert (await look(app, why=REASONS[1])).status == 200
        assert await looks(app) == [("u:kari", "Ole", REASONS[1])]
        assert await app.personalizer.store.profile("u:kari") == before
        assert (await look(app, user="nobody")).status == 422
        for wrong in ({"why": "curious"}, {"user": ""}, {"user": "x" * 300}):
            assert "Say whom you serve" in text_of(await look(app, **wrong))
        assert len(await looks(app)) == 1

    with_shop(body)


@pytest.mark.parametrize("granted", [[], None])
def test_of_who_did_not_agree_nothing_is_told(with_shop: Callable[..., None], granted: list[str] | None) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, SET, {"first_name": "Kari"})
        await app.personalizer.record("purchase", "u:kari", {"amount": 300, "category": "tents"})
        if granted is not None:
            await happens(app, CONSENT, {"granted": granted})
        text = text_of(await look(app))
        assert "They have not agreed to be remembered" in text
        assert "Kari" not in text and "tents" not in text and "300" not in text

    with_shop(body)


def test_what_happened_is_noted_once_however_often_the_form_is_sent(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        form = {"do": "note", "event": "purchase", "id": "one", "p.amount": "29.90", "p.size": "l", "p.gift": "yes"}
        for _ in range(2):
            assert "It is noted." in text_of(await look(app, **form))
        noted = [event for event in await written(app) if event.type == "purchase"]
        assert [dict(event.properties) for event in noted] == [{"amount": 2990, "size": "l", "gift": True}]
        assert (noted[0].channel, noted[0].sender) == ("till", "till")
        survey = {"do": "note", "event": "survey", "id": "two", "p.score": "7"}
        assert "It is noted." in text_of(await look(app, **survey))
        wrong = await look(app, **{**form, "id": "three", "p.amount": "a lot"})
        assert (wrong.status, "It is not noted" in text_of(wrong)) == (422, True)
        assert (await look(app, **{**form, "id": "four", "event": "nothing"})).status == 422
        assert len([event for event in await written(app) if event.type == "purchase"]) == 1

    with_shop(body)


def test_a_form_of_another_site_changes_nothing(with_shop: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        browser = Browser(app, headers=[("x-staff", "Ole")])
        fields = b"do=look&user=kari&why=They+stand+before+me"
        for site in ("cross-site", "same-site"):
            headers = [("sec-fetch-site", site), ("content-type", "application/x-www-form-urlencoded")]
            assert (await browser.request("POST", TILL, headers=headers, body=fields)).status == 403
        assert (await browser.request("DELETE", TILL)).status == 405
        assert await looks(app) == []

    with_shop(body)


PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</style><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_is_stored_or_sent_becomes_markup(with_shop: Callable[..., None], payload: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await happens(app, CONSENT, ALL)
        plain = LexborHTMLParser((await look(app)).text)
        await happens(app, SET, {"first_name": payload})
        await app.personalizer.record("purchase", "u:kari", {"amount": 5, "category": payload})
        for reply in (await look(app), await look(app, user=payload), await look(app, why=payload)):
            tree = LexborHTMLParser(reply.text)
            for tag in ("script", "img", "svg", "a", "iframe"):
                assert len(tree.css(tag)) == len(plain.css(tag)) == 0, tag
            assert not [one for one in tree.css("*") if any(str(name).startswith("on") for name in one.attributes)]
        assert payload in text_of(await look(app)) or payload.strip() in (await look(app)).text.replace("&#39;", "'")

    with_shop(body)
