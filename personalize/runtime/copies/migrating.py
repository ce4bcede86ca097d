"""Moving from one store to another: all that one keeps is copied, and read back to see that it is the same.

The log is copied in its order, the profiles are made of it. So whatever broke off goes on where it was: what the other
store has by then has to be the beginning of this log, event for event.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from personalize.errors import MigrationRefused
from personalize.events.event import Event, to_micros
from personalize.profiles.encoding import encode_profile
from personalize.profiles.holding import Holding
from personalize.profiles.profile import Profile
from personalize.runtime.publish import live_rule_set, projectors_of
from personalize.settings import Settings
from personalize.stores.event_text import properties_as_text
from personalize.stores.protocols import NOTHING_LIVE, Projector, Store

EVENTS_AT_ONCE = 2_000
_TELL_EVERY = 500
Step: TypeAlias = Literal["events copied", "events compared", "profiles compared"]
#: Told what is being done, how many are done, and how many there are as far as that is known.
Progress: TypeAlias = Callable[[Step, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was moved: events of the log, of which some were there before, and profiles. The SHA-256 of both are those
    of either store; None for profiles that could not be compared, since one of the stores is still counting."""

    events: int
    before: int
    profiles: int
    log_sha256: str
    profiles_sha256: str | None


async def migrate(
    source: Store, target: Store, settings: Settings, *, progress: Progress = lambda step, done, total: None
) -> Migrated:
    """Copy what `source` keeps to `target`, which is empty or was begun so, and compare both.

    The source is not changed. What enters it meanwhile is copied by the next call. Raises `MigrationRefused` where
    the target holds anything else, or does not give back what it was given; and `InvalidFiles` where what is live in
    the source does not load here.
    """
    rule_set = await live_rule_set(source, settings)
    projectors = projectors_of(rule_set, settings)
    copied = _Copied()
    await _copy_log(source, target, projectors, copied, progress)
    await _copy_lives(source, target, projectors)
    await _copy_the_rest(source, target)
    if await _log_of(target, copied.events, progress) != copied.log.hexdigest():
        raise MigrationRefused("the log that was copied does not read back as it was written: begin anew, elsewhere")
    profiles, profiles_sha256 = await _compare_profiles(source, target, progress)
    return Migrated(copied.events, copied.before, profiles, copied.log.hexdigest(), profiles_sha256)


class _Copied:
    """How far the copying is: the events that the target has by now, and the digest of these."""

    def __init__(self) -> None:
        self.events = self.before = 0
        self.log = hashlib.sha256()

    def add(self, events: Sequence[Event]) -> None:
        """Count events that are there now."""
        self.events += len(events)
        for event in events:
            self.log.update(_line(event))


async def _copy_log(
    source: Store, target: Store, projectors: Sequence[Projector], copied: _Copied, progress: Progress
) -> None:
    total = (await source.filled()).events
    there = target.log()
    batch: list[Event] = []
    async for event in source.log():
        known = None if batch else await anext(there, None)
        if known is not None:
            _refuse_another(known, event, copied.events)
            copied.add([event])
            copied.before = copied.events
            progress("events copied", copied.events, total)
            continue
        batch.append(event)
        if len(batch) == EVENTS_AT_ONCE:
            await _write(target, batch, projectors, copied)
            progress("events copied", copied.events, total)
            batch = []
    if not batch and await anext(there, None) is not None:
        raise MigrationRefused(f"the store to move to has more events than the {copied.events:,} of the other")
    await _write(target, batch, projectors, copied)


async def _write(target: Store, batch: Sequence[Event], projectors: Sequence[Projector], copied: _Copied) -> None:
    applied = await target.apply(batch, projectors)
    if applied.new != len(batch):
        raise MigrationRefused(
            f"{len(batch) - applied.new} of the events behind the {copied.events:,}th are not taken by the store to "
            "move to: it keeps nothing so old"
        )
    copied.add(batch)


