"""Light values behave as frozen dataclasses do, but for the guard that nobody pays for at run time."""

from dataclasses import fields, replace
from datetime import UTC, datetime

from personalize.events.event import Event

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = Event("id", "web", "page_view", "v:a", NOW, NOW, {})


def test_a_light_value_is_a_dataclass_with_slots() -> None:
    assert [field.name for field in fields(EVENT)][:2] == ["event_id", "sender"]
    assert not hasattr(EVENT, "__dict__")


def test_light_values_are_equal_and_hashed_by_their_fields() -> None:
    other = replace(EVENT, sender="app")
    assert other != EVENT and replace(other, sender="web") == EVENT
    assert hash(replace(EVENT, properties=())) == hash(replace(EVENT, properties=()))  # type: ignore[arg-type]
