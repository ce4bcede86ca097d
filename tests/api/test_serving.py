"""Whoever serves a visitor, by a system of the site's own: the same as on the page, and written down as there."""

from pathlib import Path

from personalize.events.event import CONSENT, LOOK
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import channel, on_site
from tests.desk import written

ASKS = {"user_id": "anna", "by": "Ole", "why": "on the phone"}


def test_what_may_be_told_is_told_and_each_look_is_written_down(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        personalizer = app.personalizer
        agreed = personalizer.event(CONSENT, "u:anna", {"granted": ["personalize"]})
        await personalizer.ingest.record([agreed])
        await personalizer.record("purchase", "u:anna", {"amount": 29})
        told = (await (await channel(app, "serve")).call("/visitors/serve", ASKS)).values
        assert (told["user_id"], told["may_be_used"]) == ("anna", True)
        assert [(one["count"], one["total"]) for one in told["did"]] == [(1, "EUR 29.00")]
        looks = [event for event in await written(app) if event.type == LOOK]
        assert len(looks) == 1 and str(looks[0].properties["by"]).endswith(": Ole")
        assert looks[0].properties["why"] == "on the phone"

    on_site(tmp_path, body)


def test_of_who_did_not_agree_or_is_unknown_nothing_is_told(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await app.personalizer.record("purchase", "u:anna", {"amount": 29})
        asking = await channel(app, "serve")
        told = (await asking.call("/visitors/serve", ASKS)).values
        assert (told["may_be_used"], told["did"], told["events"], told["segments"]) == (False, [], [], [])
        assert (await asking.call("/visitors/serve", {**ASKS, "user_id": "nobody"})).status == 404

    on_site(tmp_path, body)
