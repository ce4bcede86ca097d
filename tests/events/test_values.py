import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.errors import EventRefused
from personalize.events.schema import Shape, ValueType
from personalize.events.values import LONGEST_LIST, LONGEST_TEXT, NO_ZONE, TOO_LARGE, WRONG_TYPE, Reader

TEXT, NUMBER, MONEY = Shape(ValueType.TEXT), Shape(ValueType.NUMBER), Shape(ValueType.MONEY)
BOOL, DATE, TIME = Shape(ValueType.BOOL), Shape(ValueType.DATE), Shape(ValueType.TIME)
TIER = Shape(ValueType.CHOICE, choices=("basic", "silver", "gold"))
TEXTS = Shape(ValueType.LIST, of=TEXT)
ITEM = Shape(ValueType.MAPPING, fields={"sku": TEXT, "price": MONEY, "quantity": NUMBER})
ITEMS = Shape(ValueType.LIST, of=ITEM)
SHAPES = st.sampled_from([TEXT, NUMBER, MONEY, BOOL, DATE, TIME, TIER, TEXTS, ITEM, ITEMS])


class Size(StrEnum):
    LARGE = "large"


class Level(IntEnum):
    HIGH = 3


def read(value: object, shape: Shape, **reader: Any) -> Any:
    return Reader("field", **reader).read(value, shape)


@pytest.mark.parametrize(
    ("shape", "value", "kept"),
    [
        (TEXT, "", ""),
        (TEXT, "héllo \U0001f3d5", "héllo \U0001f3d5"),
        (TEXT, Size.LARGE, "large"),
        pytest.param(TEXT, "x" * LONGEST_TEXT, "x" * LONGEST_TEXT, id="longest text"),
        (NUMBER, 5, 5),
        (NUMBER, Level.HIGH, 3),
        (NUMBER, -0.0, 0),
        (NUMBER, 5.0, 5),
        (NUMBER, 0.1, Decimal("0.1")),
        (NUMBER, 1e17, 10**17),
        (NUMBER, 0.1 + 0.2, Decimal("0.30000000000000004")),
        (NUMBER, Decimal("1.50"), Decimal("1.5")),
        (NUMBER, Decimal("1E+3"), 1000),
        (NUMBER, "29.33", Decimal("29.33")),
        (NUMBER, "-007", -7),
        (NUMBER, 10**18 - 1, 10**18 - 1),
        (NUMBER, Decimal("1E-30"), Decimal("1E-30")),
        (NUMBER, "987654321.123456789012345678901234567891", Decimal("987654321.123456789012345678901234567891")),
        (MONEY, "29.33", 2933),
        (MONEY, 29.33, 2933),
        (MONEY, 30, 3000),
        (MONEY, Decimal("0.5"), 50),
        (MONEY, "-5", -500),
        (BOOL, True, True),
        (BOOL, "false", False),
        (DATE, date(2026, 11, 21), "2026-11-21"),
        (DATE, "2024-02-29", "2024-02-29"),
        (TIME, datetime(2026, 11, 21, 18, tzinfo=UTC), "2026-11-21T18:00:00+00:00"),
        (TIME, datetime(2026, 11, 21, 18, tzinfo=ZoneInfo("Europe/Oslo")), "2026-11-21T17:00:00+00:00"),
        (TIME, "2026-11-21T18:00:00.25+01:00", "2026-11-21T17:00:00.250000+00:00"),
        (TIME, "2026-11-21 18:00Z", "2026-11-21T18:00:00+00:00"),
        (TIER, "gold", "gold"),
        (TEXTS, [], []),
        (TEXTS, ("a", "b"), ["a", "b"]),
        (ITEM, {"sku": "t1", "price": "10", "quantity": None}, {"sku": "t1", "price": 1000}),
        (ITEMS, [{"sku": "t1"}, {"quantity": 2.5}], [{"sku": "t1"}, {"quantity": Decimal("2.5")}]),
    ],
)
def test_a_value_is_kept_in_the_one_form_of_its_type(shape: Shape, value: object, kept: object) -> None:
    found = read(value, shape)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("shape", "value", "reason"),
    [
        (TEXT, 5, '"5" is not text'),
        (TEXT, b"bytes", "a bytes is not text"),
        (TEXT, None, "nothing is not text"),
        pytest.param(TEXT, "x" * 10_001, "10001 characters of text are too many: at most 10000", id="long text"),
        (TEXT, "a\x00b", '"a�b" holds characters that are no text'),
        (TEXT, "\ud800", '"�" holds characters that are no text'),
        (NUMBER, True, '"true" is not a number such as 5, 29.33 or "29.33"'),
        (NUMBER, "1,5", '"1,5" is not a number such as 5, 29.33 or "29.33"'),
        (NUMBER, float("nan"), '"nan" is not a number'),
        (NUMBER, float("-inf"), '"-inf" is not a number'),
        (NUMBER, Decimal("NaN"), '"NaN" is not a number'),
        (NUMBER, " 5", '" 5" is not a number'),
        (NUMBER, "0x10", '"0x10" is not a number'),
        (NUMBER, "1e5", '"1e5" is not a number'),
        (NUMBER, "५", '"५" is not a number'),
        (NUMBER, 10**18, '"1000000000000000000" has too many digits: less than 10^18'),
        pytest.param(NUMBER, 10**5000, "so large a number has too many digits", id="huge number"),
        (NUMBER, 1e18, "has too many digits"),
        (NUMBER, Decimal("1E+999999"), "has too many digits"),
        (NUMBER, Decimal("1E-31"), "has too many digits"),
        (NUMBER, Decimal("1." + "9" * 998), "has too many digits"),
        (MONEY, "29.333", '"29.333" has more than the 2 decimals of the currency'),
        (MONEY, True, '"true" is not an amount such as 30, 29.33 or "29.33"'),
        (MONEY, "NOK 30", '"NOK 30" is not an amount of money'),
        (MONEY, float("inf"), '"inf" is not an amount of money'),
        pytest.param(MONEY, 10**5000, "so large a number has too many digits", id="huge amount"),
        (MONEY, [30], "a list is not an amount"),
        (BOOL, 1, '"1" is not true or false'),
        (BOOL, "yes", '"yes" is not true or false'),
        (DATE, "20261121", '"20261121" is not a date such as 2026-11-21'),
        (DATE, "2026-W01-1", "is not a date such as 2026-11-21"),
        (DATE, "2026-02-30", '"2026-02-30" is not a day of the calendar'),
        (DATE, datetime(2026, 11, 21, tzinfo=UTC), "is not a date such as 2026-11-21"),
        (TIME, "yesterday", '"yesterday" is not a moment such as 2026-11-21T18:00:00+01:00'),
        (TIME, 1763746800, '"1763746800" is not a moment'),
        (TIME, "2026-11-21T25:00Z", "is not a moment"),
        (TIME, "2026-11-21T18:00", '"2026-11-21T18:00" does not say in which time zone'),
        (TIME, "2026-11-21", "does not say in which time zone"),
        (TIME, "0001-01-01T00:00:00+10:00", "is not a moment that can be told in UTC"),
        (TIER, "Gold", '"Gold" is none of "basic", "silver", "gold" (did you mean `gold`?)'),
        (TIER, 5, '"5" is none of "basic", "silver", "gold"'),
        (TEXTS, "a", '"a" is not a list'),
        (TEXTS, ["a", None], "nothing is not text"),
        (TEXTS, ["a"] * (LONGEST_LIST + 1), "a list of 1001 is too long: at most 1000 are kept"),
        (ITEM, [], "a list is not a mapping"),
        (ITEM, {"colour": "red"}, 'field has no field "colour" (declared: "sku", "price", "quantity")'),
        (ITEM, {"prise": 5}, 'field has no field "prise" (did you mean `price`?)'),
        (ITEM, {5: 5}, 'field has no field "5"'),
        (ITEMS, [{"price": "x"}], 'field.price: "x" is not an amount of money'),
    ],
)
def test_another_value_is_refused_with_what_was_found_and_what_is_allowed(
    shape: Shape, value: object, reason: str
) -> None:
    with pytest.raises(EventRefused) as refused:
        read(value, shape)
    assert reason in refused.value.reason
    assert refused.value.field is not None


