"""Events become rows: what every store does between reading a projection's rows and writing them."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any, TypeAlias

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


#: Projecting that gives the keys of rows that it lacks, and is sent their bytes, None for a row that there is not.
Reading: TypeAlias = Generator[Sequence[str], Mapping[str, bytes | None], None]


class Rows:
    """The rows of one projection while events are projected: each read once, then changed here.

    `project` reads nothing itself: it asks for rows, all that a batch is known to need at once. So the same code
    serves a store that reads at once (`read_by`) and one that awaits its rows. Nothing is written; `changes` tells
    what to write.
    """

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._rows: dict[str, Any] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def project(self, events: Sequence[Event]) -> Reading:
        """Let the projector answer events, one after the other. Each sees the rows that it named, and no other."""
        yield from self._ahead(events)
        for event in events:
            seen: dict[str, Any] = {}
            while missing := [key for key in self._projector.reads(event, seen) if key not in seen]:
                yield from self._read(missing)
                seen.update((key, self._rows[key]) for key in missing)
            after = self._projector.project(event, seen)
            self._rows.update(after)
            self._changed.update(after)

    def changes(self) -> Iterator[tuple[str, bytes | None]]:
        """Every row that changed, as bytes, by key and in its order; None for a row that is no more."""
        for key in sorted(self._changed):
            row = self._rows[key]
            yield key, None if row is None else self._projector.encode(row)

    def _ahead(self, events: Sequence[Event]) -> Reading:
        """Read what the events name as the rows are by now. What an event leaves may lead a later one to others."""
        while lacking := {key for event in events for key in self._projector.reads(event, self._rows)} - set(
            self._rows
        ):
            yield from self._read(sorted(lacking))

    def _read(self, keys: Sequence[str]) -> Reading:
        lacking = [key for key in keys if key not in self._rows]
        if lacking:
            found = yield lacking
            decode = self._projector.decode
            self._rows.update((key, None if data is None else decode(data)) for key, data in found.items())


def read_by(read: Callable[[str], bytes | None], reading: Reading) -> None:
    """Go through with a projecting, `read` giving the bytes of a row."""
    keys = next(reading, None)
    while keys is not None:
        try:
            keys = reading.send({key: read(key) for key in keys})
        except StopIteration:
            return
