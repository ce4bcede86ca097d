"""Exporting: what a store holds becomes files in a folder, of which `reimporting` makes the same again.

The folder has its name only when all of it is written. Each export is noted in the store before its first byte, so that
an erasure can name the copies that may hold a visitor.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from personalize.errors import ExportRefused
from personalize.exports.erasure_files import FLOORS, RECEIPTS, SEALS, write_floors, write_receipts, write_seals
from personalize.exports.event_files import ExportFormat, event_writer
from personalize.exports.manifest import Content, ExportedFile, Manifest, exported_file, write_manifest
from personalize.exports.parquet import require_parquet
from personalize.exports.profile_files import ExportedProfile, ProfileWriter
from personalize.exports.rule_set_files import LIVES, RULE_SETS, write_lives, write_rule_set
from personalize.profiles.holding import Holding
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock
from personalize.runtime.in_parts import in_parts
from personalize.runtime.latest_visit import latest_pages
from personalize.runtime.offline import ASKED_AT_ONCE, organizations_of
from personalize.stores.protocols import Export, Store

What: TypeAlias = Literal["log", "profiles", "all", "erased"]
WHATS: tuple[What, ...] = get_args(What)
#: Told what is being written, how many of it are, and how many there are as far as that is known.
Progress: TypeAlias = Callable[[Content, int, int | None], None]

_UNFINISHED = ".part"
_EVENTS_AT_ONCE = 1_000


async def export_store(
    store: Store,
    target: Path,
    *,
    format_: ExportFormat,
    what: What,
    by: str,
    clock: Clock,
    rule_set: RuleSet | None = None,
    progress: Progress = lambda content, done, total: None,
) -> Manifest:
    """Write the log with its rule sets, the profiles, or both, into the new folder `target`; what it holds. Or no more
    than who was `erased`: nothing of a person is in that, so it is no copy to be noted.

    The log is that of the moment at which its reading began; each profile is as it was when it was read. The memory
    it takes does not grow with the store. `rule_set` is the live one, which says who belongs to which organization.
    Raises `ExportRefused` where the folder can't be made, and `StoreError`;
    nothing is left of it then.
    """
    if what == "erased":
        return await _export_erased(store, target, by, clock)
    if format_ == "parquet" or what != "log":
        require_parquet()
    with folder_for(target) as folder:
        export = Export(secrets.token_hex(8), clock.now(), by, what, str(place_of(folder)))
        await store.note_export(export)
        written: list[ExportedFile] = []
        if what != "profiles":
            written += await _write_log(store, folder, format_, progress)
        holding = None
        if what != "log":
            files, holding = await _write_profiles(store, folder, rule_set, progress)
            written += files
        manifest = Manifest(format_, export.begun_at, by, tuple(written), holding)
        write_manifest(folder, manifest)
        await store.note_export(replace(export, ended_at=clock.now()))
    return manifest


async def _export_erased(store: Store, target: Path, by: str, clock: Clock) -> Manifest:
    with folder_for(target) as folder:
        manifest = Manifest("jsonl", clock.now(), by, tuple(await _write_erased(store, folder)))
        write_manifest(folder, manifest)
    return manifest


async def _write_log(store: Store, folder: Path, format_: ExportFormat, progress: Progress) -> Sequence[ExportedFile]:
    total = (await store.filled()).events
    writer = event_writer(format_, folder)
    try:
        done = 0
        async for part in in_parts(store.log(), _EVENTS_AT_ONCE):
            writer.write(part)
            done += len(part)
            progress("events", done, total)
    finally:
        events = writer.close()
    # Read after the log, so that no event names a version that is not there.
    lives = await store.versions()
    write_lives(folder, lives)
    versions = dict.fromkeys(live.version for live in lives)
    for version in versions:
        write_rule_set(folder, version, await store.rule_set(version))
    return [
        *(exported_file(folder, path, "events", rows) for path, rows in events),
        exported_file(folder, LIVES, "lives", len(lives)),
        *([exported_file(folder, RULE_SETS, "rule sets", len(versions))] if versions else ()),
        *(await _write_what_must_not_return(store, folder)),
    ]


async def _write_what_must_not_return(store: Store, folder: Path) -> Sequence[ExportedFile]:
    """Who was erased, and what was removed for its age: read after the log, so that nothing of it is missing."""
    files = list(await _write_erased(store, folder)) if await store.erasures() or await store.sealed() else []
    if floors := await store.floors():
        write_floors(folder, floors)
        files += [exported_file(folder, FLOORS, "floors", len(floors.of_types) + (floors.of_all is not None))]
    return files


async def _write_erased(store: Store, folder: Path) -> Sequence[ExportedFile]:
    sealed, receipts = await store.sealed(), await store.erasures()
    write_seals(folder, sealed)
    write_receipts(folder, receipts)
    return (
        exported_file(folder, SEALS, "erased", len(sealed)),
        exported_file(folder, RECEIPTS, "receipts", len(receipts)),
    )


async def _write_profiles(
    store: Store, folder: Path, rule_set: RuleSet | None, progress: Progress
) -> tuple[Sequence[ExportedFile], Holding]:
    """The files, and what all profiles in them hold: what they held at the beginning and still do at the end."""
    before = (await store.filled()).holding
    writer = ProfileWriter(folder)
    try:
        done = 0
        async for part in in_parts(store.profiles(), ASKED_AT_ONCE):
            belong = [None] * len(part) if rule_set is None else await organizations_of(part, store, rule_set)
            for row in zip(part, belong, await latest_pages(store, part), strict=True):
                writer.write(ExportedProfile(*row))
            done += len(part)
            progress("profiles", done, None)
    finally:
        profiles = writer.close()
    holding = before.kept_under((await store.filled()).holding)
    return [exported_file(folder, path, "profiles", rows) for path, rows in profiles], holding


@contextmanager
def folder_for(target: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `target` when the block is done, and is no more where it fails."""
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportRefused(f"{target} is there already: name a folder that is not")
    folder = target.with_name(target.name + _UNFINISHED)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # It holds what people did: for its owner alone.
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise ExportRefused(f"{folder} is there: another export writes it, or one broke off; then remove it") from None
    except OSError as error:
        raise ExportRefused(f"{folder} cannot be made: {error.strerror}") from error
    try:
        yield folder
        _sync(folder)
        folder.replace(place_of(folder))
    except OSError as error:
        raise ExportRefused(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place_of(folder: Path) -> Path:
    """What the folder will be called when all of it is written."""
    return folder.with_name(folder.name.removesuffix(_UNFINISHED))


def _sync(folder: Path) -> None:
    """Have everything in the folder on the disk."""
    for path in (folder, *folder.rglob("*")):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
