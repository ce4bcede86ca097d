"""`personalize webhooks`: what waits, what was given up, and trying that anew."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from personalize.cli.main import main
from personalize.events.event import SEGMENT_ENTERED, Event
from personalize.profiles.outbox import GIVEN_UP
from personalize.profiles.watched import change_of
from personalize.runtime.jobs.webhooks import messages_in, outcome_event
from personalize.runtime.publish import projectors_of
from personalize.stores.sqlite.store import SqliteStore
from tests.desk import desk_settings, write_desk
from tests.runtime.jobs.test_webhooks import KEY, written

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SETTINGS = """
store = "sqlite:store.db"
[webhooks.endpoints.crm]
url = "https://crm.example/in"
segments = ["buyers"]
secret_file = "crm.secret"
"""


def said(*words: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, ["webhooks", *words])
    return result.output + str(result.stderr if result.exit_code else "")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with one webhook, and with nothing to tell."""
    write_desk(tmp_path)
    (tmp_path / "personalize.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_waits_is_counted_and_what_was_given_up_is_tried_anew(site: Path) -> None:
    (site / "crm.secret").write_text(written(KEY), encoding="utf-8")
    told = {"crm": {"url": "https://crm.example/in", "segments": ["buyers"], "secret_file": "crm.secret"}}
    settings = desk_settings(site, webhooks_endpoints=told)

    async def give_up() -> None:
        store = SqliteStore(site / "store.db")
        await store.open()
        for who in ("u:1", "u:2"):
            enters = Event(f"e{who}", "sweep", SEGMENT_ENTERED, who, NOON, NOON, change_of("buyers", 1))
            await store.apply([enters], projectors_of(None, settings))
        message = next(iter((await messages_in(store, 9))["u:1"].messages.values()))
        await store.apply([outcome_event("u:1", message, GIVEN_UP, NOON)], projectors_of(None, settings))
        await store.close()

    asyncio.run(give_up())
    shown = said()
    assert "waiting  1, given up 1, the oldest since 2026-06-01 12:00 UTC" in shown
    assert "https://crm.example/in" in shown and "can't be used" not in shown
    assert said("--again", "crm") == "1 messages for crm are tried anew by the workers of the site.\n"
    assert "waiting  2, given up 0" in said()
    assert said("--again", "crm") == "0 messages for crm are tried anew by the workers of the site.\n"


def test_a_missing_key_and_a_wrong_name_are_told(site: Path) -> None:
    assert "nothing can be sent: the keys in" in said()
    assert 'there is no webhook "crn"; did you mean `crm`?' in said("--again", "crn")


def test_a_site_without_webhooks_says_so(site: Path) -> None:
    (site / "personalize.toml").write_text("", encoding="utf-8")
    assert said() == "There are no webhooks: the settings have no [webhooks.endpoints.NAME].\n"
