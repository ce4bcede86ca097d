"""Trimming a history in a PostgreSQL store. Whoever trims is alone in the store, and holds the transaction."""

from collections.abc import Sequence

from personalize.events.event import Event
from personalize.stores.erasing import left_of
from personalize.stores.event_text import properties_as_text
from personalize.stores.postgres import log
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.kept import kept_text
from personalize.stores.postgres.projections import Projecting
from personalize.stores.postgres.tables import refuse_stale
from personalize.stores.protocols import Projector, Summing, Trimming

EVENTS_AT_ONCE = 1_000
_REWRITE = "UPDATE events SET properties = $3 WHERE profile_id = $1 AND seq = $2"
_REMOVE = f"DELETE FROM events WHERE profile_id = $1 AND seq = any($2::bigint[]) RETURNING {log.NAMES}"
_GENERATIONS = "SELECT id, state, projected, (SELECT min(seq) FROM unprojected) FROM generations ORDER BY id"


async def trim(
    connection: Connection,
    profile_id: str,
    trimmed: Trimming,
    projectors: Sequence[Projector],
    version: str | None,
    summed: Summing | None,
) -> int:
    """Trim a history, and project it anew in every generation; see `Store.trim`."""
    if version is not None:
        await refuse_stale(connection, version)
    changed, seq = 0, log.BEYOND_ALL_SEQS
    went: list[Event] = []
    while found := await connection.fetch(log.HISTORY, kept_text(profile_id), seq, EVENTS_AT_ONCE):
        gone: list[int] = []
        for row in found:
            event, seq = log.event_from_row(row), log.seq_of(row)
            left = left_of(event, trimmed)
            if left is None:
                gone.append(seq)
                went += () if summed is None else (event,)
            elif left.properties != event.properties:
                await connection.execute(_REWRITE, kept_text(profile_id), seq, properties_as_text(left.properties))
                changed += 1
        await log.remove_ids(connection, await connection.fetch(_REMOVE, kept_text(profile_id), gone))
        changed += len(gone)
    if summed is not None:
        await log.append(connection, summed(went[::-1]))
    if changed:
        await project_anew(connection, profile_id, projectors)
    return changed


async def project_anew(connection: Connection, profile_id: str, projectors: Sequence[Projector]) -> None:
    """Project a profile anew, whose history has changed, and whoever joins hold together with it: in the generation
    that is served and the one being filled, each up to where it has come; from those discarded what was found goes."""
    for number, state, projected, waits_from in await connection.fetch(_GENERATIONS):
        until = log.BEYOND_ALL_SEQS if projected is None else projected
        if state == "served":
            until = log.BEYOND_ALL_SEQS if waits_from is None else waits_from - 1
        for projector in projectors:
            projecting = Projecting(connection, projector, number)
            projecting.project_anew(profile_id)
            await projecting.settle(until)
            await (projecting.discard() if state == "discarded" else projecting.write())
