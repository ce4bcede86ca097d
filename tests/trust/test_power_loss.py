"""What was said to be kept is there after the power has gone, whatever the machine had still in its memory."""

import random

import pytest

from tests.trust.disk import Disk
from tests.trust.recorded import numbers_in, numbers_kept
from tests.trust.trials import trials

pytestmark = pytest.mark.trust

CUTS = trials(3, 250)
MOST_KEPT = 40


def lost_power(disk: Disk, rounds: int, *how: str, torn: bool = False) -> set[int]:
    """The power goes so many times at a moment of chance; the numbers that were kept and are gone."""
    chance, kept = random.Random(7), set[int]()
    for _ in range(rounds):
        with disk.recorder(max(kept, default=-1) + 1, *how) as recorder:
            kept |= set(numbers_kept(recorder, chance.randrange(1, MOST_KEPT)))
        disk.lose_power(chance if torn else None)
        found = numbers_in(disk.store)
        assert len(found) == len(set(found))
        if not kept.issubset(found):
            break
        kept |= set(found)
    return kept - set(found)


@pytest.mark.trust(tries=CUTS)
@pytest.mark.parametrize("torn", [False, True])
def test_nothing_that_was_kept_is_lost_and_nothing_counts_twice(disk: Disk, torn: bool) -> None:
    assert lost_power(disk, CUTS, torn=torn) == set()


@pytest.mark.planted
def test_a_store_that_does_not_sync_is_found_out(disk: Disk) -> None:
    assert lost_power(disk, 5, "--careless")


def test_each_answer_comes_behind_a_sync(disk: Disk) -> None:
    with disk.recorder(0, 20) as recorder:
        numbers_kept(recorder, 20)
        recorder.wait()
    order = disk.order.read_text()
    assert order.count("A") == 20
    assert all("S" in before for before in order.split("A")[:20])
