"""Projecting one row anew that hangs together with no other, from the history of its own key."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from personalize.events.event import Event

Row = TypeVar("Row")


class RowReplay(Generic[Row]):
    """The row of one key, as `anew` makes it of what the row was and of the events that there are; None for neither."""

    types: frozenset[str] = frozenset()
    touched: tuple[str, ...] = ()

    def __init__(self, key: str, anew: Callable[[Row | None, Sequence[Event]], Row | None]) -> None:
        self._anew = anew
        self._was: Row | None = None
        self._events: list[Event] = []
        self.keys: tuple[str, ...] = (key,)
        self.missing: tuple[str, ...] = (key,)

    def look(self, rows: Mapping[str, Row | None], deciding: Iterable[Event]) -> None:
        """Take the row as it was; no event decides what others mean."""
        (self._was,) = rows.values()
        self.missing = ()

    def project(self, event: Event) -> None:
        """Take the next event."""
        self._events.append(event)

    def rows(self, touched: Mapping[str, Row | None]) -> Mapping[str, Row | None]:
        """The row after the last event."""
        return {self.keys[0]: self._anew(self._was, self._events)}
