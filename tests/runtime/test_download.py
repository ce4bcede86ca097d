"""A download leaves out nothing of what is kept of a person, and says it in the words that the site declares."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from personalize.events.event import Event
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.download import Download, as_html, as_json, download_of
from personalize.runtime.draft import read_draft
from personalize.runtime.person import person_in
from personalize.runtime.publish import checked, projectors_of
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from tests.desk import desk_settings, write_desk
from tests.stores.samples import at, event, purchase
from tests.stores.sqlite.test_erasing import CANARIES, LOGIN, all_that_is_told

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def desk(folder: Path) -> tuple[RuleSet, Settings]:
    write_desk(folder)
    settings = desk_settings(folder)
    return checked(read_draft(settings, Problems()), settings), settings


def downloaded(folder: Path, events: list[Event], profile_id: str = LOGIN) -> Download:
    rule_set, settings = desk(folder)

    async def scene() -> Download:
        store = MemoryStore()
        await store.apply(events, projectors_of(rule_set, settings))
        return download_of(await person_in(store, profile_id), rule_set, settings, now=NOW)

    return asyncio.run(scene())


def test_nothing_is_left_out(tmp_path: Path) -> None:
    others = [purchase("u:other", 123_456), event("purchase", "v:other", {"category": "not hers"})]
    made = downloaded(tmp_path, [*all_that_is_told(), *others])
    for text in (as_json(made), as_html(made)):
        assert {canary for canary in CANARIES if canary in text} == set(CANARIES)
        assert "other" not in text.replace("another", "") and "not hers" not in text and "1234.56" not in text


def test_values_stand_in_the_sites_own_words(tmp_path: Path) -> None:
    events = [
        event("purchase", "u:7", {"amount": 2990, "category": "tents"}),
        event("purchase", "u:7", {"amount": 10, "category": "tents"}, 1),
        event("set", "u:7", {"tier": "gold", "gone": {"kept": [1, True, None]}}, 2),
        event("consent", "u:7", {"granted": ["personalize"], "text": "v3"}, 3),
    ]
    made: Any = json.loads(as_json(downloaded(tmp_path, events, "u:7")))
    assert made["profile"]["totals"] == [
        {
            "what": "Bought something",
            "type": "purchase",
            "count": 2,
            "sum": 30.0,
            "first_at": "2026-03-01T12:00:00+00:00",
            "last_at": "2026-03-01T12:01:00+00:00",
        }
    ]
    assert [(each["name"], each["value"]) for each in made["profile"]["attributes"]] == [
        ("gone", {"kept": [1, True, None]}),
        ("tier", "gold"),
    ]
    assert made["events"][0]["what"] == "Bought something"
    assert made["events"][0]["details"] == {"amount": 29.9, "category": "tents"}
    assert made["segments"] == ["buyers", "tent-people"]
    assert [(each["granted"], each["text"]) for each in made["consent"]] == [(["personalize"], "v3")]
    assert '"sum":30.00' in as_json(downloaded(tmp_path, events, "u:7"))


def test_what_is_kept_of_events_that_are_gone_stands_in_the_sites_own_words(tmp_path: Path) -> None:
    kept = {"of": "purchase", "value": "amount", "count": 2, "sum": 3000, "first": at(0).isoformat(), "last_value": 10}
    made: Any = json.loads(as_json(downloaded(tmp_path, [event("kept_totals", "u:7", kept, 5)], "u:7")))
    (told,) = made["events"]
    assert (told["what"], told["type"]) == ("Bought something, added up", "kept_totals")
    assert told["details"] | {"sum": 30.0, "last_value": 0.1, "count": 2} == told["details"]


def test_what_a_visitor_sent_is_text_on_the_page(tmp_path: Path) -> None:
    wicked = "<script>alert(1)</script>"
    page = as_html(downloaded(tmp_path, [event("noted", "u:7", {wicked: wicked}, sender=wicked)], "u:7"))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
