"""What a count can tell: intervals, and how many visitors it takes to see an effect. Pure formulas."""

from math import ceil, sqrt
from statistics import NormalDist

#: How sure an interval is, how seldom a test cries wolf, and how often it sees what is there.
CONFIDENCE = 0.95
SIGNIFICANCE = 0.05
POWER = 0.8

_NORMAL = NormalDist()


def wilson_interval(found: int, asked: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The lowest and the highest share of a population that fit `found` of `asked` visitors drawn from it.

    The score interval of Wilson, which stays true near 0 and 1: 0 of 1,000 is 0 to 0.38 %. Nobody asked tells
    nothing: 0 to 1. Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not 0 <= found <= asked:
        raise ValueError(f"{found} of {asked} is no count")
    if asked == 0:
        return 0.0, 1.0
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    share, weight = found / asked, z * z / asked
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / asked + weight / (4 * asked)) / (1 + weight)
    # At the ends the formula gives 0 and 1 but for the last bit.
    low = middle - half if found else 0.0
    high = middle + half if found < asked else 1.0
    return low, high


def sample_size(base: float, rate: float, *, significance: float = SIGNIFICANCE, power: float = POWER) -> int:
    """How many visitors each of two arms needs so that a test sees the difference between two rates.

    Two-sided, by the normal approximation without pooling: (z_a + z_b)^2 (p(1-p) + q(1-q)) / (p-q)^2. Source:
    S. Chow, J. Shao, H. Wang, "Sample Size Calculations in Clinical Research", 2nd edition (2008), section 4.2.
    Raises ValueError for rates that are equal or no shares.
    """
    if base == rate or not (0 <= base <= 1 and 0 <= rate <= 1):
        raise ValueError(f"{base} and {rate} are no two different shares")
    spread = base * (1 - base) + rate * (1 - rate)
    return max(1, ceil(_strictness(significance, power) * spread / (rate - base) ** 2))


def smallest_visible_rate(
    base: float, per_arm: int, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> float | None:
    """The lowest rate above `base` that a test with so many visitors in each of two arms can see.

    `sample_size` solved for the rate, a quadratic equation in the difference. None where not even a rate of 1
    could be told from chance.
    """
    if not 0 <= base < 1 or per_arm < 0:
        raise ValueError(f"{base} is no share that can rise, or {per_arm} no number of visitors")
    squares = _strictness(significance, power)
    slope = squares * (1 - 2 * base)
    whole = per_arm + squares
    difference = (slope + sqrt(slope * slope + 8 * whole * squares * base * (1 - base))) / (2 * whole)
    # A rate of 0 has no spread at all: the formula knows no number that would be too small then.
    return base + difference if per_arm > 0 and base + difference <= 1 else None


def _strictness(significance: float, power: float) -> float:
    return (_NORMAL.inv_cdf(1 - significance / 2) + _NORMAL.inv_cdf(power)) ** 2
