"""Access: tokens, browsers of the site's own pages, and nobody else; guessing is slowed down."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from personalize.api import access
from personalize.errors import StoreUnavailable
from personalize.runtime.access import digest_of
from personalize.stores.protocols import AccessToken
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import ROOT, Channel, Told, channel, consenting, from_page, on_site, purchase
from tests.desk import written

LOOKED = {"id": "e1", "type": "looked", "properties": {"item": "tent"}}


def test_a_token_that_is_none_of_ours_gets_the_same_answer_however_it_is_wrong(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        assert till.token is not None
        store, now = app.personalizer.store, app.personalizer.clock.now()
        for shown, over in (("pzt_revoked", {"revoked_at": now}), ("pzt_expired", {"expires_at": now})):
            kept = AccessToken(digest_of(shown), "till", frozenset({"events:write"}), now - timedelta(days=1))
            await store.keep_token(replace(kept, **over))
        wrong = [
            till.token[:-1],
            till.token + "A",
            till.token.swapcase(),
            "pzt_",
            "x" * 300,
            "pzt_expired",
            "pzt_revoked",
            "é",
        ]
        told = [await Channel(app, one).call("/events", purchase()) for one in wrong]
        assert {one.reply.body for one in told} == {told[0].reply.body}
        assert (told[0].status, told[0].code) == (401, "unknown_token")
        assert told[0].reply.header("www-authenticate") == 'Bearer realm="personalize"'
        assert await written(app) == []

    on_site(tmp_path, body)


def test_without_a_token_the_answer_says_how_one_is_sent(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for headers in ([], [("authorization", "Basic dTpw")], [("authorization", "Bearer a")] * 2):
            told = await Channel(app, None).send("/events", b"{}", headers=headers)
            assert (told.status, told.code) == (401, "no_token")
            assert "Authorization: Bearer" in told.values["hint"]

    on_site(tmp_path, body)


def test_whoever_guesses_is_slowed_down_and_others_behind_the_same_address_are_not(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        guesses = [await Channel(app, f"pzt_{number}").call("/events", purchase()) for number in range(25)]
        assert [one.status for one in guesses] == [401] * access.BAD_TOKENS + [429] * 5
        assert int(guesses[-1].reply.header("retry-after") or 0) >= 1
        assert (await (await channel(app)).call("/events", purchase())).status == 201
        elsewhere = await Channel(app, "pzt_0", address="10.1.1.1").call("/events", purchase())
        assert elsewhere.status == 401

    on_site(tmp_path, body)


def test_a_body_is_not_read_before_it_is_known_who_sends_it(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        async def never() -> None:
            raise AssertionError("the body was asked for")

        sent: list[int] = []

        async def send(message: object) -> None:
            sent.append(message.get("status", 0))  # type: ignore[attr-defined]

        scope = {"type": "http", "method": "POST", "path": f"{ROOT}/events", "headers": [], "client": ("10.0.0.1", 1)}
        await app(scope, never, send)  # type: ignore[arg-type]
        assert sent[0] == 401

    on_site(tmp_path, body)


def test_a_page_of_the_site_records_what_is_declared_for_the_visitor_of_its_cookie(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        told = await from_page(browser, "/browser/events", LOOKED)
        assert (told.status, told.values) == (201, {"outcome": "new"})
        assert (await from_page(browser, "/browser/events", LOOKED)).status == 200
        other = await from_page(await consenting(app), "/browser/events", LOOKED)
        assert other.status == 201  # an id is of one visitor: nobody takes it before somebody else
        assert (await from_page(browser, "/browser/attributes", {"id": "a", "attributes": {"size": 41}})).status == 201
        events = [event for event in await written(app) if event.type != "consent"]
        assert {event.sender for event in events} == {"browser"}
        profile = await app.personalizer.store.profile(events[0].profile_id)
        assert profile is not None and profile.attributes["size"].value == 41
        assert browser.cookies["pz"].startswith(events[0].profile_id.removeprefix("v:"))

    on_site(tmp_path, body)


def test_a_browser_may_neither_say_more_nor_for_somebody_else(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        for path, values, code in (
            ("/browser/events", {"id": "1", "type": "purchase"}, "E307"),
            ("/browser/attributes", {"id": "2", "attributes": {"tier": "gold"}}, "E307"),
            ("/browser/events", {**LOOKED, "visitor": "u:anna"}, "invalid"),
            ("/browser/events", {**LOOKED, "at": "2020-01-01T00:00:00Z"}, "invalid"),
        ):
            told = await from_page(browser, path, values)
            assert (told.status, told.code) == (422, code)
        assert (await from_page(browser, "/events", purchase())).status == 401
        assert (await from_page(browser, "/profiles/read", {"visitor": "u:anna"})).status == 401
        assert [event.type for event in await written(app)] == ["consent"]

    on_site(tmp_path, body)


def test_a_page_of_another_site_is_refused_whatever_it_sends(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        for headers in (
            [],
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
            [("sec-fetch-site", "none")],
            [("origin", "https://evil.example")],
            [("origin", "null")],
        ):
            told = await from_page(browser, "/browser/events", LOOKED, headers)
            assert (told.status, told.code) == (403, "not_same_origin")
            assert not [name for name, _ in told.reply.headers if name.startswith(b"access-control")]
        preflight = Told(
            await browser.request("OPTIONS", f"{ROOT}/browser/events", headers=[("origin", "https://evil.example")])
        )
        assert preflight.status == 405
        assert not [name for name, _ in preflight.reply.headers if name.startswith(b"access-control")]
        assert (await from_page(browser, "/browser/events", LOOKED, [("origin", "http://shop.example")])).status == 201

    on_site(tmp_path, body)


def test_nothing_is_kept_of_who_has_not_agreed_to_it(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        stranger = await consenting(app, "")
        assert (await from_page(stranger, "/browser/events", LOOKED)).code == "no_visitor"
        nobody = await consenting(app, "measure")
        assert (await from_page(nobody, "/browser/events", {"id": "m", "type": "measured"})).code == "no_visitor"
        measured = await consenting(app, "measure mail")
        assert (await from_page(measured, "/browser/events", LOOKED)).code == "no_visitor"
        assert (await from_page(measured, "/browser/events", {"id": "m", "type": "measured"})).status == 201
        forged = await consenting(app)
        signed = forged.cookies["pz"]  # not its last letter: base64 leaves some bits of that unread
        forged.cookies["pz"] = f"{signed[:-5]}{'B' if signed[-5] == 'A' else 'A'}{signed[-4:]}"
        assert (await from_page(forged, "/browser/events", LOOKED)).code == "no_visitor"
        private = await consenting(app, headers=[("sec-gpc", "1")])
        assert (await from_page(private, "/browser/events", LOOKED)).status == 201  # a yes of their own counts
        assert {event.type for event in await written(app)} == {"consent", "measured", "looked"}

    on_site(tmp_path, body)


def test_a_browser_that_sends_without_end_is_slowed_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "CALLS_OF_VISITOR", 3)

    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        told = [await from_page(browser, "/browser/events", {**LOOKED, "id": str(number)}) for number in range(5)]
        assert [one.status for one in told] == [201, 201, 201, 429, 429]
        assert (await from_page(await consenting(app), "/browser/events", LOOKED)).status == 201

    on_site(tmp_path, body)


def test_so_is_an_address_with_many_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "CALLS_OF_ADDRESS", 2)

    async def body(app: PersonalizeMiddleware) -> None:
        told = [await from_page(await consenting(app), "/browser/events", LOOKED) for _ in range(3)]
        assert [one.status for one in told] == [201, 201, 429]

    on_site(tmp_path, body)


def test_no_token_id_or_address_gets_into_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    canary = "kari.canary@example.com"

    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write", "profiles:read", "decide", "profiles:write")
        browser = await consenting(app)
        await till.call("/events", purchase("canary-id", f"u:{canary}"))
        await till.call("/profiles/read", {"visitor": f"u:x{canary}"})
        await till.call("/profiles/search", {"user_id": canary})
        await till.call("/attributes", {"id": "2", "visitor": f"u:{canary}", "attributes": {"tier": canary}})
        await till.send("/events", f'{{"id": "{canary}'.encode())
        await Channel(app, "pzt_" + canary).call("/events", purchase())
        await from_page(browser, "/browser/events", {**LOOKED, "properties": {"item": canary, canary: 1}})
        app.personalizer.store.apply = _fails  # type: ignore[method-assign]
        assert (await till.call("/events", purchase("other", f"u:{canary}"))).status == 503
        assert till.token is not None
        for secret in (canary, till.token, till.token[4:], "canary-id", browser.cookies["pz"]):
            assert secret not in caplog.text

    with caplog.at_level(logging.DEBUG):
        on_site(tmp_path, body)
    assert "a call of the API could not be answered" in caplog.text


async def _fails(*_arguments: object, **_more: object) -> None:

    raise StoreUnavailable("the disk is full")
