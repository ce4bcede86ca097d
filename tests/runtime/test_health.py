"""What is counted of the slots of many pages."""

import logging

import pytest

from personalize.decisions.decision import Reason
from personalize.runtime.health import FILLED, MOST_SLOTS, Health


def test_slots_that_were_met_together_are_counted_each() -> None:
    health = Health()
    for _ in range(3):
        health.met((("hero", FILLED), ("row", Reason.DEFAULT)))
    health.met((("hero", Reason.DEGRADED),))
    assert health.slots == {"hero": {"filled": 3, "degraded": 1}, "row": {"default": 3}}
    health.met((("hero", FILLED), ("row", Reason.DEFAULT)))
    assert health.slots["hero"] == {"filled": 4, "degraded": 1}


def test_pages_that_are_all_different_are_counted_the_same() -> None:
    health = Health()
    for number in range(1_000):
        health.met((("hero", FILLED), (f"slot-{number % 300}", Reason.DEFAULT)))
    assert health.slots["hero"] == {"filled": 1_000}
    assert sum(counted["default"] for name, counted in health.slots.items() if name != "hero") == 1_000


def test_countless_slot_names_share_one_counter() -> None:
    health = Health()
    for number in range(MOST_SLOTS + 100):
        health.met(((f"slot-{number}", Reason.DEFAULT),))
    assert len(health.slots) == MOST_SLOTS + 1
    assert sum(counted["default"] for counted in health.slots.values()) == MOST_SLOTS + 100


def test_an_unknown_slot_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    with caplog.at_level(logging.WARNING, logger="personalize"):
        for other in ("a", "b", "b"):
            health.met((("nobody-knows", Reason.UNKNOWN_SLOT), (other, FILLED)))
    assert [record.getMessage() for record in caplog.records] == [
        "the page has a slot 'nobody-knows' that no rule file defines"
    ]
