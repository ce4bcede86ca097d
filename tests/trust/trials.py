"""How often what is left to chance is tried: a few times in every run of the tests, many times in `make trust`."""

import os

IS_LONG = os.environ.get("PERSONALIZE_TEST_TRUST") == "long"


def trials(short: int, long: int) -> int:
    """So many tries in the tests, and so many where trust is what is asked for."""
    return long if IS_LONG else short
