"""What is left of an event where purposes are refused."""

from typing import Any

import pytest

from personalize.events.schema import Attribute, EventType, Schema, Shape, ValueType
from personalize.profiles.purpose import left_without
from tests.stores.samples import event

TEXT = Shape(ValueType.TEXT)
SCHEMA = Schema(
    attributes={"country": Attribute("country", TEXT), "letters": Attribute("letters", TEXT, purpose="mail")},
    events={"bought": EventType("bought"), "opened": EventType("opened", purpose="mail")},
)


@pytest.mark.parametrize(
    ("type_", "properties", "purpose"),
    [
        ("page_view", {"path": "/"}, "personalize"),
        ("impression", {}, "measure"),
        ("click", {}, "measure"),
        ("bought", {}, "personalize"),
        ("opened", {}, "mail"),
        ("no longer declared", {}, "personalize"),
        ("interest", {"tag": "tents"}, "personalize"),
        ("mark", {"event_id": "1"}, "personalize"),
        ("set", {"country": "NO"}, "personalize"),
        ("set", {"letters": True}, "mail"),
        ("set", {"undeclared": True}, "personalize"),
    ],
)
def test_an_event_goes_with_its_purpose_and_with_no_other(type_: str, properties: dict[str, Any], purpose: str) -> None:
    told = event(type_, properties=properties)
    for refused in ("measure", "personalize", "mail"):
        assert left_without(told, {refused}, SCHEMA) == (None if refused == purpose else told)
    assert left_without(told, {"measure", "personalize", "mail"}, SCHEMA) is None


def test_of_attributes_that_were_set_together_each_goes_with_its_own_purpose() -> None:
    told = event("set", properties={"country": "NO", "letters": True})
    left = left_without(told, {"personalize"}, SCHEMA)
    assert left is not None and left.properties == {"letters": True}
    assert (left.event_id, left.occurred_at) == (told.event_id, told.occurred_at)


@pytest.mark.parametrize("type_", ["join", "undo", "retract"])
def test_whose_is_whose_and_what_did_not_happen_is_kept(type_: str) -> None:
    told = event(type_, properties={"from": "v:ann"})
    assert left_without(told, {"measure", "personalize"}, SCHEMA) == told


def test_of_a_decision_its_proof_is_kept_and_the_page_that_it_stood_on_goes() -> None:
    told = event("consent", properties={"granted": ["measure"], "text": "v3", "gpc": True, "landing_path": "/secret"})
    assert left_without(told, {"measure"}, SCHEMA) == told
    left = left_without(told, {"personalize"}, SCHEMA)
    assert left is not None and left.properties == {"granted": ["measure"], "text": "v3", "gpc": True}
