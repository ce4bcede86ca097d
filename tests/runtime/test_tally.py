"""Bits are counted all at once as they would be one by one."""

from hypothesis import given
from hypothesis import strategies as st

from personalize.runtime.tally import Tally


@given(st.lists(st.integers(0, 2**70 - 1) | st.sampled_from([0, 1, 2**69, 2**70 - 1]), max_size=40))
def test_each_bit_is_counted_as_often_as_it_was_set(numbers: list[int]) -> None:
    tally = Tally()
    for number in numbers:
        tally.add(number)
    assert [tally[bit] for bit in range(72)] == [sum(number >> bit & 1 for number in numbers) for bit in range(72)]
