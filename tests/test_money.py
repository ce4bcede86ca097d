"""Amounts of money: exact on every way in and out, and nothing is ever rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.money import LARGEST, format_amount, parse_amount


@pytest.mark.parametrize(
    ("value", "digits", "amount"),
    [
        ("29.33", 2, 2_933),
        ("29.3", 2, 2_930),
        ("29", 2, 2_900),
        ("29.330", 2, 2_933),
        ("0.07", 2, 7),
        ("-0.05", 2, -5),
        ("+1.00", 2, 100),
        (" 5.00 ", 2, 500),
        ("500", 0, 500),
        ("500.0", 0, 500),
        ("1.234", 3, 1_234),
        ("0", 2, 0),
        ("-0.00", 2, 0),
        (29.33, 2, 2_933),
        (0.29, 2, 29),
        (1.15, 2, 115),
        (4.35, 2, 435),
        (1e3, 2, 100_000),
        (100, 2, 10_000),
        (Decimal("1E+3"), 2, 100_000),
        (Decimal("0E-30"), 2, 0),
        (Decimal("12.34"), 2, 1_234),
        ("10000000000000.00", 2, LARGEST),
    ],
)
def test_an_amount_is_read_in_the_smallest_unit(value: str | float | Decimal, digits: int, amount: int) -> None:
    read = parse_amount(value, digits)
    assert read == amount
    assert type(read) is int


@pytest.mark.parametrize(
    ("value", "digits", "says"),
    [
        ("29.333", 2, ['"29.333"', "more than the 2 decimals"]),
        ("0.5", 0, ["more than the 0 decimals"]),
        (0.1 + 0.2, 2, ["0.30000000000000004", "more than the 2 decimals"]),
        (Decimal("1E-9"), 2, ["more than the 2 decimals"]),
        (float("nan"), 2, ["nan", "not an amount"]),
        (float("inf"), 2, ["inf", "not an amount"]),
        (Decimal("sNaN"), 2, ["not an amount"]),
        (True, 2, ['"true"', "not an amount"]),
        ("", 2, ["not an amount", '"1299.00"']),
        ("1,299.00", 2, ['"1,299.00"', "without separators"]),
        ("1299,00", 2, ["without separators"]),
        ("$5", 2, ["without separators or a currency"]),
        ("1e3", 2, ["not an amount"]),
        ("nan", 2, ["not an amount"]),
        ("٣", 2, ["not an amount"]),
        (".5", 2, ["not an amount"]),
        ("5.", 2, ["not an amount"]),
        ("5\n", 2, ["not an amount"]),
        ("10000000000000.01", 2, ["too large"]),
        (1e300, 2, ["too large"]),
        (Decimal("1E+999999"), 2, ["too large"]),
        (10**25, 2, ["too large"]),
    ],
)
def test_what_is_no_exact_amount_is_refused_and_quoted(
    value: str | float | Decimal, digits: int, says: list[str]
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_amount(value, digits)
    assert all(words in str(refused.value) for words in says), str(refused.value)


@pytest.mark.parametrize(
    ("amount", "currency", "digits", "text"),
    [
        (129_900, "NOK", 2, "NOK 1,299.00"),
        (7, "EUR", 2, "EUR 0.07"),
        (-5, "EUR", 2, "EUR -0.05"),
        (0, "EUR", 2, "EUR 0.00"),
        (1_234_567, "JPY", 0, "JPY 1,234,567"),
        (1_234, "KWD", 3, "KWD 1.234"),
    ],
)
def test_an_amount_is_printed_without_a_locale(amount: int, currency: str, digits: int, text: str) -> None:
    assert format_amount(amount, currency, digits) == text


AMOUNTS = st.integers(-LARGEST, LARGEST)


@given(amount=AMOUNTS, digits=st.integers(0, 4))
def test_what_is_printed_is_read_as_the_same(amount: int, digits: int) -> None:
    printed = format_amount(amount, "NOK", digits).removeprefix("NOK ").replace(",", "")
    assert parse_amount(printed, digits) == amount
    assert parse_amount(Decimal(printed), digits) == amount


@given(amount=st.integers(-(10**13), 10**13))
def test_a_float_means_the_decimal_that_was_written_for_it(amount: int) -> None:
    assert parse_amount(amount / 100) == amount


@given(value=st.one_of(st.text(), st.floats(), st.decimals(), st.integers()))
def test_anything_else_is_a_value_error(value: str | float | Decimal) -> None:
    try:
        assert abs(parse_amount(value)) <= LARGEST
    except ValueError as refused:
        assert str(refused)
