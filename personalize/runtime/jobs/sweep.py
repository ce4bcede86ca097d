"""The sweep: records that visitors enter and leave watched segments, each change once, whoever does the work."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from personalize.decisions.watch import SegmentWatch
from personalize.events.event import SEGMENT_ENTERED, SEGMENT_LEFT, Event, to_micros
from personalize.profiles.encoding import decode_profile
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange
from personalize.profiles.watched import WATCH, Watched, WatchProjector, change_of
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.leased_task import LeasedTask
from personalize.runtime.offline import is_visitor, organizations_of, visitor_context
from personalize.settings import Settings
from personalize.stores.projecting import MARKS, PROFILES
from personalize.stores.protocols import Applied, Store

SWEEPER = "sweep"
_JOB = "sweep"
#: How many visitors are looked at in one go; between two, others have their turn.
LOOKED_AT_ONCE = 200
_ID_BYTES = 16
_ROWS = WatchProjector()


@dataclass(frozen=True, slots=True)
class _Pass:
    """How far everybody has been looked at, since what is watched means what it means now."""

    meaning: str
    after: str = ""
    done: bool = False


class Sweep:
    """Looks at visitors of one store, by one rule set, and records what has changed.

    Whom something has happened to is due at once; beside that, everybody is due at the moment that `SegmentWatch`
    gives, so nobody else has to be looked at. When the rules of a watched segment have changed, all are, once, in
    stretches. `write` puts events into the log.
    """

    def __init__(
        self,
        store: Store,
        rule_set: RuleSet,
        settings: Settings,
        *,
        clock: Clock,
        write: Callable[[Sequence[Event]], Awaitable[Applied]],
    ) -> None:
        self._store = store
        self._rule_set = rule_set
        self._settings = settings
        self._clock = clock
        self._write = write
        self._watch = SegmentWatch(rule_set, settings.webhooks.segments)
        self._meaning = _meaning_of(rule_set, self._watch.segment_ids, settings)

    async def step(self) -> bool:
        """Look at some who are due, else at some of those whom a change of the rules concerns; False where there is
        nobody to look at now."""
        now = self._clock.now()
        found = await self._store.due(WATCH, at=now, rows=LOOKED_AT_ONCE)
        if found:
            await self._look_at(dict(found), [key for key, _ in found])
            return True
        return await self._pass_on()

    async def _pass_on(self) -> bool:
        kept = (await self._store.kept(MARKS, [_JOB])).get(_JOB)
        reached = _Pass(**json.loads(kept)) if kept is not None else None
        if reached is None or reached.meaning != self._meaning:
            reached = _Pass(self._meaning)
        if reached.done:
            return False
        ids = await self._store.profile_ids(reached.after, rows=LOOKED_AT_ONCE)
        await self._look_at(await self._store.kept(WATCH, ids), ids)
        after = ids[-1] if ids else reached.after
        is_done = len(ids) < LOOKED_AT_ONCE
        # Once it is done nobody's id is kept here.
        further = replace(reached, after="" if is_done else after, done=is_done)
        mark = json.dumps({"meaning": further.meaning, "after": further.after, "done": further.done}).encode()
        await self._store.exchange(MARKS, [RowChange(_JOB, kept, mark)])
        return True

    async def _look_at(self, rows: Mapping[str, bytes], ids: Sequence[str]) -> None:
        """Record what has changed for these visitors, then say when to look at each of them again."""
        stored = await self._store.kept(PROFILES, ids)
        profiles = {key: decode_profile(data) for key, data in stored.items()}
        belong = await organizations_of(list(profiles.values()), self._store, self._rule_set)
        organizations = dict(zip(profiles, belong, strict=True))
        changes = await self._follow(profiles.values(), rows)
        events: list[Event] = []
        for profile_id in ids:
            seen = rows.get(profile_id)
            row = Watched() if seen is None else _ROWS.decode(seen)
            told, after = self._changes(profile_id, profiles.get(profile_id), organizations.get(profile_id), row)
            events += told
            # The row as the events will leave it: so what comes meanwhile makes this change fail, and is looked at.
            expected = seen if not told else _ROWS.encode(after_events(row, told))
            changes.append(RowChange(profile_id, expected, _ROWS.encode(after)))
        if events:
            await self._write(events)
        await self._store.exchange(WATCH, changes)

    async def _follow(self, profiles: Iterable[Profile], rows: Mapping[str, bytes]) -> list[RowChange]:
        """Who has taken a browser's profile over is due, too: late news of the browser go to them."""
        into = {one.joined.into for one in profiles if one.joined is not None} - rows.keys()
        seen = await self._store.kept(WATCH, sorted(into)) if into else {}
        due_at = to_micros(self._clock.now())
        changes: list[RowChange] = []
        for one in sorted(into):
            row = _ROWS.decode(seen[one]) if one in seen else Watched()
            then = replace(row, due_at_micros=due_at, touched=row.touched + 1)
            changes.append(RowChange(one, seen.get(one), _ROWS.encode(then)))
        return changes

    def _changes(
        self, profile_id: str, profile: Profile | None, organization: Organization | None, row: Watched
    ) -> tuple[list[Event], Watched]:
        """What has changed for one visitor, as events, and their row afterwards."""
        members, next_look = frozenset[str](), None
        if profile is not None and is_visitor(profile):
            now = self._clock.now()
            context = visitor_context(
                profile_id, profile, self._rule_set, self._settings, now=now, organization=organization
            )
            members, next_look = self._watch.members(context), self._watch.next_look(context)
        told = [self._change(profile_id, row, one, entered=True) for one in sorted(members - row.segments)]
        told += [self._change(profile_id, row, one, entered=False) for one in sorted(row.segments - members)]
        due_at = None if next_look is None else to_micros(next_look)
        return told, replace(after_events(row, told), due_at_micros=due_at)

    def _change(self, profile_id: str, row: Watched, segment_id: str, *, entered: bool) -> Event:
        """The event of one change. Its id says which one it is, so that whoever finds it too finds the same."""
        number = row.standings[segment_id].number + 1 if segment_id in row.standings else 1
        named = json.dumps([profile_id, segment_id, number]).encode()
        now = self._clock.now()
        return Event(
            event_id=hashlib.blake2b(named, digest_size=_ID_BYTES).hexdigest(),
            sender=SWEEPER,
            type=SEGMENT_ENTERED if entered else SEGMENT_LEFT,
            profile_id=profile_id,
            occurred_at=now,
            received_at=now,
            properties=change_of(segment_id, number),
            channel=SWEEPER,
            version=self._rule_set.version,
        )


