"""Recording: an answer with success says that it is durable, and counts once."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from personalize.stores.floors import Floors
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import channel, on_site, purchase
from tests.desk import written


def test_an_event_is_in_the_log_when_the_answer_comes_and_counts_once(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        first = await till.call("/events", purchase(at="2026-11-01T18:00:00+01:00", channel="till"))
        assert (first.status, first.values) == (201, {"outcome": "new"})
        (event,) = [event async for event in app.personalizer.store.log()]
        assert (event.sender, event.event_id, event.channel, event.profile_id) == ("till", "r1", "till", "u:anna")
        assert event.occurred_at.isoformat() == "2026-11-01T17:00:00+00:00"
        assert dict(event.properties) == {"amount": 2990}
        again = await till.call("/events", purchase(at="2026-11-01T18:00:00+01:00", channel="till"))
        assert (again.status, again.values) == (200, {"outcome": "repeated"})
        profile = await app.personalizer.store.profile("u:anna")
        assert profile is not None and profile.totals["purchase"].count == 1

    on_site(tmp_path, body)


def test_two_senders_may_use_one_id(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for sender in ("till", "letters"):
            told = await (await channel(app, "events:write", sender=sender)).call("/events", purchase())
            assert told.status == 201

    on_site(tmp_path, body)


UNFIT: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "purchas"}, "E301", "/type"),
    ({"type": "set"}, "E301", "/type"),
    ({"type": 5}, "invalid", "/type"),
    ({"properties": {"amont": 1}}, "E302", "/properties/amont"),
    ({"properties": {"amount": "much"}}, "E304", "/properties/amount"),
    ({"properties": []}, "invalid", "/properties"),
    ({"visitor": "anna"}, "invalid", "/visitor"),
    ({"visitor": "u:"}, "invalid", "/visitor"),
    ({"visitor": "u:a\nb"}, "invalid", "/visitor"),
    ({"visitor": "u:" + "x" * 200}, "invalid", "/visitor"),
    ({"id": ""}, "invalid", "/id"),
    ({"id": None}, "invalid", "/id"),
    ({"at": "yesterday"}, "invalid", "/at"),
    ({"at": "2026-11-01T18:00:00"}, "invalid", "/at"),
    ({"channel": "Till 1"}, "invalid", "/channel"),
    ({"vistor": "u:anna"}, "invalid", "/vistor"),
]


def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        for change, code, pointer in UNFIT:
            told = await till.call("/events", {**purchase(), **change})
            assert (told.status, told.code, told.values["pointer"]) == (422, code, pointer)
        assert await written(app) == []

    on_site(tmp_path, body)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        told = await till.call("/events", {"type": "purchase", "visitor": "u:anna"})
        assert told.values["pointer"] == "/id"
        assert told.values["detail"].startswith('"id" is missing: Names it among all')
        hinted = await till.call("/events", {**purchase(), "vistor": "u:anna"})
        assert "visitor" in hinted.values["hint"]

    on_site(tmp_path, body)


def test_a_batch_keeps_what_fits_and_tells_of_each(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        batch = [purchase("a"), {**purchase("b"), "type": "nothing"}, "no event", purchase("c")]
        told = await till.call("/events/batch", {"events": batch})
        assert told.status == 200
        kept, unknown, none, last = told.values["outcomes"]
        assert (kept["id"], kept["outcome"]) == ("a", "new")
        assert last["id"] == "c"
        assert (unknown["outcome"], unknown["problem"]["pointer"]) == ("refused", "/events/1/type")
        assert none["problem"]["pointer"] == "/events/2"
        assert [event.event_id for event in await written(app)] == ["a", "c"]

    on_site(tmp_path, body)


def test_a_batch_has_a_thousand_events_at_most_and_one_at_least(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        for events in ([], [{}] * 1_001, "none", None):
            told = await till.call("/events/batch", {"events": events})
            assert (told.status, told.values["pointer"]) == (422, "/events")

    on_site(tmp_path, body)


def test_calls_that_come_together_share_commits_and_lose_nothing(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        told = await asyncio.gather(*(till.call("/events", purchase(f"r{number % 60}")) for number in range(100)))
        assert sorted(one.status for one in told) == [200] * 40 + [201] * 60
        assert len(await written(app)) == 60

    on_site(tmp_path, body)


def test_attributes_are_set_and_removed_and_an_older_word_does_not_win(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "profiles:write", "profiles:read")
        now = app.personalizer.clock.now()
        for event_id, at, values in (
            ("1", now, {"first_name": "Anna", "tier": "gold"}),
            ("2", now - timedelta(days=1), {"tier": "basic"}),
            ("3", now + timedelta(seconds=1), {"first_name": None, "spent": "12.50"}),
        ):
            body = {"id": event_id, "visitor": "u:anna", "attributes": values, "at": at.isoformat()}
            assert (await mail.call("/attributes", body)).status == 201
        told = await mail.call("/profiles/read", {"visitor": "u:anna"})
        assert told.values["attributes"] == {"tier": "gold", "spent": "12.50"}

    on_site(tmp_path, body)


def test_an_attribute_that_nobody_declared_is_refused_and_a_private_one_never_quoted(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "profiles:write")
        unknown = await mail.call("/attributes", {"id": "1", "visitor": "u:a", "attributes": {"teir": "gold"}})
        assert (unknown.code, unknown.values["pointer"]) == ("E303", "/attributes/teir")
        private = await mail.call("/attributes", {"id": "2", "visitor": "u:a", "attributes": {"spent": "secret-word"}})
        assert private.status == 422 and "secret-word" not in str(private.values)
        empty = await mail.call("/attributes", {"id": "3", "visitor": "u:a", "attributes": {}})
        assert empty.values["pointer"] == "/attributes"
        assert await written(app) == []

    on_site(tmp_path, body)


def test_another_event_under_the_same_id_is_a_conflict_and_the_first_is_kept(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write", "profiles:read", "profiles:write")
        for at in ({}, {"at": "2026-11-01T18:00:00+01:00"}):
            event_id = f"r{len(at)}"
            assert (await till.call("/events", purchase(event_id, **at))).status == 201
            assert (await till.call("/events", purchase(event_id, **at))).status == 200
            for other in (
                purchase(event_id, **at, properties={"amount": "30.00"}),
                purchase(event_id, "u:olav", **at),
                purchase(event_id, **at, channel="web"),
                {**purchase(event_id), "at": "2026-11-02T18:00:00+01:00"},
            ):
                told = await till.call("/events", other)
                assert (told.status, told.code, told.values["pointer"]) == (409, "conflict", "/id")
        attributes = {"id": "r0", "visitor": "u:anna", "attributes": {"tier": "gold"}}
        assert (await till.call("/attributes", attributes)).status == 409
        batch = [purchase("r0"), purchase("r0", "u:olav"), purchase("new")]
        told = await till.call("/events/batch", {"events": batch})
        assert [one["outcome"] for one in told.values["outcomes"]] == ["repeated", "refused", "new"]
        assert told.values["outcomes"][1]["problem"]["code"] == "conflict"
        lines = "\n".join(map(json.dumps, batch)).encode()
        streamed = await till.send("/events/stream", lines, media_type="application/x-ndjson")
        assert (streamed.values["repeated"], streamed.values["refused"]) == (2, 1)
        assert [(one["line"], one["code"]) for one in streamed.values["problems"]] == [(2, "conflict")]
        profile = await app.personalizer.store.profile("u:anna")
        assert profile is not None and profile.totals["purchase"].sum == 3 * 2990

    on_site(tmp_path, body)


def test_what_is_older_than_the_log_or_of_somebody_erased_is_refused_with_its_reason(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        store, now = app.personalizer.store, app.personalizer.clock.now()
        await till.call("/events", purchase("r1", "u:gone"))
        await store.erase("u:gone", at=now + timedelta(seconds=1), by="a test")
        await store.raise_floors(Floors(now - timedelta(days=400)))
        old = await till.call("/events", purchase("r2", at="2001-01-01T00:00:00Z"))
        assert (old.status, old.code) == (422, "too_old")
        late = await till.call("/events", purchase("r3", "u:gone", at=now.isoformat()))
        assert (late.status, late.code) == (409, "erased")
        assert await written(app) == []

    on_site(tmp_path, body)
