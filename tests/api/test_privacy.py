"""A visitor who asks gets all that is stored of them, and can have it erased."""

from pathlib import Path

from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import channel, on_site, purchase
from tests.desk import written


def test_all_that_is_stored_is_handed_out_with_what_the_browser_told(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app, "privacy", "events:write")
        personalizer = app.personalizer
        await desk.call("/events", purchase("r1", "v:browser", at="2026-01-01T00:00:00Z"))
        await personalizer.ingest.record([personalizer.event("join", "u:anna", {"from": "v:browser"}, event_id="j")])
        await desk.call("/events", purchase("r2", "u:olav"))
        told = (await desk.call("/persons/download", {"visitor": "u:anna"})).values
        assert told["browsers"] == ["v:browser"]
        assert [event["type"] for event in told["events"]] == ["purchase", "join"]
        assert told["events"][0]["properties"] == {"amount": 2990}
        taken = await desk.call("/persons/download", {"visitor": "v:browser"})
        assert (taken.status, taken.code, taken.values["into"]) == (409, "taken_over", "u:anna")

    on_site(tmp_path, body)


def test_who_is_erased_is_gone_from_every_door_at_once(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app)
        await desk.call("/events", purchase("r1"))
        receipt = (await desk.call("/persons/erase", {"visitor": "u:anna"})).values
        assert (receipt["profiles"], receipt["events"], receipt["copies"]) == (1, 1, [])
        assert (await desk.call("/profiles/read", {"visitor": "u:anna"})).status == 404
        assert (await desk.call("/profiles/search", {"user_id": "anna"})).values == {"visitors": []}
        assert (await desk.call("/persons/download", {"visitor": "u:anna"})).values["events"] == []
        late = await desk.call("/events", purchase("r1", at="2026-01-01T00:00:00Z"))
        assert (late.status, late.code) == (409, "erased")
        assert await written(app) == []

    on_site(tmp_path, body)
