"""Other channels see what a page would show: by the same function, counted only when asked for."""

from pathlib import Path
from typing import Any

from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import API_RULES, Channel, channel, consenting, on_site, purchase
from tests.desk import written

AGREED = ["measure", "personalize"]


async def shown(asking: Channel, slot: str = "hero", **asked: Any) -> list[str]:
    """The items that a slot shows to Anna."""
    told = await asking.call("/decisions", {"visitor": "u:anna", "slots": [slot], **asked})
    assert told.status == 200, told.values
    return [item["id"] for item in told.values["slots"][slot]["items"]]


def test_it_shows_what_the_page_shows(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide", "consent", "events:write")
        browser = await consenting(app)
        for properties, page in (({}, ""), ({"category": "tents"}, "What goes with a tent")):
            bought = purchase(f"r{len(properties)}", properties={"amount": 1, **properties})
            await mail.call("/events", bought)
            await mail.call("/consent", {"id": "c", "visitor": "u:anna", "granted": AGREED})
            text = (await browser.get("/", headers=[("x-login", "anna")])).text
            titles = {"things/thanks": "Thank you", "things/tent": "What goes with a tent"}
            (item,) = await shown(mail)
            assert titles[item] in text and page in text

    on_site(tmp_path, body)


def test_what_the_channel_tells_of_the_occasion_counts(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide")
        assert await shown(mail) == []
        assert await shown(mail, page={"source": "newsletter", "query": {"a": "b"}}) == ["things/letter"]

    on_site(tmp_path, body)


def test_rules_read_the_channel_that_asks(tmp_path: Path) -> None:
    rules = f"{API_RULES}  head:\n    rules: [{{id: mail, to: {{page.channel: mail}}, show: things/letter}}]\n"

    async def body(app: PersonalizeMiddleware) -> None:
        any_of_them = await channel(app, "decide", "explain")
        assert await shown(any_of_them, "head", channel="mail") == ["things/letter"]
        for other in ({"channel": "till"}, {"channel": "web"}, {}):
            assert await shown(any_of_them, "head", **other) == []
        asked = {"visitor": "u:anna", "slot": "head", "channel": "mail"}
        told = (await any_of_them.call("/explanations", asked)).values
        assert told["items"] == ["things/letter"] and not told["personal"]

    on_site(tmp_path, body, rules=rules)


def test_what_holds_is_the_stored_consent_then_the_channels_then_none(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide", "consent", "events:write")
        await mail.call("/events", purchase())
        assert await shown(mail) == []
        assert await shown(mail, consent=[]) == []
        assert await shown(mail, consent=["personalize"]) == ["things/thanks"]
        await mail.call("/consent", {"id": "no", "visitor": "u:anna", "granted": []})
        assert await shown(mail, consent=["personalize"]) == []

    on_site(tmp_path, body)


def test_slots_of_one_call_show_no_item_twice_and_items_come_with_all_they_hold(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide", "profiles:write", "events:write")
        await mail.call(
            "/attributes", {"id": "1", "visitor": "u:anna", "attributes": {"tier": "gold", "first_name": "A&B"}}
        )
        await mail.call("/events", purchase())
        asked = {"visitor": "u:anna", "slots": ["row", "hero", "season", "hero"], "consent": AGREED}
        told = (await mail.call("/decisions", asked)).values
        items = {slot: [item["id"] for item in one["items"]] for slot, one in told["slots"].items()}
        assert items == {"row": ["things/gold"], "hero": ["things/thanks"], "season": ["things/season"]}
        (gold,) = told["slots"]["row"]["items"]
        assert gold["markup"] == "<b>For gold</b><p>Hello A&amp;B.</p>\n"
        assert (gold["collection"], gold["title"], gold["fields"], gold["tags"]) == ("things", "For gold", {}, [])
        assert (told["slots"]["hero"]["rule"], told["slots"]["hero"]["reason"]) == ("buyers", "rule")
        assert (told["version"] == app.personalizer.rule_set and told["version"]) or told["version"]

    on_site(tmp_path, body)


def test_an_impression_counts_only_when_asked_for_once_and_with_consent(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide")
        asked = {"visitor": "u:anna", "slots": ["season", "hero"], "channel": "mail"}
        assert (await mail.call("/decisions", {**asked, "consent": AGREED})).values["counted"] is False
        assert (await mail.call("/decisions", {**asked, "impression": "i1"})).values["counted"] is False
        assert await written(app) == []
        for _ in range(2):
            told = await mail.call("/decisions", {**asked, "impression": "i1", "consent": AGREED})
            assert told.values["counted"] is True
        (event,) = await written(app)
        assert (event.type, event.sender, event.event_id, event.channel) == ("impression", "till", "i1", "mail")
        assert [one["slot"] for one in event.properties["slots"]] == ["season"]  # type: ignore[index, union-attr, call-overload]

    on_site(tmp_path, body)


def test_a_slot_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide", "explain")
        told = await mail.call("/decisions", {"visitor": "u:anna", "slots": ["hero", "seasno"]})
        assert (told.status, told.code, told.values["pointer"]) == (404, "unknown_slot", "/slots/1")
        assert "season" in told.values["hint"]
        told = await mail.call("/explanations", {"visitor": "u:anna", "slot": "heroo"})
        assert (told.code, told.values["pointer"]) == ("unknown_slot", "/slot")

    on_site(tmp_path, body)


def test_switched_off_every_slot_shows_what_the_channel_has(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide")
        assert await shown(mail, "season") == ["things/season"]
        app.personalizer.off = True
        assert await shown(mail, "season") == []

    on_site(tmp_path, body)


def test_without_rules_there_is_nothing_to_decide(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mail = await channel(app, "decide")
        rule_set, app.personalizer.rule_set = app.personalizer.rule_set, None
        told = await mail.call("/decisions", {"visitor": "u:anna", "slots": ["hero"]})
        assert (told.status, told.code) == (503, "nothing_live")
        app.personalizer.rule_set = rule_set

    on_site(tmp_path, body)


def test_an_explanation_says_what_the_decision_does(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        desk = await channel(app, "decide", "explain", "events:write")
        await desk.call("/events", purchase())
        asked = {"visitor": "u:anna", "slot": "hero", "consent": AGREED}
        told = (await desk.call("/explanations", asked)).values
        assert told["items"] == await shown(desk, consent=AGREED) == ["things/thanks"]
        results = {rule["rule_id"]: rule["result"] for rule in told["rules"]}
        assert results == {"tents": "no_match", "buyers": "shows", "letter": "no_match"}
        assert told["rules"][0]["nearest_miss"]
        brief = (await desk.call("/explanations", {**asked, "misses": False})).values
        assert not brief["rules"][0]["nearest_miss"]

    on_site(tmp_path, body)
