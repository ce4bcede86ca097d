"""A decision of a page of five slots costs little however many rules there are: of one processor, whoever else runs."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from benchmarks.rules import LIMITS_US, Ours, walked
from benchmarks.shop import make_shop, make_visitors
from tests.trust.trials import SEED, trials

pytestmark = [pytest.mark.trust, pytest.mark.long]
DECISIONS = trials(500, 10_000)
SIZES = [rules for rules, limit in LIMITS_US.items() if limit]


def p99_microseconds(
    decide: Callable[[Mapping[str, object]], object], visitors: Sequence[Mapping[str, object]]
) -> float:
    """What 99 of 100 decisions cost at most, in time of the processor."""
    gc.collect()
    gc.freeze()  # what was made beforehand; what decisions leave behind is collected as ever
    spent = []
    for visitor in visitors:
        begun = time.thread_time()
        decide(visitor)
        spent.append((time.thread_time() - begun) * 1e6)
    gc.unfreeze()
    return statistics.quantiles(spent, n=100)[98]


@pytest.mark.trust(tries=DECISIONS)
@pytest.mark.parametrize("rules", SIZES)
def test_99_of_100_decisions_keep_their_time(rules: int) -> None:
    shop = make_shop(rules)
    visitors = make_visitors(shop, DECISIONS, messy=True, seed=SEED)
    assert p99_microseconds(Ours(shop).decided, visitors) < LIMITS_US[rules]


@pytest.mark.planted
def test_a_decision_that_asks_rule_by_rule_is_found_out() -> None:
    shop = make_shop(max(SIZES))
    visitors = make_visitors(shop, 100, messy=True, seed=SEED)
    assert p99_microseconds(lambda visitor: walked(shop, visitor), visitors) > LIMITS_US[max(SIZES)]
