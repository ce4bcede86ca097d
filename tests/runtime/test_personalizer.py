"""One worker's life: it starts, may fail to, and ends with everything written."""

import asyncio
import sys
from pathlib import Path

import pytest

from personalize.errors import SettingsError
from personalize.runtime.personalizer import Personalizer
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Applied
from tests.desk import desk_settings, write_desk

LONG = 60.0


def test_what_can_not_be_kept_is_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryStore):
        """A bug of ours."""

        async def apply(self, *_: object, **__: object) -> Applied:
            raise ZeroDivisionError

    async def run() -> None:
        personalizer = Personalizer(desk_settings(tmp_path), store=Broken())
        await personalizer.start()
        for number in range(3):
            assert personalizer.ingest.put(personalizer.event("purchase", f"v:{number}", {}))
        await personalizer.stop()
        assert personalizer.health.failures["events lost"] == 3

    asyncio.run(run())
    assert caplog.text.count("1 events are lost") == 3


def test_a_library_that_is_missing_is_said_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(SettingsError, match="E061"):
        Personalizer(desk_settings(tmp_path, reload="save"))
    Personalizer(desk_settings(tmp_path))


def test_a_start_that_failed_can_be_tried_again(tmp_path: Path) -> None:
    class Refusing(MemoryStore):
        """Can't be opened the first time, for a reason of its own."""

        tries = 0

        async def open(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise ZeroDivisionError("a bug of ours")

    async def run() -> None:
        write_desk(tmp_path)
        personalizer = Personalizer(desk_settings(tmp_path), store=Refusing())
        with pytest.raises(ZeroDivisionError):
            await personalizer.start()
        assert not personalizer.started
        await personalizer.start()
        assert personalizer.started
        assert personalizer.ingest.put(personalizer.event("page_view", "v:ann", {"path": "/"}))
        await personalizer.stop()
        assert [event.type async for event in personalizer.store.log()] == ["page_view"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_what_is_queued_is_written_whatever_else_fails_at_the_end(tmp_path: Path) -> None:
    class Unhappy(MemoryStore):
        """Follows badly, and closes with an error."""

        looks = 0
        closed = False

        async def live(self) -> None:
            self.looks += 1
            if self.looks > 1:
                raise ZeroDivisionError("a bug of ours")

        async def close(self) -> None:
            self.closed = True
            raise ZeroDivisionError("another bug of ours")

    async def run() -> None:
        write_desk(tmp_path)
        store = Unhappy()
        personalizer = Personalizer(desk_settings(tmp_path, ingest_flush_seconds=LONG), store=store)
        await personalizer.start()
        async with asyncio.timeout(10):
            while not personalizer.health.failures["following the live rule set broke off"]:
                await asyncio.sleep(0.01)
        personalizer.ingest.put(personalizer.event("page_view", "v:ann", {"path": "/"}))
        with pytest.raises(ZeroDivisionError, match="another"):
            await personalizer.stop()
        assert store.closed and not personalizer.started
        assert [event.type async for event in store.log()] == ["page_view"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_the_past_is_not_served_by_rules_that_could_not_all_be_read(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        (tmp_path / "rules" / "more.yaml").write_bytes(b"slots: {caf\xe9: {}}")
        personalizer = Personalizer(desk_settings(tmp_path, at="2026-01-01"))
        await personalizer.start()
        assert personalizer.rule_set is None
        assert personalizer.health.failures["the site starts without its store or rules"] == 1
        await personalizer.stop()
        (tmp_path / "rules" / "more.yaml").unlink()
        await personalizer.start()
        assert personalizer.rule_set is not None
        await personalizer.stop()

    asyncio.run(run())