@pytest.mark.parametrize(
    ("shape", "value", "code"), [(TEXT, 5, WRONG_TYPE), (TEXT, "x" * 10_001, TOO_LARGE), (TIME, "2026-11-21", NO_ZONE)]
)
def test_a_refusal_carries_a_code_and_the_field(shape: Shape, value: object, code: str) -> None:
    with pytest.raises(EventRefused) as refused:
        read(value, shape)
    assert (refused.value.code, refused.value.field) == (code, "field")


def test_a_moment_without_a_zone_is_read_in_the_zone_that_is_given() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    assert read("2026-11-21T18:00", TIME, zone=oslo) == "2026-11-21T17:00:00+00:00"
    assert read("2026-07-01", TIME, zone=oslo) == "2026-06-30T22:00:00+00:00"
    assert read(datetime(2026, 7, 1), TIME, zone=oslo) == "2026-06-30T22:00:00+00:00"
    assert read("2026-11-21T18:00Z", TIME, zone=oslo) == "2026-11-21T18:00:00+00:00"


def test_money_is_in_the_smallest_unit_of_the_currency() -> None:
    assert read("500", MONEY, currency_digits=0) == 500
    with pytest.raises(EventRefused, match="0 decimals"):
        read("500.5", MONEY, currency_digits=0)


@pytest.mark.parametrize(
    ("shape", "value"), [(DATE, "secret"), (MONEY, "secret"), (TIER, "secret"), (NUMBER, "secret")]
)
def test_a_private_value_is_never_quoted(shape: Shape, value: str) -> None:
    with pytest.raises(EventRefused) as refused:
        read(value, shape, private=True)
    assert "secret" not in str(refused.value)


anything: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=5,
)


@given(anything, SHAPES)
def test_any_value_is_kept_or_refused_and_what_is_kept_stays_as_it_is(value: object, shape: Shape) -> None:
    try:
        kept = read(value, shape)
    except EventRefused:
        return
    json.dumps(kept, default=str).encode()
    if shape not in (MONEY,) and "price" not in str(kept):
        assert read(kept, shape) == kept


@given(st.floats(-1e17, 1e17).filter(lambda number: number == 0 or abs(number) > 1e-12))
def test_a_float_counts_as_the_decimal_that_was_written_for_it(number: float) -> None:
    assert read(number, NUMBER) == Decimal(repr(number))


@given(st.datetimes(timezones=st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))))
def test_a_moment_stays_the_same_moment(moment: datetime) -> None:
    try:
        kept = read(moment, TIME)
    except EventRefused:
        assert moment.year in (1, 9999)
        return
    assert datetime.fromisoformat(kept) == moment
    assert kept.endswith("+00:00")
