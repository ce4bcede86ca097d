from zoneinfo import ZoneInfo

import pytest

from personalize.errors import EventRefused
from personalize.events.schema import Attribute, EventType, Schema, Shape, ValueType
from personalize.events.validate import LARGEST_EVENT, check_attributes, check_event

TEXT = Shape(ValueType.TEXT)
SCHEMA = Schema(
    attributes={
        "country": Attribute("country", TEXT),
        "likes": Attribute("likes", Shape(ValueType.LIST, of=TEXT), from_browser=True),
        "born": Attribute("born", Shape(ValueType.DATE), private=True),
    },
    events={
        "purchase": EventType(
            "purchase",
            {
                "amount": Shape(ValueType.MONEY),
                "note": TEXT,
                "at": Shape(ValueType.TIME),
                "texts": Shape(ValueType.LIST, of=TEXT),
            },
            value="amount",
        ),
        "search": EventType("search", {"words": TEXT}, from_browser=True),
    },
)


def refusal(call: object) -> EventRefused:
    with pytest.raises(EventRefused) as refused:
        call()  # type: ignore[operator]
    return refused.value


def test_a_declared_event_is_kept_in_its_form() -> None:
    assert check_event("purchase", {"amount": "29.33", "note": None}, SCHEMA) == {"amount": 2933}
    assert check_event("purchase", {}, SCHEMA) == {}


def test_moments_without_a_zone_are_read_in_the_given_one() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    assert check_event("purchase", {"at": "2026-11-21 18:00"}, SCHEMA, zone=oslo) == {"at": "2026-11-21T17:00:00+00:00"}


@pytest.mark.parametrize(
    ("type_", "properties", "code", "reason", "field"),
    [
        ("purchse", {}, "E301", 'there is no event "purchse" (did you mean `purchase`?)', "purchse"),
        ("zzz", {}, "E301", 'there is no event "zzz" (declared: "purchase", "search")', "zzz"),
        ("page_view", {}, "E301", '"page_view" is recorded by personalize itself', "page_view"),
        ("join", {"from": "v:x"}, "E301", '"join" is recorded by personalize itself', "join"),
        ("purchase", {"amout": 5}, "E302", '"purchase" has no property "amout" (did you mean `amount`?)', "amout"),
        ("purchase", {"amount": "much"}, "E304", 'amount: "much" is not an amount of money', "amount"),
        ("purchase", {"at": "2026-11-21"}, "E308", "does not say in which time zone", "at"),
        ("purchase", {"note": "\x00"}, "E309", "holds characters that are no text", "note"),
        ("purchase", {"texts": ["x" * 9000] * 12}, "E306", "comes to 108000 characters", "purchase"),
    ],
)
def test_what_is_not_declared_is_refused(
    type_: str, properties: dict[str, object], code: str, reason: str, field: str
) -> None:
    error = refusal(lambda: check_event(type_, properties, SCHEMA))
    assert reason in error.reason
    assert (error.code, error.field) == (code, field)


def test_the_largest_event_is_kept_whole() -> None:
    texts = ["x" * 10_000] * (LARGEST_EVENT // 10_000)
    assert check_event("purchase", {"texts": texts}, SCHEMA) == {"texts": texts}


def test_attributes_are_kept_in_their_form_and_none_removes_one() -> None:
    assert check_attributes({"country": "NO", "likes": ("tents",), "born": None}, SCHEMA) == {
        "country": "NO",
        "likes": ["tents"],
        "born": None,
    }


def test_an_attribute_that_nobody_declared_is_refused() -> None:
    error = refusal(lambda: check_attributes({"contry": "NO"}, SCHEMA))
    assert str(error) == 'E303: there is no attribute "contry" (did you mean `country`?)'
    error = refusal(lambda: check_attributes({"contry": "NO"}, Schema()))
    assert str(error) == 'E303: there is no attribute "contry" (none is declared)'


def test_a_private_value_stays_out_of_the_message() -> None:
    assert str(refusal(lambda: check_attributes({"born": "1. May 1970"}, SCHEMA))) == (
        "E304: born: this value is not a date such as 2026-11-21"
    )


def test_a_browser_sends_only_what_is_declared_so() -> None:
    assert check_attributes({"likes": ["tents"]}, SCHEMA, from_browser=True) == {"likes": ["tents"]}
    assert check_event("search", {"words": "tent"}, SCHEMA, from_browser=True) == {"words": "tent"}
    for value in ("NO", None):
        error = refusal(lambda value=value: check_attributes({"country": value}, SCHEMA, from_browser=True))
        assert str(error) == 'E307: a browser may not set "country"'
    assert str(refusal(lambda: check_event("purchase", {}, SCHEMA, from_browser=True))) == (
        'E307: a browser may not record "purchase"'
    )
