"""Rule sets, what is live, leases, reports and copies in a PostgreSQL store, by prepared SQL."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from personalize.errors import StaleVersion, UnknownVersion
from personalize.stores.postgres.connections import Connection
from personalize.stores.protocols import REPORTS_LAST, AccessToken, Export, Lease, Live, Switch, WorkerReport

LIVE = "SELECT version, at, by FROM lives ORDER BY seq DESC LIMIT 1"
LIVES = "SELECT version, at, by FROM lives ORDER BY seq"
RULE_SET = "SELECT files FROM rule_sets WHERE version = $1"
SWITCH = "SELECT off, at, by FROM switches ORDER BY seq DESC LIMIT 1"
EXPORTS = "SELECT export_id, begun_at, by, what, place, ended_at FROM exports ORDER BY begun_at, export_id"
WORKERS = "SELECT worker, version, at FROM workers ORDER BY worker"
TOKENS = """
    SELECT digest, name, scopes, created_at, expires_at, used_at, revoked_at FROM access_tokens
    ORDER BY created_at, digest
"""
_SAVE_RULE_SET = "INSERT INTO rule_sets (version, files, saved_at) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING"
_SWITCH_TO = "INSERT INTO switches (off, at, by) VALUES ($1, $2, $3)"
_NOTE_EXPORT = """
    INSERT INTO exports (export_id, begun_at, by, what, place, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (export_id) DO UPDATE SET begun_at = excluded.begun_at, by = excluded.by, what = excluded.what,
        place = excluded.place, ended_at = excluded.ended_at
"""
_DROP_REPORTS = "DELETE FROM workers WHERE at < $1"
_REPORT = """
    INSERT INTO workers (worker, version, at) VALUES ($1, $2, $3)
    ON CONFLICT (worker) DO UPDATE SET version = excluded.version, at = excluded.at
"""
_KEEP_TOKEN = """
    INSERT INTO access_tokens (digest, name, scopes, created_at, expires_at, used_at, revoked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (digest) DO UPDATE SET
        used_at = greatest(access_tokens.used_at, excluded.used_at),
        revoked_at = least(access_tokens.revoked_at, excluded.revoked_at)
"""
_LEASE = """
    INSERT INTO leases (job, holder, until) VALUES ($1, $2, $3)
    ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE leases.holder = excluded.holder OR leases.until <= $4 OR leases.until > $5
    RETURNING job
"""
_RELEASE = "DELETE FROM leases WHERE job = $1 AND holder = $2"


async def refuse_stale(connection: Connection, version: str) -> None:
    """Raise `StaleVersion` where another version than this one is live."""
    live = await connection.fetchrow(LIVE)
    if live is not None and live[0] != version:
        raise StaleVersion(live[0])


async def add_life(connection: Connection, live: Live) -> None:
    """Make a version the one that is live."""
    await connection.execute("INSERT INTO lives (version, at, by) VALUES ($1, $2, $3)", live.version, live.at, live.by)


async def save_rule_set(connection: Connection, version: str, files: Mapping[str, str], at: datetime) -> None:
    """Keep the files of a version, the first time that it is saved."""
    await connection.execute(_SAVE_RULE_SET, version, json.dumps(dict(files)), at)


def files_of(version: str, found: Sequence[Any]) -> dict[str, str]:
    """The files in what `RULE_SET` found. Raises `UnknownVersion`."""
    if not found:
        raise UnknownVersion(version)
    files: dict[str, str] = orjson.loads(found[0][0])
    return files


async def set_switch(connection: Connection, switch: Switch) -> None:
    """Switch personalizing off or on; how it was before is kept."""
    await connection.execute(_SWITCH_TO, switch.off, switch.at, switch.by)


async def note_export(connection: Connection, export: Export) -> None:
    """Put what is known of a copy in the place of what was known before."""
    await connection.execute(
        _NOTE_EXPORT, export.export_id, export.begun_at, export.by, export.what, export.where, export.ended_at
    )


async def report(connection: Connection, worker: WorkerReport) -> None:
    """Put a worker's report in place of its last one, and drop those of workers that are gone."""
    await connection.execute(_DROP_REPORTS, worker.at - REPORTS_LAST)
    await connection.execute(_REPORT, worker.worker, worker.version, worker.at)


async def keep_token(connection: Connection, token: AccessToken) -> None:
    """Keep what is known of a token; of what was known before, revocation and use stand."""
    moments = (token.created_at, token.expires_at, token.used_at, token.revoked_at)
    await connection.execute(_KEEP_TOKEN, token.digest, token.name, sorted(token.scopes), *moments)


async def lease(connection: Connection, wanted: Lease, at: datetime) -> bool:
    """Take or keep a job that nobody else holds at this moment."""
    taken = await connection.fetchval(_LEASE, wanted.job, wanted.holder, wanted.until, at, wanted.longest(at))
    return taken is not None


async def release(connection: Connection, job: str, holder: str) -> None:
    """Let go of a job."""
    await connection.execute(_RELEASE, job, holder)


def live_from_row(row: Sequence[Any]) -> Live:
    """A life that `LIVE` or `LIVES` found."""
    return Live(*row)


def switch_from_row(row: Sequence[Any]) -> Switch:
    """What `SWITCH` found."""
    return Switch(*row)


def export_from_row(row: Sequence[Any]) -> Export:
    """A copy that `EXPORTS` found."""
    export_id, begun_at, by, what, where, ended_at = row
    return Export(export_id, begun_at, by, what, where, ended_at)


def token_from_row(row: Sequence[Any]) -> AccessToken:
    """A token that `TOKENS` found."""
    digest, name, scopes, *moments = row
    return AccessToken(digest, name, frozenset(scopes), *moments)


def worker_from_row(row: Sequence[Any]) -> WorkerReport:
    """A report that `WORKERS` found."""
    return WorkerReport(*row)
