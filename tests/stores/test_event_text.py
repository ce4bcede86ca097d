"""Properties survive being written as text: each value comes back equal, and of the same kind."""

from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given

from personalize.stores.event_text import properties_as_text, properties_from_text
from tests.stores.samples import any_properties

KINDS = [
    *(Decimal("5"), Decimal("-0"), Decimal("1.10"), Decimal("1E+3"), Decimal("0E-7"), Decimal("0.1234567890123456789")),
    *(0, -1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40, True, False, None),
    *("", "søk \U0001f43b", '"quoted" \\ \n\t\x00', "\u2028", "\ud83d", "1.5"),
    *([], [[Decimal("1")], {"a": {"b": [10**40, "\udc00"]}}], {"": {}}),
]


@pytest.mark.parametrize("value", KINDS, ids=ascii)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    # By their text, since an int and a Decimal of one value are equal, and 1.0 and 1.00 too.
    assert repr(properties_from_text(properties_as_text({"value": value}))) == repr({"value": value})


@given(properties=any_properties)
@example({"small": 1, "large": 10**30, "exact": Decimal("7")})
def test_any_properties_come_back_as_they_were(properties: dict[str, Any]) -> None:
    assert repr(properties_from_text(properties_as_text(properties))) == repr(properties)


def test_a_mapping_that_cannot_be_changed_is_written_like_any_other() -> None:
    read_only = MappingProxyType({"inner": MappingProxyType({"amount": Decimal("2")})})
    assert properties_from_text(properties_as_text(read_only)) == {"inner": {"amount": Decimal("2")}}
