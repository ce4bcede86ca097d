"""After an erasure and a compaction no file of the store holds a byte of the person; the bytes are searched for."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personalize.events.event import CONSENT, JOIN, PAGE_VIEW, SET, UNDO, Event
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.profiles.outbox import OutboxProjector
from personalize.profiles.project import ProfileProjector
from personalize.profiles.queue import RowChange
from personalize.profiles.watched import WatchProjector, change_of
from personalize.stores.erasure import Erasure
from personalize.stores.projecting import MARKS
from personalize.stores.protocols import Live, Projector
from personalize.stores.sqlite import erasing as sqlite_erasing
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.erasure_contract import KEYS, join
from tests.stores.samples import all_of, at, event, purchase

CANARIES = [f"canary{number:02d}" for number in range(60)]
LOGIN, BROWSER, OTHER_BROWSER = (f"u:{CANARIES[0]}", f"v:{CANARIES[1]}", f"v:{CANARIES[2]}")
TAGS = Shape(ValueType.LIST, of=Shape(ValueType.TEXT))


def schema(interest: str | None = "tags") -> Schema:
    bought = EventType("bought", {"tags": TAGS, "amount": Shape(ValueType.MONEY)}, value="amount", interest=interest)
    return Schema(events={"bought": bought})


def all_that_is_told() -> list[Event]:
    """Events in which every canary stands somewhere, and most of them in rows of profiles, too."""
    told: list[Event] = []
    left = iter(CANARIES[3:])
    for number, profile_id in enumerate((LOGIN, BROWSER, OTHER_BROWSER)):
        page = {"path": next(left), "source": next(left), "medium": next(left), "campaign": next(left)}
        attributes = {next(left): next(left), "words": [next(left), {next(left): "x" * 6_000}]}
        told += [
            event(CONSENT, profile_id, {"granted": ["measure", next(left)]}, number),
            event(PAGE_VIEW, profile_id, page, number + 60, event_id=next(left)),
            event(SET, profile_id, attributes, number + 61, sender=next(left)),
            replace(event("bought", profile_id, {"tags": [next(left), "tent"]}, number + 62), channel=next(left)),
            replace(event("bought", profile_id, {"amount": 2**70}, number + 63), version=next(left)),
            event("undeclared", profile_id, {next(left): {next(left): [next(left)]}}, number + 64),
        ]
    told[-1] = replace(told[-1], properties={**told[-1].properties, "rest": list(left)})
    return [*told, join(LOGIN, BROWSER, 200), join(LOGIN, OTHER_BROWSER, 201), purchase(LOGIN, minutes=202)]


def found_in(folder: Path) -> set[str]:
    """The canaries whose bytes stand in any file."""
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {canary for canary in CANARIES if any(canary.encode() in text for text in texts)}


async def with_neighbours(store: SqliteStore, projectors: list[ProfileProjector]) -> None:
    """The canaries among many others, written and rewritten, with counters that are filled half-way."""
    others = [purchase(f"v:{number % 40}", number, minutes=number) for number in range(400)]
    told = all_that_is_told()
    for number in range(len(told)):
        await store.apply([told[number], *others[number * 10 : number * 10 + 10]], projectors)
    for version in ("v1", "v2"):
        await store.save_rule_set(version, {}, at(0))
    filling = [ProfileProjector(schema())]
    await store.set_live(Live("v1", at(0), "ann"), filling)
    while (filled := await store.fill(filling, version="v1", at=at(0), events=150)).filling is not None:
        pass
    assert filled.discarded
    await store.set_live(Live("v2", at(0), "ann"), [ProfileProjector(schema("amount"))])
    await store.fill([ProfileProjector(schema("amount"))], version="v2", at=at(0), events=180)


@pytest.mark.trust(tries=len(CANARIES))
def test_no_file_holds_a_byte_of_somebody_who_was_erased(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db", keys=KEYS)) as store:
            assert isinstance(store, SqliteStore)
            projectors = [ProfileProjector(schema(None))]
            await with_neighbours(store, projectors)
            assert found_in(tmp_path) == set(CANARIES)

            late = all_that_is_told()
            writing = [store.apply([each, purchase("v:7", minutes=999)], projectors) for each in late]
            erasing = store.erase(LOGIN, at=at(1_000), by="ann")
            receipt, *_ = await asyncio.gather(erasing, *writing, *(store.apply([each], ()) for each in late))
            assert receipt.profiles == 3
            for gone in (LOGIN, BROWSER, OTHER_BROWSER):
                assert await store.profile(gone) is None and await all_of(store.history(gone)) == []
            assert not [each for each in await all_of(store.log()) if "canary" in repr(each)]
            assert not [each for each in await all_of(store.profiles()) if "canary" in repr(each)]

            await store.compact(at=at(2_000))
            assert found_in(tmp_path) == set()
            await store.apply(late, projectors)
            assert found_in(tmp_path) == set()
            assert len(await all_of(store.profiles())) == 40
        assert found_in(tmp_path) == set()

    asyncio.run(scene())


async def tied_to_others(store: SqliteStore, projectors: Sequence[Projector]) -> None:
    """Somebody of whom others tell: a browser of two logins, one that was parted, whoever watches them, and a copy."""
    told = [
        *(purchase("v:shared", minutes=1), join(LOGIN, "v:shared", 2), event(UNDO, LOGIN, {"from": "v:shared"}, 3)),
        *(
            event(JOIN, "u:2", {"from": "v:shared"}, 4),
            event(JOIN, "u:2", {"from": BROWSER}, 7),
            join(LOGIN, BROWSER, 5),
        ),
        *(event("staff_look", LOGIN, {"by": "Ingrid"}, 8), event("webhook", LOGIN, {"outcome": "delivered"}, 8)),
        event("segment_entered", BROWSER, change_of("buyers", 1), 9),
    ]
    await store.apply([*told, purchase("u:2"), purchase(BROWSER), purchase(LOGIN, minutes=9)], projectors)
    seen = json.dumps({"meaning": "m", "after": LOGIN, "done": False}).encode()
    await store.exchange(MARKS, [RowChange("sweep", None, seen)])


def test_nothing_that_is_told_of_others_names_somebody_who_was_erased(tmp_path: Path) -> None:
    watching = [ProfileProjector(schema()), WatchProjector(), OutboxProjector({"buyers": ("crm",)})]

    async def scene(*, forgets: bool) -> set[str]:
        path = tmp_path / str(forgets)
        async with opened(SqliteStore(path / "x.db", keys=KEYS)) as store:
            assert isinstance(store, SqliteStore)
            await tied_to_others(store, watching)
            projectors = watching if forgets else ()
            assert (await store.erase(LOGIN, at=at(1_000), by="ann", projectors=projectors)).profiles == 2
            await store.compact(at=at(2_000))
            left = await store.profile("u:2")
            assert left is not None and left.joined_from == ("v:shared",)
        return found_in(path)

    assert asyncio.run(scene(forgets=True)) == set()
    # Where the rules don't load, nobody is projected anew; names go all the same.
    assert asyncio.run(scene(forgets=False)) == set()


@pytest.mark.trust
@pytest.mark.planted
@pytest.mark.parametrize("overwrites", [True, False])
def test_the_search_finds_what_half_a_compaction_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrites: bool
) -> None:
    """Either the write-ahead log stays, or freed pages are neither overwritten nor given back."""
    erase = sqlite_erasing.erase

    def careless(connection: sqlite3.Connection, **arguments: Any) -> Erasure:
        connection.execute(f"PRAGMA secure_delete = {overwrites}").fetchall()
        return erase(connection, **arguments)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("VACUUM" if overwrites else "PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db", keys=KEYS)) as store:
            assert isinstance(store, SqliteStore)
            await with_neighbours(store, [ProfileProjector(schema(None))])
            await store.erase(LOGIN, at=at(1_000), by="ann")
            await store.compact(at=at(2_000))
            assert found_in(tmp_path)

    monkeypatch.setattr(sqlite_erasing, "erase", careless)
    monkeypatch.setattr(sqlite_erasing, "compact", half)
    asyncio.run(scene())
