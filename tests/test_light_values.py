"""Light values behave as frozen dataclasses do, but for the guard that nobody pays for at run time."""

from dataclasses import fields
from dataclasses import replace as replaced
from datetime import UTC, datetime

import pytest

from personalize.events.event import Event
from personalize.light_values import replace

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = Event("id", "web", "page_view", "v:a", NOW, NOW, {})


def test_a_light_value_is_a_dataclass_with_slots() -> None:
    assert [field.name for field in fields(EVENT)][:2] == ["event_id", "sender"]
    assert not hasattr(EVENT, "__dict__")


def test_light_values_are_equal_and_hashed_by_their_fields() -> None:
    other = replace(EVENT, sender="app")
    assert other != EVENT and replace(other, sender="web") == EVENT
    assert hash(replace(EVENT, properties=())) == hash(replace(EVENT, properties=()))  # type: ignore[arg-type]


def test_a_changed_value_is_another_one_and_the_first_stays() -> None:
    other = replace(EVENT, sender="app", version="v2")
    assert other == replaced(EVENT, sender="app", version="v2")
    assert (EVENT.sender, EVENT.version) == ("web", None)
    with pytest.raises(AttributeError):
        replace(EVENT, sendr="app")
