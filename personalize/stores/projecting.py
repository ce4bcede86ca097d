"""Events become rows: what every store does between reading a projection's rows and writing them."""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from typing import Any

from personalize.events.event import Event
from personalize.profiles.holding import NOTHING_HELD, Holding
from personalize.stores.protocols import Projector

#: The projection that `Store.profile` and `Store.profiles` read.
PROFILES = "profiles"


class Course(Enum):
    """What is to be done so that the served rows come to hold what is needed."""

    REST = auto()
    #: What is being filled brings something that is needed and lacking.
    GO_ON = auto()
    BEGIN = auto()


def course(served: Holding, filling: Holding | None, needed: Holding) -> Course:
    """What to do, given what the served rows hold, those that are being filled will hold, and is needed by now.

    A filling is not begun anew because yet another counter is wanted meanwhile: each publishing would throw it
    back, and who publishes often would wait for ever. It is finished, and the next one brings the rest.
    """
    kept = served.kept_under(needed)
    if kept.covers(needed):
        return Course.REST
    if filling is not None and not kept.covers(filling.kept_under(needed)):
        return Course.GO_ON
    return Course.BEGIN


def holding_of(projectors: Sequence[Projector]) -> Holding:
    """What the profiles of these projectors hold."""
    return next((one.holding for one in projectors if one.name == PROFILES), NOTHING_HELD)


class Rows:
    """The rows of one projection while events are projected: each read once, then changed here.

    `read` gives the bytes kept for a key, or None. Nothing is written; `changes` tells what to write.
    """

    def __init__(self, projector: Projector, read: Callable[[str], bytes | None]) -> None:
        self._projector = projector
        self._read = read
        self._rows: dict[str, Any] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def project(self, event: Event) -> None:
        """Let the projector answer one event. It sees the rows that it named, and no other."""
        projector = self._projector
        seen: dict[str, Any] = {}
        while missing := [key for key in projector.reads(event, seen) if key not in seen]:
            seen.update((key, self._row(key)) for key in missing)
        after = projector.project(event, seen)
        self._rows.update(after)
        self._changed.update(after)

    def changes(self) -> Iterator[tuple[str, bytes | None]]:
        """Every row that changed, as bytes, by key and in its order; None for a row that is no more."""
        for key in sorted(self._changed):
            row = self._rows[key]
            yield key, None if row is None else self._projector.encode(row)

    def _row(self, key: str) -> Any:
        if key not in self._rows:
            data = self._read(key)
            self._rows[key] = None if data is None else self._projector.decode(data)
        return self._rows[key]
