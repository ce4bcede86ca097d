"""The formulas, held against published figures and against coins that are really thrown."""

import random

import pytest

from personalize.reports.statistics import sample_size, smallest_visible_rate, wilson_interval


@pytest.mark.parametrize(
    ("found", "asked", "low", "high"),
    [
        (0, 1_000, 0, 0.0038),
        (3, 1_000, 0.0010, 0.0088),
        (30, 10_000, 0.0021, 0.0043),
        (1_000, 1_000, 0.9962, 1),
        # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_wilson_interval_of_published_examples(found: int, asked: int, low: float, high: float) -> None:
    assert wilson_interval(found, asked) == pytest.approx((low, high), abs=0.00006)


def test_nobody_asked_tells_nothing_and_more_than_all_is_refused() -> None:
    assert wilson_interval(0, 0) == (0, 1)
    for found, asked in ((-1, 3), (4, 3), (0, -1)):
        with pytest.raises(ValueError, match="is no count"):
            wilson_interval(found, asked)


@pytest.mark.parametrize("truth", [0.003, 0.05, 0.5, 0.97])
def test_of_a_thousand_samples_the_interval_holds_the_truth_in_about_95_percent(truth: float) -> None:
    chance = random.Random(truth)
    held = 0
    for _ in range(1_000):
        low, high = wilson_interval(sum(chance.random() < truth for _ in range(400)), 400)
        held += low <= truth <= high
    assert 0.92 < held / 1_000 < 0.985


def test_the_sample_size_of_known_examples() -> None:
    assert sample_size(0.05, 0.06) == 8_155
    assert sample_size(0.05, 0.055) == 31_231
    assert sample_size(0.06, 0.05) == 8_155
    for base, rate in ((0.05, 0.05), (-0.1, 0.5), (0.5, 1.1)):
        with pytest.raises(ValueError, match="no two different shares"):
            sample_size(base, rate)


@pytest.mark.parametrize("base", [0.0, 0.001, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("per_arm", [30, 1_000, 8_155, 10**6])
def test_the_smallest_visible_rate_needs_just_this_many(base: float, per_arm: int) -> None:
    rate = smallest_visible_rate(base, per_arm)
    if rate is None:
        assert sample_size(base, 1) > per_arm
    else:
        assert rate > base
        assert abs(sample_size(base, rate) - per_arm) <= 1


def test_with_almost_nobody_no_effect_is_visible() -> None:
    assert smallest_visible_rate(0.05, 0) is None
    assert smallest_visible_rate(0.9, 30) is None
    assert smallest_visible_rate(0.05, 25) == pytest.approx(0.3426, abs=0.0001)
    with pytest.raises(ValueError, match="no share that can rise"):
        smallest_visible_rate(1, 30)


def test_a_test_of_that_size_sees_the_effect_in_four_of_five() -> None:
    chance = random.Random(7)
    base, per_arm = 0.2, 150
    rate = smallest_visible_rate(base, per_arm)
    assert rate is not None
    seen = 0
    for _ in range(1_000):
        few, many = (sum(chance.random() < p for _ in range(per_arm)) / per_arm for p in (base, rate))
        spread = ((few * (1 - few) + many * (1 - many)) / per_arm) ** 0.5
        seen += abs(many - few) > 1.96 * spread
    assert 0.76 < seen / 1_000 < 0.86
