"""Which values are equal, and lists that are asked by hash."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from personalize.rules.equality import Listed, equality_key
from tests.effort import effort

ALIKE = [
    (1, 1.0, Decimal(1), Decimal("1.00")),
    (0, -0.0, Decimal("-0")),
    ("1",),
    ("",),
    (True,),
    (False,),
    (date(2026, 1, 1),),
    (datetime(2026, 1, 1, tzinfo=UTC), datetime.fromisoformat("2026-01-01T01:00+01:00")),
    (timedelta(0),),
    ([], ()),
    ([1, None], [1.0, None]),
    ([1, True],),
    ([[1]],),
    ({},),
    ({"a": 1, "b": [None]}, {"b": [None], "a": Decimal(1)}),
    ({"a": True},),
    ({"a": None},),
]


def test_values_are_equal_to_those_alike_and_to_no_others() -> None:
    for number, values in enumerate(ALIKE):
        for other, others in enumerate(ALIKE):
            for one in values:
                for another in others:
                    assert (equality_key(one) == equality_key(another)) is (number == other), (one, another)
                    assert (one in Listed([another])) is (number == other), (one, another)


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), datetime(2026, 1, 1), b"x", object()],
    ids=lambda value: type(value).__name__,
)
def test_what_equals_nothing(value: object) -> None:
    assert equality_key(value) is None
    assert equality_key([value]) is None or value is None
    assert equality_key({"a": value}) is None or value is None
    assert value not in Listed([value])
    assert len(Listed([value])) == 0


def test_a_list_keeps_its_values_in_order_and_each_once() -> None:
    listed = Listed(["b", 1, "a", True, Decimal("1.0"), "b", [1], {"x": 1}])
    assert list(listed) == ["b", 1, "a", True, [1], {"x": 1}]
    assert type(list(listed)[1]) is int
    assert listed == Listed([{"x": 1}, [1], True, "a", 1, "b"])
    assert hash(listed) == hash(Listed([{"x": 1}, [1], True, "a", 1, "b"]))
    assert listed != Listed(["b", 1, "a", [1], {"x": 1}])


def test_a_long_list_is_answered_by_hash() -> None:
    """Walking it would take milliseconds a question."""
    listed = Listed(str(number) for number in range(100_000))
    with effort() as spent:
        assert sum(one in listed for one in ["99999", "x", 1, None, [1]] * 200) == 200
    assert spent.seconds < 0.1
