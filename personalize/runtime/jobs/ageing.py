"""The log by its age: in which stretches of it something grows too old, and when, so that nobody reads the rest.

Events enter the log at its end and never move. So a stretch is read once when it is full, and then when something in it
has grown too old; in between, a row of a queue waits for that moment.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from personalize.events.event import Event, from_micros, to_micros
from personalize.profiles.queue import RowChange, queued
from personalize.stores.projecting import AGEING, MARKS
from personalize.stores.protocols import Store

#: How many entries of the log make a stretch.
STRETCH = 1_000
_MARK = "retention"
_KEY_DIGITS = 16


@dataclass(frozen=True, slots=True)
class AgeingMark:
    """How far the log was looked through: so many full `stretches`, by rules of this `meaning`. `ended_at` is when a
    round was last done to its end."""

    meaning: str
    stretches: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogStretch:
    """A stretch of the log that is to be looked at: its number, counted from 0, what it holds, and whether it is seen
    for the first time by these rules. One that is not full yet has no number."""

    number: int | None
    events: Sequence[Event]
    is_new: bool


class AgeingLog:
    """The log of one store, by rules whose `meaning` a text tells: whatever decides how old something may become."""

    def __init__(self, store: Store, meaning: str) -> None:
        self._store = store
        self._meaning = hashlib.blake2b(meaning.encode(), digest_size=16).hexdigest()

    async def mark(self) -> AgeingMark:
        """How far it was looked through; from its beginning where the rules have changed."""
        stored = (await self._store.kept(MARKS, [_MARK])).get(_MARK)
        mark = AgeingMark(self._meaning) if stored is None else _mark_from(stored)
        return mark if mark.meaning == self._meaning else AgeingMark(self._meaning)

    async def ended(self, at: datetime) -> None:
        """Write down that a round was done to its end."""
        await self._move(replace(await self.mark(), ended_at=at))

    async def to_look_at(self, now: datetime) -> AsyncIterator[LogStretch]:
        """The stretches in which something is too old by now, and those that were not looked at by these rules.

        Whoever takes one says by `settled` when it is due again, before they ask for the next.
        """
        last = await self._store.last_entry()
        full = last // STRETCH
        for number in range((await self.mark()).stretches, full):
            yield LogStretch(number, await self.events(number), is_new=True)
        yield LogStretch(None, await self._store.entries(full * STRETCH, last), is_new=True)
        while found := await self._store.due(AGEING, at=now, rows=1):
            number = int(found[0][0])
            yield LogStretch(number, await self.events(number), is_new=False)

    async def events(self, number: int) -> Sequence[Event]:
        """What a stretch holds by now."""
        return await self._store.entries(number * STRETCH, (number + 1) * STRETCH)

    async def settled(self, stretch: LogStretch, due_at: datetime | None) -> None:
        """A stretch was looked at, and is to be again behind a moment; None for never."""
        if stretch.number is None:
            return
        key = f"{stretch.number:0{_KEY_DIGITS}d}"
        seen = (await self._store.kept(AGEING, [key])).get(key)
        row = queued(None if due_at is None else to_micros(due_at) + 1, b"")
        await self._store.exchange(AGEING, [RowChange(key, seen, row)])
        if stretch.is_new:
            await self._move(replace(await self.mark(), stretches=stretch.number + 1))

    async def _move(self, mark: AgeingMark) -> None:
        seen = (await self._store.kept(MARKS, [_MARK])).get(_MARK)
        await self._store.exchange(MARKS, [RowChange(_MARK, seen, _mark_as_bytes(mark))])


def next_look(moments: Sequence[datetime], now: datetime, *, at_least: timedelta) -> datetime | None:
    """The first of the moments; what could not be done by now is tried again after `at_least` so long."""
    return min((moment if moment >= now else now + at_least for moment in moments), default=None)


def _mark_as_bytes(mark: AgeingMark) -> bytes:
    return orjson.dumps([mark.meaning, mark.stretches, None if mark.ended_at is None else to_micros(mark.ended_at)])


def _mark_from(stored: bytes) -> AgeingMark:
    meaning, stretches, ended_at = orjson.loads(stored)
    return AgeingMark(meaning, stretches, None if ended_at is None else from_micros(ended_at))
