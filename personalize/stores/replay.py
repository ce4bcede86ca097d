"""What a projector gives to project rows anew, where an event changes what earlier ones meant."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from personalize.events.event import Event


class Replay(Protocol):
    """Some rows of a projection, projected anew from what the log has of them; pure, as the projector is.

    While `missing` names keys, `look` is given the rows of these, and the events of `types` that were sent with them.
    After that, `project` is given all events that were sent with one of `keys`; both in the order of the log. Then
    `rows` has them all, and what changes with them.
    """

    @property
    def types(self) -> frozenset[str]:
        """The types of events that decide what others mean."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys that were not looked at yet; profile ids."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys found so far."""

    def look(self, rows: Mapping[str, Any], deciding: Iterable[Event]) -> None:
        """Take the rows of what was missing, None where there is none, and its deciding events."""

    def project(self, event: Event) -> None:
        """Project the next event."""

    @property
    def touched(self) -> tuple[str, ...]:
        """The keys of further rows that change with these, known after the last event."""

    def rows(self, touched: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row of each of `keys` and `touched` after the last event, given those of `touched` as they are; None
        for one that is no more."""
