"""Backups of a SQLite store: made while the site is served, looked at whether they are whole, and restored. Of another
store it is noted that there is one."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from personalize.errors import ExportRefused, StoreError, StoreUnavailable
from personalize.runtime.clock import Clock
from personalize.runtime.copies.erased import Erased, ErasedAgain, erase_again
from personalize.runtime.keys import known_keys
from personalize.settings import Settings
from personalize.stores.protocols import BACKUP, Export, Store
from personalize.stores.sqlite.backup import (
    Contents,
    check_database,
    close_for_all,
    copy_database,
    copy_file,
    move_aside,
    remove,
    sha256_of,
    sync,
)
from personalize.stores.sqlite.erasing_again import erasures_in
from personalize.stores.sqlite.store import SqliteStore

_UNFINISHED = ".part"
_DIGEST = ".sha256"
_LOOK_SECONDS = 0.1


async def back_up(
    store: Store,
    database: Path,
    target: Path,
    *,
    by: str,
    clock: Clock,
    progress: Callable[[int], None] = lambda size_bytes: None,
) -> Contents:
    """Copy the open `store`, which lies in the file `database`, to the new file `target`; what is in it.

    All that was written before the call is in it. Nobody waits for it: pages are read and events written meanwhile. It
    has its name only when it was read back and found whole; beside it lies its SHA-256, in the form of `sha256sum`.
    Raises `ExportRefused` where it can't be written, and `StoreError`; no file is left then.
    """
    part = target.with_name(target.name + _UNFINISHED)
    _refuse_existing(target)
    export = Export(secrets.token_hex(8), clock.now(), by, BACKUP, str(_absolute(target)))
    await store.note_export(export)
    try:
        contents = copy_database(database, part, _goes_on(part, progress))
        _put(part, target)
    except OSError as error:
        raise ExportRefused(f"{error.filename or target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    await store.note_export(replace(export, ended_at=clock.now()))
    return contents


async def note_backup(store: Store, place: str, *, by: str, clock: Clock) -> None:
    """Note a backup that other means have made by now."""
    now = clock.now()
    await store.note_export(Export(secrets.token_hex(8), now, by, BACKUP, place, now))


def _goes_on(part: Path, progress: Callable[[int], None]) -> Callable[[], bool]:
    """Tells how large the copy is by now, and whether anybody still waits for it."""
    task = asyncio.current_task()

    def goes_on() -> bool:
        progress(part.stat().st_size)
        return task is None or not task.cancelling()

    return goes_on


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored store holds, and where the store is now that it replaces, if there was one. `erased` is
    what that store had erased since, and was erased again; None where it can't be known."""

    contents: Contents
    aside: Path | None
    erased: ErasedAgain | None


def restore(backup: Path, database: Path, settings: Settings, *, at: datetime, replaces: bool) -> Restored:
    """Put a backup in the place of a store that nobody has open.

    Whom the store that it `replaces` has erased meanwhile does not come back, no byte of them: they are erased in the
    copy, and who stays is projected anew by the rules that are live in it, before it has its name. Raises
    `ExportRefused` where the backup is not whole, and where there is a store that it should not replace; `StoreBusy`
    where somebody has that open. Nothing has changed then. It runs an event loop of its own.
    """
    if database.exists() and not replaces:
        raise ExportRefused(f"{database} is there already: --replace puts the backup in its place, and keeps it beside")
    part = database.with_name(database.name + _UNFINISHED)
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        copy_file(backup, part)
        _refuse_altered(backup, sha256_of(part))
        _whole(backup, part)
        erased, aside = None, None
        if database.exists():
            close_for_all(database)
            erased = _erased_again(database, part, settings, at)
            aside = _set_aside(database, at)
        contents = _whole(backup, part)
        part.rename(database)
        sync(database.parent)
    except FileExistsError:
        raise ExportRefused(f"{part} is there: another restore writes it, or one broke off; then remove it") from None
    except OSError as error:
        raise ExportRefused(f"{error.filename or database} cannot be written: {error.strerror}") from error
    except BaseException:
        remove(part)
        raise
    return Restored(contents, aside, erased)


def _erased_again(database: Path, part: Path, settings: Settings, at: datetime) -> ErasedAgain | None:
    """Erases again in a copy that nobody else has; None where the store that is replaced can't be read any more."""
    try:
        erased = Erased(*erasures_in(database))
    except StoreUnavailable:
        return None
    again = asyncio.run(_erase_again(part, erased, settings, at))
    close_for_all(part)
    return again


async def _erase_again(part: Path, erased: Erased, settings: Settings, at: datetime) -> ErasedAgain:
    store = SqliteStore(part, keys=known_keys(settings))
    await store.open()
    try:
        again = await erase_again(store, erased, settings)
        if again.ids:
            await store.compact(at=at)
        return again
    finally:
        await store.close()


def _whole(backup: Path, part: Path) -> Contents:
    try:
        return check_database(part)
    except StoreError as error:
        raise ExportRefused(f"{backup} is no whole backup: {error.reason}") from error


def _refuse_altered(backup: Path, digest: str) -> None:
    beside = backup.with_name(backup.name + _DIGEST)
    if not beside.exists():
        raise ExportRefused(
            f"{beside} is missing, which tells whether the backup is as it was written; if you are sure that it is: "
            f"sha256sum {backup} > {beside}"
        )
    if beside.read_text(encoding="utf-8").partition(" ")[0] != digest:
        raise ExportRefused(f"{backup} is cut or altered: it has another SHA-256 than {beside.name} says")


def _set_aside(database: Path, at: datetime) -> Path:
    aside = f"{database.name}.replaced-{at:%Y%m%dT%H%M%SZ}"
    move_aside(database, aside)
    return database.with_name(aside)


def _refuse_existing(target: Path) -> None:
    for path in (target, target.with_name(target.name + _UNFINISHED)):
        if path.exists():
            raise ExportRefused(f"{path} is there already: name a file that is not")


def _put(part: Path, target: Path) -> None:
    """Give the copy its name, with its digest beside it."""
    digest = sha256_of(part)
    beside = target.with_name(target.name + _DIGEST)
    beside.write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    beside.chmod(0o600)
    sync(beside)
    part.rename(target)
    sync(target.parent)


def _absolute(path: Path) -> Path:
    return path.absolute()
