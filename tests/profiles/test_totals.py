from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.profiles.profile import Totals
from personalize.profiles.totals import Amount, amount_of, plus, together, with_one_more
from tests.profiles.histories import minutes

amounts = st.integers(-(10**18), 10**18) | st.decimals(-(10**18), 10**18, places=30) | st.decimals(-1, 1, places=6)


def totals_of(*events: tuple[float, Amount | None]) -> Totals | None:
    totals: Totals | None = None
    for at, value in events:
        totals = with_one_more(totals, minutes(at), value)
    return totals


@given(st.lists(amounts, max_size=12).flatmap(lambda terms: st.tuples(st.just(terms), st.permutations(terms))))
def test_sums_are_exact_so_their_order_is_nothing(both: tuple[list[Amount], list[Amount]]) -> None:
    sums = []
    for terms in both:
        total: Amount = 0
        for term in terms:
            total = plus(total, term)
        sums.append(total)
    assert sums[0] == sums[1]
    assert type(sums[0]) is type(sums[1])


def test_a_sum_keeps_more_digits_than_decimals_usually_do() -> None:
    large, small = Decimal(10) ** 25, Decimal("1E-25")
    assert plus(plus(large, small), -large) == small


def test_first_and_last_follow_the_time_of_the_event_and_not_its_arrival() -> None:
    totals = totals_of((5, 500), (1, 100), (9, 900), (3, 300))
    assert totals == Totals(4, 1800, minutes(1), minutes(9), 100, 900)


def test_of_events_at_one_moment_the_first_and_the_last_to_arrive_count() -> None:
    assert totals_of((1, 10), (1, 20), (1, 30)) == Totals(3, 60, minutes(1), minutes(1), 10, 30)


def test_an_event_without_a_value_counts_and_adds_nothing() -> None:
    assert totals_of((1, None), (2, 20)) == Totals(2, 20, minutes(1), minutes(2), None, 20)
    assert totals_of((1, None)) == Totals(1, 0, minutes(1), minutes(1), None, None)


def test_two_totals_together_are_those_of_all_their_events() -> None:
    known = totals_of((2, 20), (4, 40))
    other = totals_of((1, 10), (3, 30))
    assert together(known, other) == totals_of((1, 10), (2, 20), (3, 30), (4, 40))
    assert together(known, None) is known
    assert together(None, other) is other


def test_of_two_totals_with_events_at_one_moment_the_known_ones_count() -> None:
    both = together(totals_of((1, 10)), totals_of((1, 99)))
    assert both == Totals(2, 109, minutes(1), minutes(1), 10, 10)


@pytest.mark.parametrize("value", [True, None, "5", [5], Decimal("NaN"), Decimal("Infinity"), {}])
def test_what_is_no_finite_number_adds_nothing(value: object) -> None:
    assert amount_of(value) is None


@pytest.mark.parametrize("value", [0, -5, Decimal("1.10")])
def test_finite_numbers_add_up(value: Amount) -> None:
    assert amount_of(value) == value
