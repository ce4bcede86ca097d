"""What a simulation tells of all: within its interval, nothing of very few, and which rules are too small."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from personalize.decisions.reach import RuleReach, SlotReach
from personalize.reports.reach import estimate, too_small
from personalize.reports.statistics import wilson_interval
from personalize.runtime.bulk.simulate import Simulation

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def simulation(visitors: int, asked: int, **wins: int) -> Simulation:
    rules = tuple(RuleReach(rule_id, number, number, number, 0, {}) for rule_id, number in wins.items())
    slot = SlotReach("hero", rules, 0, asked - sum(wins.values()))
    return Simulation("v1", None, NOON, NOON, visitors, asked, None, (), {}, {"hero": slot}, None)


def test_where_all_were_asked_the_share_is_known() -> None:
    found = estimate(250, simulation(1_000, 1_000))
    assert (found.share, found.low, found.high, found.visitors) == (0.25, 0.25, 0.25, 250)


def test_a_sample_is_told_with_its_interval_and_the_number_it_makes_of_all() -> None:
    found = estimate(30, simulation(200_000, 10_000))
    assert (found.low, found.high) == wilson_interval(30, 10_000) == pytest.approx((0.0021, 0.0043), abs=0.00005)
    assert found.visitors == 600


def test_fewer_than_twenty_are_not_counted_but_nobody_is() -> None:
    assert [estimate(found, simulation(1_000, 1_000)).visitors for found in (0, 1, 19, 20)] == [0, None, None, 20]
    assert estimate(1, simulation(2_000, 100)).visitors == 20


def test_small_rules_come_with_the_effect_that_could_still_be_seen() -> None:
    found = {rule.rule_id: rule for rule in too_small(simulation(60_000, 60_000, big=50_000, none=0, few=5, small=49))}
    assert list(found) == ["none", "few", "small"]
    assert found["small"].visible_rate == pytest.approx(0.3499, abs=0.0001)  # 24 in each half
    assert found["few"].visible_rate is None and found["few"].shown.visitors is None
    assert found["none"].shown.is_none


def test_a_share_that_is_surely_tiny_is_small_however_many_that_are() -> None:
    (found,) = too_small(simulation(1_000_000, 10_000, rare=1))
    assert found.shown.high < 0.001 and found.shown.visitors == 100
    assert list(too_small(simulation(1_000_000, 10_000, rare=20))) == []


def test_among_no_visitors_no_rule_is_too_small() -> None:
    empty = simulation(0, 0, any=0)
    assert list(too_small(empty)) == []
    assert estimate(0, replace(empty)).visitors == 0