def after_events(row: Watched, told: Sequence[Event]) -> Watched:
    """A visitor's row after these events."""
    for event in told:
        row = _ROWS.project(event, {event.profile_id: row})[event.profile_id]
    return row


def _meaning_of(rule_set: RuleSet, segment_ids: Sequence[str], settings: Settings) -> str:
    """What decides who is in the watched segments, beside visitors and the clock; when it changes, all are due."""
    said = [rule_set.version, *sorted(segment_ids), repr(settings.visits), repr(settings.interests)]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=_ID_BYTES).hexdigest()


class SweepTask:
    """Sweeps in the background of a worker, whenever no other one does. `serving` gives the rule set to go by; None
    while there is none, or its rules wait for something to be counted."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        serving: Callable[[], RuleSet | None],
        write: Callable[[Sequence[Event]], Awaitable[Applied]],
    ) -> None:
        self._settings = settings
        self._serving = serving
        self._make = partial(Sweep, store, settings=settings, clock=clock, write=write)
        self._sweep: tuple[RuleSet, Sweep] | None = None
        self._task = LeasedTask(
            store,
            _JOB,
            self._step,
            worker=worker,
            clock=clock,
            health=health,
            failure="segments could not be swept",
            can=lambda: serving() is not None,
            rests=True,
        )

    def start(self) -> None:
        """Sweep from now on, where anything is watched."""
        if self._settings.webhooks.segments:
            self._task.start()

    async def stop(self) -> None:
        """Stop; another worker goes on."""
        await self._task.stop()

    async def _step(self) -> bool:
        """One slice of all that is due by now."""
        rule_set = self._serving()
        if rule_set is None:
            return False
        if self._sweep is None or self._sweep[0] is not rule_set:
            self._sweep = (rule_set, self._make(rule_set))
        return await self._sweep[1].step()
