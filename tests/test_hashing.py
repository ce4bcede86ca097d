"""The split hash: frozen bit by bit, uniform, independent between splits, and never 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize import hashing
from personalize.hashing import share

VECTORS = Path(__file__).parent / "cases" / "hashing_vectors.jsonl"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_frozen_vector_holds_to_the_last_bit() -> None:
    vectors = lines(VECTORS)
    assert len(vectors) > 100
    for vector in vectors:
        key, id, salt = vector["key"], vector["id"], vector["salt"]
        assert isinstance(key, str) and isinstance(id, str | int) and isinstance(salt, str)
        assert share(key, id, salt) == vector["share"], vector


@pytest.mark.shared_data
def test_the_published_results_of_posthog_hold(shared_data: Path) -> None:
    vectors = lines(shared_data / "conformance" / "bucketing.jsonl")
    assert vectors
    for vector in vectors:
        low, high = float(str(vector["min"])), float(str(vector["max"]))
        assert low <= share(str(vector["key"]), str(vector["id"]), str(vector["salt"])) < high, vector


def test_a_whole_number_counts_as_its_decimal_text() -> None:
    assert share("split", 42) == share("split", "42")


def test_a_dot_in_the_key_is_refused_and_one_in_the_id_is_not() -> None:
    with pytest.raises(ValueError, match=r'"a\.b"'):
        share("a.b", "c")
    assert share("a", "b.c") < 1


@given(key=st.text().filter(lambda text: "." not in text), id=st.text() | st.integers(), salt=st.text())
def test_a_share_is_at_least_0_and_below_1_and_always_the_same(key: str, id: str | int, salt: str) -> None:
    place = share(key, id, salt)
    assert 0 <= place < 1
    assert share(key, id, salt) == place


def test_even_the_largest_hash_stays_below_1(monkeypatch: pytest.MonkeyPatch) -> None:
    class Largest:
        def hexdigest(self) -> str:
            return "f" * 40

    monkeypatch.setattr(hashing, "sha1", lambda data, usedforsecurity: Largest())
    assert share("split", "v:1") < 1


def test_shares_are_spread_evenly() -> None:
    counts = [0] * 100
    for visitor in range(20_000):
        counts[int(share("even", f"v:{visitor}") * 100)] += 1
    chi_square = sum((count - 200) ** 2 / 200 for count in counts)
    assert chi_square < 149  # 99 degrees of freedom: one even spread in a thousand is above


def test_two_splits_and_two_salts_divide_visitors_independently() -> None:
    visitors = [f"v:{visitor}" for visitor in range(10_000)]
    for first, second in ((("a", ""), ("b", "")), (("a", ""), ("a", "variant"))):
        both = sum(
            share(first[0], visitor, first[1]) < 0.5 and share(second[0], visitor, second[1]) < 0.5
            for visitor in visitors
        )
        assert abs(both - 2_500) < 4 * 43.3  # four standard deviations


def test_opening_a_gate_further_moves_nobody_out() -> None:
    visitors = [f"v:{visitor}" for visitor in range(2_000)]
    narrow = {visitor for visitor in visitors if share("gate", visitor) < 0.2}
    wide = {visitor for visitor in visitors if share("gate", visitor) < 0.6}
    assert narrow < wide
