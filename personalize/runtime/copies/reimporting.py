"""Taking an export back in, here or elsewhere: the same events, and with them the same profiles."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path

from personalize.errors import ExportRefused
from personalize.events.event import Event
from personalize.exports.erasure_files import floors_in
from personalize.exports.event_files import exported_events
from personalize.exports.manifest import Manifest, check_files
from personalize.exports.parquet import require_parquet
from personalize.exports.rule_set_files import lives, rule_sets
from personalize.runtime.copies.erased import ErasedAgain, erase_again, erased_in_export
from personalize.runtime.copies.importing import EVENTS_AT_ONCE, Imported
from personalize.runtime.publish import COUNTED_AT_ONCE, projectors_of, saved_rule_set
from personalize.settings import Settings
from personalize.stores.protocols import NOTHING_LIVE, Applied, Store


def check_export(folder: Path, manifest: Manifest) -> None:
    """Read all files of an export once. Raises `ExportRefused` where it holds no log, and where a file is missing, cut
    or altered, with the place."""
    if not manifest.of("lives") and manifest.of("erased"):
        raise ExportRefused(f"{folder} holds who was erased, and nothing to import: personalize erase-again {folder}")
    if not manifest.of("lives"):
        raise ExportRefused(f"{folder} holds profiles and no events, of which profiles are made: nothing to import")
    if manifest.format == "parquet":
        require_parquet()
    check_files(folder, [file for file in manifest.files if file.content != "profiles"])


async def restore_rule_sets(store: Store, folder: Path, manifest: Manifest, settings: Settings) -> bool:
    """Keep the rule sets under which the events happened. In a store in which nothing was ever live, or in which this
    was begun before, they become live, each when and by whom it was; whether they did.

    Raises `InvalidFiles` where the last of them does not load here.
    """
    for file in manifest.of("rule sets"):
        for version, files in rule_sets(folder / file.path):
            await store.save_rule_set(version, files, manifest.begun_at)
    were = [live for file in manifest.of("lives") for live in lives(folder / file.path)]
    present = list(await store.versions())
    if not were or present != were[: len(present)]:
        return False
    projectors = projectors_of(await saved_rule_set(store, were[-1].version, settings), settings)
    for number in range(len(present), len(were)):
        expected = were[number - 1].version if number else NOTHING_LIVE
        await store.set_live(were[number], projectors, expected=expected, at_once=COUNTED_AT_ONCE)
    return True


async def keep_erased(store: Store, folder: Path, manifest: Manifest, settings: Settings) -> ErasedAgain:
    """Erase whom the store that was exported had erased, refuse them from now on, and keep its receipts. It works as
    long as this store has the keys of that one."""
    return await erase_again(store, erased_in_export(folder, manifest), settings)


async def keep_floors(store: Store, folder: Path, manifest: Manifest) -> None:
    """Take nothing any more that the exported store had removed for its age; to be done when all events are in."""
    for file in manifest.of("floors"):
        await store.raise_floors(floors_in(folder / file.path))


async def import_export(
    folder: Path,
    manifest: Manifest,
    write: Callable[[Sequence[Event]], Awaitable[Applied]],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Imported:
    """Write all events of an export that `check_export` has looked at, in the order of the log it was made of.

    Each counts once, however often it is imported; what tells of visitors who were erased here, or says something else
    under an id that is known here, is refused. `progress` is told how many are done. Raises `ExportRefused` at a row
    that is no event, and what `write` raises; the batches before stay written.
    """
    done = Imported()
    events = exported_events(manifest.format, folder, [file.path for file in manifest.of("events")])
    while batch := list(islice(events, EVENTS_AT_ONCE)):
        applied = await write(batch)
        lost = applied.conflicting + len(applied.refused)
        done = Imported(done.new + applied.new, done.known + applied.repeated, done.refused + lost)
        progress(done.rows)
    return done
