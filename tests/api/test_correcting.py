"""What was recorded can be taken back, by whoever recorded it."""

from pathlib import Path
from typing import Any

from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import Channel, channel, on_site, purchase


async def totals(asking: Channel, visitor: str = "u:anna") -> Any:
    told = await asking.call("/profiles/read", {"visitor": visitor})
    return told.values["totals"].get("purchase")


def test_an_event_that_is_retracted_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write", "profiles:read")
        for event_id in ("r1", "r2"):
            await till.call("/events", purchase(event_id))
        assert (await totals(till))["sum"] == "59.80"
        retraction = {"id": "c1", "visitor": "u:anna", "event": "r1"}
        assert (await till.call("/events/retract", retraction)).values == {"outcome": "new"}
        assert (await till.call("/events/retract", retraction)).values == {"outcome": "repeated"}
        left = await totals(till)
        assert (left["count"], left["sum"]) == (1, "29.90")

    on_site(tmp_path, body)


def test_nobody_retracts_what_another_sender_recorded(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write", "profiles:read")
        other = await channel(app, "events:write", sender="letters")
        await till.call("/events", purchase("r1"))
        await other.call("/events/retract", {"id": "c1", "visitor": "u:anna", "event": "r1"})
        assert (await totals(till))["count"] == 1

    on_site(tmp_path, body)


def test_a_join_is_undone(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app, "profiles:write", "profiles:read", "events:write")
        personalizer = app.personalizer
        await desk.call("/events", purchase("r1", "v:browser"))
        join = personalizer.event("join", "u:anna", {"from": "v:browser"}, event_id="j1")
        await personalizer.ingest.record([join])
        assert (await totals(desk))["count"] == 1
        undoing = {"id": "c1", "visitor": "u:anna", "browser": "v:browser"}
        never = await desk.call("/joins/undo", {**undoing, "id": "c0", "browser": "v:other"})
        assert (never.status, never.code, never.values["pointer"]) == (404, "E312", "/browser")
        assert (await desk.call("/joins/undo", undoing)).status == 201
        assert (await totals(desk, "v:browser"))["count"] == 1
        assert (await desk.call("/profiles/read", {"visitor": "u:anna"})).status == 404
        assert (await desk.call("/joins/undo", {**undoing, "browser": "u:anna"})).values["pointer"] == "/browser"

    on_site(tmp_path, body)
