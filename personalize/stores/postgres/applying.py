"""The one write of a PostgreSQL store, in a transaction that whoever calls holds; see `Store.apply`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from personalize.errors import StaleVersion, TakenOver
from personalize.events.event import Event
from personalize.profiles.holding import Holding
from personalize.stores.erasing import Sifted, sifted
from personalize.stores.floors import NO_FLOORS
from personalize.stores.holding_text import holding_from_text
from personalize.stores.outcomes import applied
from personalize.stores.postgres import erasing, generations, log
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.projections import Projecting, project_log
from personalize.stores.projecting import holding_of
from personalize.stores.protocols import Applied, Outcome, Projector
from personalize.stores.seals import Seals

_STATE = f"""
    SELECT id, holding, (SELECT min(seq) FROM unprojected), (SELECT {log.LAST_SEQ}), EXISTS (SELECT FROM erased),
        EXISTS (SELECT FROM floors) OR EXISTS (SELECT FROM type_floors),
        (SELECT version FROM lives ORDER BY seq DESC LIMIT 1)
    FROM generations WHERE state = 'served'
"""


class NeedsToBeAlone(Exception):  # noqa: N818  it says what is the case
    """This write touches what others beside it rely on: it has to be done with nobody else in the store."""


async def apply(
    connection: Connection,
    events: Sequence[Event],
    projectors: Sequence[Projector],
    version: str | None,
    seals: Seals,
) -> Applied:
    """Append what is new and project it, beside others who do the same for other profiles, or wait for this one.

    Raises `NeedsToBeAlone` where more than that is to be done.
    """
    number, held, waits_from, last, any_erased, any_floors = await _state(connection, version)
    if not projectors or waits_from is not None or _held_then(held, projectors, is_first=not last) is not None:
        raise NeedsToBeAlone
    sifting = await _sifted(connection, events, seals if any_erased else None, any_floors)
    if sifting.following:
        raise NeedsToBeAlone
    return applied(events, sifting, await _append_and_project(connection, sifting.taken, projectors, number))


async def apply_alone(
    connection: Connection,
    events: Sequence[Event],
    projectors: Sequence[Projector],
    version: str | None,
    seals: Seals,
) -> Applied:
    """The same with nobody else in the store: also what waited before, or is to wait from now on, and whoever has to
    follow the erased."""
    number, held, waits_from, last, any_erased, any_floors = await _state(connection, version)
    sifting = await _sifted(connection, events, seals if any_erased else None, any_floors)
    if projectors:
        then = _held_then(held, projectors, is_first=(waits_from or last + 1) == 1)
        if then is not None:
            await generations.keep_held(connection, then)
        if waits_from is not None:
            await project_log(connection, projectors, number, after=waits_from - 1, until=last)
            await connection.execute("DELETE FROM unprojected")
    others = await _append_and_project(connection, sifting.taken, projectors, number)
    if len(others) < len(sifting.taken) and not projectors and waits_from is None:
        await connection.execute("INSERT INTO unprojected (seq) VALUES ($1)", last + 1)
    for profile_id, at in sifting.following:
        with suppress(TakenOver):
            await erasing.erase_person(connection, profile_id, at, seals, projectors)
    return applied(events, sifting, others)


async def _state(connection: Connection, version: str | None) -> Sequence[Any]:
    """What has to be known before anything is written. Raises `StaleVersion` where another version is live."""
    state: Sequence[Any]
    *state, live = await connection.fetchrow(_STATE)
    if version is not None and live is not None and live != version:
        raise StaleVersion(live)
    return state


async def _sifted(connection: Connection, events: Sequence[Event], seals: Seals | None, any_floors: bool) -> Sifted:
    """What may enter the log, and what may not; `seals` are None where nobody was ever erased."""
    floors = erasing.floors_kept(await connection.fetch(erasing.FLOORS)) if any_floors else NO_FLOORS
    if seals is None:
        return sifted(events, lambda _: None, floors) if any_floors else Sifted(events)
    seals.require()
    return await erasing.sifted_events(connection, events, seals, floors)


async def _append_and_project(
    connection: Connection, events: Sequence[Event], projectors: Sequence[Projector], generation: int
) -> Mapping[int, Outcome]:
    """What became of those that were not new, by their place.

    Rows are read, and so held, before their events get numbers: a profile's events are projected in the order in which
    the log has them, whoever writes beside.
    """
    new, others = await log.sorted_out(connection, events)
    projecting = [Projecting(connection, one, generation) for one in projectors]
    for each in projecting:
        await each.project(new)
    await log.append(connection, new)
    for each in projecting:
        await each.settle(log.BEYOND_ALL_SEQS)
        await each.write()
    return others


def _held_then(held: str, projectors: Sequence[Projector], *, is_first: bool) -> Holding | None:
    """What the rows hold once these projectors have their turn: what they count from the first entry of the log on,
    or later on only what all before them have counted, too. None where that is what they hold by now."""
    holding, by_now = holding_of(projectors), holding_from_text(held)
    then = holding if is_first else by_now.kept_under(holding)
    return None if then == by_now else then
