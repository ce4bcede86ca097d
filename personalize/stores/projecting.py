"""Events become rows: what every store does between reading a projection's rows and writing them."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

from personalize.events.event import Event
from personalize.profiles.holding import NOTHING_HELD, Holding
from personalize.profiles.outbox import OUTBOX
from personalize.profiles.replay import Anew
from personalize.profiles.searched import SEARCH
from personalize.profiles.watched import WATCH
from personalize.stores.protocols import Projector

#: The projection that `Store.profile` and `Store.profiles` read.
PROFILES = "profiles"
#: How far jobs have come, by their names; no projector writes here.
MARKS = "marks"
#: Stretches of the log, and when something in each grows too old; no projector writes here.
AGEING = "ageing"
#: The projections whose rows wait for a moment.
QUEUES = frozenset({WATCH, OUTBOX, AGEING})
#: Those whose rows are found by the eight bytes that they begin with: a moment, or a term.
LED = QUEUES | {SEARCH}


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the histories of some profiles: the events sent with any of these ids, in the order of the log.

    Those behind its entry `after`, and no more than were projected; of these `types` where some are named.
    """

    profile_ids: Sequence[str]
    types: frozenset[str] | None
    after: int


#: What was found of a `Part`, and the entry of the last one: so many as the store likes, none where there are no more.
Found: TypeAlias = tuple[Sequence[Event], int]
#: Projecting anew, which gives either keys, as `Reading`, or the part of histories that it wants, and is sent that.
Settling: TypeAlias = Generator[Sequence[str] | Part, Any, None]


class Rows:
    """The rows of one projection while events are projected: each read once, then changed here.

    `project` reads nothing itself: it asks for rows, all that a batch is known to need at once. So the same code
    serves a store that reads at once (`read_by`) and one that awaits its rows. Nothing is written; `changes` tells
    what to write. What is to be projected anew waits until `settle`, so that a batch, a slice or a whole log has
    each history read once.
    """

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._rows: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._unsettled: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def project(self, events: Sequence[Event]) -> Reading:
        """Let the projector answer events, one after the other. Each sees the rows that it named, and no other."""
        rows, reads, answer = self._rows, self._projector.reads, self._projector.project
        for place, event in enumerate(events):
            keys = reads(event, rows)
            while [key for key in keys if key not in rows]:
                yield from self._ahead(events[place:])
                keys = reads(event, rows)
            for key, after in answer(event, {key: rows[key] for key in keys}).items():
                if after.__class__ is Anew:
                    self._unsettled.add(key)
                self._rows[key] = after.row if after.__class__ is Anew else after
                self._changed.add(key)

    def project_anew(self, key: str) -> None:
        """Have a row projected anew, though no event asks for it: its history itself has changed."""
        self._unsettled.add(key)

    def settle(self) -> Settling:
        """Project anew what has to be, from what the log has up to the last event that was projected."""
        while self._unsettled:
            replay = self._projector.replay(min(self._unsettled))
            while missing := replay.missing:
                yield from self._read(missing)
                rows = {key: self._rows[key] for key in missing}
                deciding: list[Event] = []
                yield from _all_of(missing, replay.types, deciding.append)
                replay.look(rows, deciding)
            yield from _all_of(replay.keys, None, replay.project)
            touched = replay.touched
            yield from self._read(touched)
            after = replay.rows({key: self._rows[key] for key in touched})
            self._rows.update(after)
            self._changed.update(after)
            self._unsettled.difference_update(after)

    def changes(self) -> Iterator[tuple[str, bytes | None]]:
        """Every row that changed, as bytes, by key and in its order; None for a row that is no more."""
        for key in sorted(self._changed):
            row = self._rows[key]
            yield key, None if row is None else self._projector.encode(row)

    def forget(self) -> None:
        """Let go of the rows, once their changes are written; what is to be projected anew still is."""
        self._rows.clear()
        self._changed.clear()

    def _ahead(self, events: Sequence[Event]) -> Reading:
        """Read what these events name as the rows are by now. What an event leaves may lead a later one to others."""
        yield from self._read(sorted({key for event in events for key in self._projector.reads(event, self._rows)}))

    def _read(self, keys: Sequence[str]) -> Reading:
        lacking = [key for key in keys if key not in self._rows]
        if lacking:
            found = yield lacking
            decode = self._projector.decode
            self._rows.update((key, None if data is None else decode(data)) for key, data in found.items())


def _all_of(profile_ids: Sequence[str], types: frozenset[str] | None, give: Callable[[Event], None]) -> Settling:
    """Give every event of these histories, part by part."""
    after = 0
    while True:
        found: Found = yield Part(profile_ids, types, after)
        events, after = found
        if not events:
            return
        for event in events:
            give(event)


def read_by(read: Callable[[str], bytes | None], reading: Reading) -> None:
    """Go through with a projecting, `read` giving the bytes of a row."""
    keys = next(reading, None)
    while keys is not None:
        try:
            keys = reading.send({key: read(key) for key in keys})
        except StopIteration:
            return


def settle_by(read: Callable[[str], bytes | None], part: Callable[[Part], Found], settling: Settling) -> None:
    """Go through with a projecting anew, `read` giving the bytes of a row and `part` those of a history."""
    asked = next(settling, None)
    while asked is not None:
        answer = part(asked) if isinstance(asked, Part) else {key: read(key) for key in asked}
        try:
            asked = settling.send(answer)
        except StopIteration:
            return
