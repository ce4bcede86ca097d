"""The example shop as of a moment of the past: each page shows what `explain` says, for every buyer there was."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from click.testing import CliRunner

from personalize.cli.main import main
from personalize.decisions.context import RequestFacts
from personalize.decisions.decision import Decision, Reason
from personalize.decisions.explain import explain
from personalize.problems import Problems
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import read_draft
from personalize.runtime.offline import store_for, visitor_context
from personalize.runtime.publish import checked
from personalize.settings import load_settings
from personalize.stores.opening import open_store
from tests.conftest import REPOSITORY
from tests.desk import KEY
from tests.driver import CHROME
from tests.served.server import served

OSLO = ZoneInfo("Europe/Oslo")
SLOTS = ("header-note", "home-hero", "home-offers")
#: What stands in the shop's own templates where no rule has anything to show.
OWN = {
    "header-note": "Sixty days to change your mind",
    "home-hero": "Come in. Dry your",
    "home-offers": "/product/tent-heilo-2",
}
CDNOW = """
event: purchase
format: table
header: false
visitor: {column: 1, prefix: "u:"}
time: {column: 3, format: "%Y%m%d"}
properties: {amount: 5}
"""
SMALL = """
event: purchase
visitor: customer
time: day
properties: {amount: dollars}
"""


class Shop:
    """The example shop with somebody's purchases, at one moment of the past."""

    def __init__(self, folder: Path, at: str) -> None:
        self.environment = {
            "PERSONALIZE_STORE": f"sqlite:{folder / 'shop.db'}",
            "PERSONALIZE_SECRET_KEYS": KEY,
        }
        self.at = at
        self.folder = folder
        self.settings_file = REPOSITORY / "personalize.toml"
        self.settings = load_settings(self.settings_file, self.environment)

    def take_in(self, purchases: Path, mapping: str) -> None:
        """Import the purchases as an operator does."""
        (self.folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
        command = ["--settings", str(self.settings_file), "import", str(purchases)]
        result = CliRunner(env=self.environment).invoke(main, [*command, "--map", str(self.folder / "mapping.yaml")])
        assert result.exit_code == 0, result.output

    @contextmanager
    def open(self) -> Iterator[str]:
        """Serve it."""
        app = "example_site.app:app"
        with served(self.folder, app=app, **self.environment, PERSONALIZE_AT=self.at) as address:
            yield address

    def explained(self) -> tuple[RuleSet, dict[str, dict[str, Decision]], dict[str, Profile]]:
        """What `explain` says of every slot of the home page, for every buyer."""
        return asyncio.run(self._explained())

    async def _explained(self) -> tuple[RuleSet, dict[str, dict[str, Decision]], dict[str, Profile]]:
        now = datetime.fromisoformat(self.at).replace(tzinfo=OSLO)
        rule_set = checked(read_draft(self.settings, Problems()), self.settings)
        store = open_store(self.settings.store, self.settings.root)
        await store.open()
        past = await store_for(store, rule_set, self.settings, at=now)
        profiles = {profile.profile_id: profile async for profile in past.profiles()}
        decisions = {}
        for profile_id, profile in profiles.items():
            facts = RequestFacts(path="/", device="desktop")
            context = visitor_context(profile_id, profile, rule_set, self.settings, now=now, facts=facts)
            decisions[profile_id] = {slot: explain(slot, context, rule_set, misses=False).decision for slot in SLOTS}
        await store.close()
        return rule_set, decisions, profiles


def pages(address: str, profile_ids: list[str]) -> Iterator[tuple[str, str]]:
    """The home page of each buyer, after consent and login in a browser of their own."""
    headers = {"user-agent": CHROME, "accept": "text/html"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        for profile_id in profile_ids:
            client.cookies.clear()
            client.cookies.set("pz_consent", "measure.personalize")
            number = profile_id.removeprefix("u:")
            assert client.post("/login", data={"number": number}).status_code == 303
            reply = client.get("/")
            assert reply.status_code == 200
            yield profile_id, reply.text


def compare(shop: Shop) -> Counter[str]:
    """Compare every page with what was explained; how often each rule of the picture won."""
    rule_set, decisions, profiles = shop.explained()
    winners: Counter[str] = Counter()
    with shop.open() as address:
        for profile_id, text in pages(address, list(decisions)):
            attributes = profiles[profile_id].attributes
            assert not attributes
            for slot_id, decision in decisions[profile_id].items():
                for item_id in decision.item_ids:
                    assert rule_set.library.items[item_id].rendering.markup({}) in text, (profile_id, slot_id)
                is_own = decision.reason is Reason.DEFAULT
                assert (OWN[slot_id] in text) == is_own, (profile_id, slot_id)
            winners[decisions[profile_id]["home-hero"].rule_id or "own"] += 1
    return winners


def test_every_page_of_a_small_log_is_as_explained(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "1997-10-01")
    shop.take_in(REPOSITORY / "tests" / "cases" / "import" / "purchases.csv", SMALL)
    winners = compare(shop)
    assert winners["hero-lapsed"] > 0 and winners["own"] > 0
    _, decisions, _ = shop.explained()
    lapsed = next(one for one, slots in decisions.items() if slots["home-hero"].rule_id == "hero-lapsed")
    command = ["--settings", str(shop.settings_file), "explain", "--slot", "home-hero", "--visitor", lapsed]
    said = CliRunner(env=shop.environment).invoke(main, [*command, "--at", shop.at])
    assert said.exit_code == 0, said.output
    assert "heroes/kettle-is-on" in said.output and "hero-lapsed: YES" in said.output


@pytest.mark.shared_data
def test_the_pages_of_all_cdnow_buyers_are_as_explained(tmp_path: Path, shared_data: Path) -> None:
    shop = Shop(tmp_path, "1997-10-01")
    shop.take_in(shared_data / "cdnow-sample" / "CDNOW_sample.txt", CDNOW)
    winners = compare(shop)
    assert sum(winners.values()) == 2357
    # More than 90 days silent, by a second count: straight from the file, in the shop's zone.
    last: dict[str, str] = {}
    for line in (shared_data / "cdnow-sample" / "CDNOW_sample.txt").read_text().splitlines():
        buyer, _, day = re.split(r"\s+", line.strip())[:3]
        if day < "19971001":
            last[buyer] = max(last.get(buyer, ""), day)
    midnight = datetime(1997, 10, 1)
    lapsed = sum((midnight - datetime.strptime(day, "%Y%m%d")).days > 90 for day in last.values())
    assert winners["hero-lapsed"] == lapsed
