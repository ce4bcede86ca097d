"""How often what is left to chance is tried: a few times in every run of the tests, many times in `make trust`."""

import os

IS_LONG = os.environ.get("PERSONALIZE_TEST_TRUST") == "long"
#: The part of its tries that `make trust` makes: 0.1 takes a tenth of them, and of the time.
SCALE = float(os.environ.get("TRUST_SCALE", "1"))
#: What dice of the tests begin with, so that a failure comes again.
SEED = int(os.environ.get("TRUST_SEED", "1"))


def trials(short: int, long: int) -> int:
    """So many tries in the tests, and so many where trust is what is asked for; never fewer than in the tests."""
    return max(short, round(long * SCALE)) if IS_LONG else short


def dice(tries: int) -> range:
    """A seed for each of so many tries, none of them among those of another `TRUST_SEED`."""
    first = (SEED - 1) * 1_000_000
    return range(first, first + tries)