def _refuse_another(known: Event, event: Event, place: int) -> None:
    if _line(known) != _line(event):
        raise MigrationRefused(
            f"the store to move to holds something else: entry {place + 1:,} of its log is another one. "
            "Name an empty one, or empty it: also where somebody was erased since this was begun"
        )


async def _copy_lives(source: Store, target: Store, projectors: Sequence[Projector]) -> None:
    """What was ever live, when and by whom; and what counters the target lacks for the last of them."""
    were, present = list(await source.versions()), list(await target.versions())
    if present != were[: len(present)]:
        raise MigrationRefused("the store to move to has another history of what was live: name an empty one")
    for number, live in enumerate(were[len(present) :], len(present)):
        await target.save_rule_set(live.version, await source.rule_set(live.version), live.at)
        expected = were[number - 1].version if number else NOTHING_LIVE
        await target.set_live(live, projectors, expected=expected)
    while were and not (await target.filled()).rests:
        await target.fill(projectors, version=were[-1].version, at=were[-1].at, events=EVENTS_AT_ONCE)


async def _copy_the_rest(source: Store, target: Store) -> None:
    """Who was erased, and what the log takes; which copies were made; tokens, and the switch."""
    await target.take_over(await source.erasures(), await source.sealed())
    await target.raise_floors(await source.floors())
    for export in await source.exports():
        await target.note_export(export)
    for token in await source.tokens():
        await target.keep_token(token)
    switch = await source.switch()
    if switch is not None and switch != await target.switch():
        await target.set_switch(switch)


async def _log_of(store: Store, total: int, progress: Progress) -> str:
    """The digest of a log, as it is read."""
    digest, done = hashlib.sha256(), 0
    async for event in store.log():
        digest.update(_line(event))
        done += 1
        if done % _TELL_EVERY == 0:
            progress("events compared", done, total)
    return digest.hexdigest()


async def _compare_profiles(source: Store, target: Store, progress: Progress) -> tuple[int, str | None]:
    """How many profiles the target has, and the digest that both have."""
    were, are = await source.filled(), await target.filled()
    is_counting = were.holding != are.holding or were.filling is not None or are.filling is not None
    digest, done = hashlib.sha256(), 0
    others = _lines(source, were.holding)
    async for line in _lines(target, are.holding):
        done += 1
        digest.update(line)
        if not is_counting and line != await anext(others, None):
            raise MigrationRefused(
                f'profile {done:,} of the store to move to is not as in the other. Run "personalize rebuild" on that '
                "one, and try again; where they still differ, please tell us"
            )
        if done % _TELL_EVERY == 0:
            progress("profiles compared", done, None)
    if not is_counting and await anext(others, None) is not None:
        raise MigrationRefused(f"the store to move to has {done:,} profiles, and the other more")
    return done, None if is_counting else digest.hexdigest()


async def _lines(store: Store, holding: Holding) -> AsyncIterator[bytes]:
    async for profile in store.profiles():
        told = json.loads(encode_profile(_held(profile, holding)))
        yield json.dumps(told, sort_keys=True).encode() + b"\n"


def _held(profile: Profile, holding: Holding) -> Profile:
    """What rules may rely on: what was counted for older rules, and for how long, is not the same in each store."""
    recent = {key: profile.recent[key][-most:] for key, most in holding.counters.items() if key in profile.recent}
    added_up = {type_ for type_, _ in holding.values}
    totals = {
        type_: total if type_ in added_up else replace(total, sum=0, first_value=None, last_value=None)
        for type_, total in profile.totals.items()
    }
    interests = profile.interests if holding.interests else {}
    return replace(profile, recent=recent, totals=totals, interests=interests)


def _line(event: Event) -> bytes:
    """All of an event, the same for equal ones."""
    parts = [
        *(event.event_id, event.sender, event.type, event.profile_id, event.channel, event.version),
        *(to_micros(event.occurred_at), to_micros(event.received_at), properties_as_text(event.properties)),
    ]
    return json.dumps(parts).encode() + b"\n"
