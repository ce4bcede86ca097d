"""Reach is true: of 50 known populations with rules that overlap, the interval holds what is counted by hand."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from personalize.events.event import Event
from personalize.problems import Problems
from personalize.reports.reach import estimate
from personalize.runtime.bulk.simulate import simulate
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import checked, projectors_of
from personalize.stores.memory.store import MemoryStore
from tests.desk import desk_settings, write_desk

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
POPULATIONS, VISITORS, SAMPLE = 50, 600, 150

RULES = """
attributes: {first_name: {type: text}}
events: {purchase: {properties: {amount: {type: number}, category: {type: text}}, value: amount}}
slots:
  hero:
    rules:
      - {id: large, to: {purchase.total: {at_least: %d}}, show: things/gold}
      - {id: tents, to: {did: purchase, where: {category: tents}}, show: things/tent}
      - {id: middle, to: {purchase.total: {between: [%d, 90]}}, show: things/letter}
      - {id: rare, to: {all: [{purchase.total: 3}, {did: purchase, where: {category: shoes}}]}, show: things/thanks}
"""
#: The same rules by hand.
BY_HAND: Mapping[str, Callable[[int, str, int, int], bool]] = {
    "large": lambda amount, category, high, low: amount >= high,
    "tents": lambda amount, category, high, low: category == "tents",
    "middle": lambda amount, category, high, low: low <= amount <= 90,
    "rare": lambda amount, category, high, low: amount == 3 and category == "shoes",
}


def test_the_interval_of_a_sample_holds_the_truth_and_the_parts_are_the_whole(tmp_path: Path) -> None:
    chance = random.Random(2026)
    held: Counter[bool] = Counter()
    for number in range(POPULATIONS):
        high, low = chance.randint(50, 99), chance.randint(1, 60)
        write_desk(tmp_path, rules=RULES % (high, low))
        people = {
            f"u:{number}-{one}": (chance.randint(0, 99), chance.choice(["tents", "shoes", "maps"]))
            for one in range(VISITORS)
        }
        held.update(asyncio.run(_asked(tmp_path, people, high, low)))
    assert held.total() == POPULATIONS * 5
    assert held[True] / held.total() >= 0.93


async def _asked(folder: Path, people: Mapping[str, tuple[int, str]], high: int, low: int) -> list[bool]:
    """For each rule, and for the default, whether the interval of a sample holds the share counted by hand."""
    settings = desk_settings(folder)
    rule_set = checked(read_draft(settings, Problems()), settings)
    store = MemoryStore()
    log = [
        Event(who, "test", "purchase", who, NOON, NOON, {"amount": amount, "category": category})
        for who, (amount, category) in people.items()
    ]
    await store.apply(log, projectors_of(rule_set, settings))
    truth = Counter(_winner(*one, high, low) for one in people.values())
    everybody = await simulate(store, rule_set, settings, now=NOON, sample=None)
    slot = everybody.slots["hero"]
    assert {rule.rule_id: rule.wins for rule in slot.rules} | {"": slot.default} == {
        name: truth[name] for name in (*BY_HAND, "")
    }
    found = await simulate(store, rule_set, settings, now=NOON, sample=SAMPLE)
    slot = found.slots["hero"]
    counted = {rule.rule_id: rule.wins for rule in slot.rules} | {"": slot.default}
    assert sum(counted.values()) == SAMPLE
    estimates = {name: estimate(number, found) for name, number in counted.items()}
    return [one.low <= truth[name] / VISITORS <= one.high for name, one in estimates.items()]


def _winner(amount: int, category: str, high: int, low: int) -> str:
    return next((name for name, holds in BY_HAND.items() if holds(amount, category, high, low)), "")
