"""An event as fields of text, the same in every format, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from personalize.events.event import Event, JSONValue

#: The columns of an exported event, in order; `properties` is JSON.
FIELDS = (
    *("event_id", "sender", "type", "profile_id", "occurred_at", "received_at"),
    *("channel", "version", "properties"),
)


def moment_as_text(moment: datetime) -> str:
    """A moment in UTC to the microsecond: `1997-10-01T18:30:00+00:00`."""
    return moment.isoformat()


def event_from_fields(fields: Mapping[str, object], properties: Mapping[str, JSONValue]) -> Event:
    """The event that these texts tell of. Raises ValueError, KeyError or TypeError for what is none."""
    texts = {name: cast(str, fields[name]) for name in ("event_id", "sender", "type", "profile_id", "channel")}
    version = fields["version"]
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(version, str | None):
        raise ValueError("a text was expected")
    return Event(
        **texts,
        occurred_at=_moment(fields["occurred_at"]),
        received_at=_moment(fields["received_at"]),
        properties=properties,
        version=version,
    )


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(cast(str, text))
    if moment.tzinfo is None:
        raise ValueError("a moment has to name its zone")
    return moment
