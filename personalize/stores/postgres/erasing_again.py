"""Erasing again, in the tables of a PostgreSQL store. Who calls is alone in the store, and holds the transaction."""

from collections.abc import Sequence
from datetime import datetime

from personalize.stores.erasing_again import told_since
from personalize.stores.erasure import Erasure
from personalize.stores.postgres import erasing, log
from personalize.stores.postgres.applying import apply_alone
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.kept import kept_text
from personalize.stores.protocols import Projector
from personalize.stores.seals import Seals

#: Everybody whom the log tells of, behind an id and so many at once: by their events, and by the joins that name them.
IDS = (
    "SELECT DISTINCT profile_id FROM events WHERE profile_id > $1 ORDER BY profile_id LIMIT $2",
    "SELECT DISTINCT joined_id FROM events WHERE joined_id > $1 ORDER BY joined_id LIMIT $2",
)
_HISTORY = f"{log.OF_PROFILE} ORDER BY seq"


async def erase_again(
    connection: Connection, profile_id: str, at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> bool:
    """Erase one id as of a moment; False where nothing here is so old."""
    history = [log.event_from_row(row) for row in await connection.fetch(_HISTORY, kept_text(profile_id))]
    since = told_since(profile_id, history, at)
    if since and len(since) == len(history):
        return False
    await erasing.erase_ids(connection, (profile_id,), at, seals, projectors)
    if since:
        await apply_alone(connection, since, projectors, None, seals)
    return True


async def keep(connection: Connection, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]]) -> None:
    """Keep the receipts and the seals of another store."""
    kept = {erasing.erasure_from_row(row) for row in await connection.fetch(erasing.ERASURES)}
    for erasure in erasures:
        if erasure not in kept:
            await erasing.keep_receipt(connection, erasure)
    await connection.executemany(erasing.SEAL, [(bytes.fromhex(seal), at) for seal, at in sealed])
