"""Buckets: a burst at once, as much again each minute, in a bounded memory."""

import pytest

from personalize.api import allowance
from personalize.api.allowance import MOST_REMEMBERED, Allowance


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says; the last value counts."""
    said = [1_000.0]
    monkeypatch.setattr(allowance, "monotonic", lambda: said[-1])
    return said


def test_a_burst_is_allowed_and_then_as_much_a_minute(seconds: list[float]) -> None:
    bucket = Allowance(30)
    assert [bucket.take("a") for _ in range(30)] == [None] * 30
    assert (bucket.take("a"), bucket.exhausted("a"), bucket.take("b")) == (2, 2, None)
    seconds.append(1_002.0)
    assert (bucket.exhausted("a"), bucket.take("a"), bucket.take("a")) == (None, None, 2)
    seconds.append(9_999.0)
    assert [bucket.take("a") for _ in range(31)] == [None] * 30 + [2]


def test_who_was_seen_longest_ago_is_forgotten_first(seconds: list[float]) -> None:
    bucket = Allowance(1)
    for number in range(MOST_REMEMBERED + 1):
        assert bucket.take(str(number)) is None
    assert bucket.take("0") is None  # forgotten, and so it begins anew
    assert bucket.take(str(MOST_REMEMBERED)) == 60
