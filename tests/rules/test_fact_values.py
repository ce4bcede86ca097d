"""Stored values as facts: whatever is of the wrong type is missing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from personalize.rules.fact_values import decimal_number, fact_value
from personalize.rules.facts import FactType

OSLO = ZoneInfo("Europe/Oslo")
FITTING: dict[FactType, list[tuple[object, object]]] = {
    FactType.TEXT: [("", ""), ("x", "x"), ("2026-01-01", "2026-01-01")],
    FactType.CHOICE: [("gold", "gold")],
    FactType.NUMBER: [(0, 0), (Decimal("1.5"), Decimal("1.5")), ("12", "12"), ("-1.5", "-1.5")],
    FactType.MONEY: [(0, 0), (-5, -5)],
    FactType.BOOL: [(True, True), (False, False)],
    FactType.DATE: [("2026-01-01", date(2026, 1, 1))],
    FactType.TIME: [
        ("2026-01-01T10:00:00+00:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
    ],
}
STRANGE = [
    None,
    5,
    True,
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    "x",
    "2026-02-30",
    [],
    ["x"],
    {},
    1.5,
    b"x",
]


@pytest.mark.parametrize("type_", FITTING)
def test_a_value_that_fits_is_read(type_: FactType) -> None:
    for stored, expected in FITTING[type_]:
        assert fact_value(stored, type_, OSLO) == expected


@pytest.mark.parametrize("type_", FITTING)
def test_a_value_of_another_type_is_missing(type_: FactType) -> None:
    fits = {
        FactType.TEXT: str,
        FactType.CHOICE: str,
        FactType.NUMBER: int,
        FactType.MONEY: int,
        FactType.BOOL: bool,
    }.get(type_, ())
    for value in STRANGE:
        expected = value if isinstance(value, fits) and not (value is True and type_ is not FactType.BOOL) else None
        assert fact_value(value, type_, OSLO) is expected


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00"])
def test_moments_at_the_ends_of_time_are_missing_or_fine_and_never_an_error(text: str) -> None:
    found = fact_value(text, FactType.TIME, ZoneInfo("Asia/Tokyo"))
    assert found is None or isinstance(found, datetime)


@pytest.mark.parametrize("text", ["0", "-0", "007", "1.50", "-12.5", "9" * 100, "0." + "1" * 100])
def test_a_decimal_number(text: str) -> None:
    assert decimal_number(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "1.", ".5", "1e3", "1,5", "1_0", "0x1", "inf", "NaN", "١", "--1", "9" * 101]
)
def test_no_decimal_number(text: str) -> None:
    assert decimal_number(text) is None
