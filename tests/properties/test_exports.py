"""Exported and imported again, a store is the same: its events, what they make, and what was live."""

import asyncio
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import TakenOver
from personalize.events.event import Event
from personalize.exports.event_files import EXPORT_FORMATS, ExportFormat
from personalize.exports.manifest import read_manifest
from personalize.problems import Problems
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.exporting import export_store
from personalize.runtime.copies.importing import ImportWriter
from personalize.runtime.copies.reimporting import (
    check_export,
    import_export,
    keep_erased,
    keep_floors,
    restore_rule_sets,
)
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import live_rule_set, projectors_of, publish
from personalize.settings import Settings
from personalize.stores.floors import NO_FLOORS, Floors
from personalize.stores.memory.store import MemoryStore
from tests.desk import RULES, desk_settings, write_desk
from tests.stores.erasure_contract import KEYS
from tests.stores.samples import all_of, at, batches

LATER_RULES = RULES.replace("did: purchase\n", "did: purchase\n      times: {at_least: 2}\n")


@cache
def desk() -> tuple[tempfile.TemporaryDirectory[str], Settings]:
    folder = tempfile.TemporaryDirectory()
    write_desk(Path(folder.name))
    return folder, desk_settings(Path(folder.name))


async def lived(history: list[list[Event]]) -> MemoryStore:
    """A store with two lives, with events before, between and after them."""
    _, site = desk()
    store, third = MemoryStore(KEYS), len(history) // 3
    for number, batch in enumerate(history):
        if number in (third, 2 * third):
            write_desk(site.root, rules=RULES if number == third else LATER_RULES)
            await publish(store, read_draft(site, Problems()), site, at=at(0) + timedelta(days=number), by="Ingrid")
        await store.apply(batch, projectors_of(await live_rule_set(store, site), site))
    return store


async def contents(store: MemoryStore) -> str:
    """All that makes a difference, as text: an int and a Decimal of one value are equal."""
    lives = await store.versions()
    files = {live.version: await store.rule_set(live.version) for live in lives}
    gone = (await store.sealed(), await store.erasures(), await store.floors())
    return repr((await all_of(store.log()), await all_of(store.profiles()), lives, files, await store.filled(), gone))


@settings(max_examples=40)
@given(
    history=st.just([[]]) | batches,
    format_=st.sampled_from(EXPORT_FORMATS),
    erased=st.sampled_from([None, "u:1", "v:ann"]),
    floors=st.sampled_from([NO_FLOORS, Floors(at(-1), {"loan": at(0), "page_view": at(-2)})]),
)
def test_an_export_imported_again_is_the_same_store(
    history: list[list[Event]], format_: ExportFormat, erased: str | None, floors: Floors
) -> None:
    async def run() -> None:
        _, site = desk()
        store, again = await lived(history), MemoryStore(KEYS)
        if erased is not None:
            with suppress(TakenOver):
                await store.erase(erased, at=at(99_999), by="ann")
        await store.raise_floors(floors)
        await store.rebuild(projectors_of(await live_rule_set(store, site), site))
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "export"
            manifest = await export_store(
                store, folder, format_=format_, what="log", by="Ingrid", clock=FixedClock(at(0))
            )
            assert read_manifest(folder) == manifest
            check_export(folder, manifest)
            is_restored = await restore_rule_sets(again, folder, manifest, site)
            await keep_erased(again, folder, manifest, site)
            assert is_restored == bool(await store.versions())
            live = await live_rule_set(again, site)
            for repeated in (False, True):
                if live is None:
                    done = await import_export(
                        folder, manifest, lambda events: again.apply(events, projectors_of(None, site))
                    )
                else:
                    done = await import_export(folder, manifest, ImportWriter(again, site, live=live, draft=live).write)
                assert (done.known if repeated else done.new) == len(await all_of(store.log())) == done.rows
            await keep_floors(again, folder, manifest)
        assert await contents(again) == await contents(store)

    asyncio.run(run())
