"""Workers follow the live row: what another process publishes is served within two seconds."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.problems import Problems
from personalize.rules.index.index import Index
from personalize.runtime import follow as module
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.jobs import lasting_task
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.publish import publish
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from personalize.stores.opening import open_store
from personalize.stores.protocols import Live
from personalize.wrap import wrap
from tests.desk import COLLECTIONS, RULES, TEMPLATE, desk_settings, write_desk
from tests.driver import running


async def lifespan_only(scope: dict[str, object], receive: object, send: object) -> None:
    while True:
        message = await receive()  # type: ignore[operator]
        await send({"type": f"{message['type']}.complete"})  # type: ignore[operator]
        if message["type"] == "lifespan.shutdown":
            return


async def publish_elsewhere(settings: Settings) -> str:
    """Publish with a store of its own, as another process would."""
    store = open_store(settings.store, settings.root)
    await store.open()
    draft = read_draft(settings, Problems())
    rule_set = await publish(store, draft, settings, at=SystemClock().now(), by="elsewhere")
    await store.close()
    return rule_set.version


def test_a_worker_serves_what_was_published_elsewhere_and_reports_it(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        app = wrap(lifespan_only, settings)
        async with running(app):
            assert app.personalizer.rule_set is None
            version = await publish_elsewhere(settings)
            async with asyncio.timeout(2):
                while app.personalizer.rule_set is None:
                    await asyncio.sleep(0.02)
            assert app.personalizer.rule_set.version == version
            await app.personalizer.refresh()
            (report,) = await app.personalizer.store.workers()
            assert (report.worker, report.version) == (app.personalizer.worker, version)

    asyncio.run(run())


def test_a_worker_that_starts_again_serves_the_last_live_version_whatever_the_files_say(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        version = await publish_elsewhere(settings)
        write_desk(tmp_path, rules="slots: [this is no rule file")
        app = wrap(lifespan_only, settings)
        async with running(app):
            assert app.personalizer.rule_set is not None
            assert app.personalizer.rule_set.version == version

    asyncio.run(run())


def test_in_development_a_valid_save_publishes_itself_and_a_broken_one_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(lifespan_only, desk_settings(tmp_path, reload="save"))
        async with running(app):
            first = app.personalizer.rule_set
            assert first is not None
            write_desk(tmp_path, rules=RULES.replace("holds: 2", "hols: 2"))
            async with asyncio.timeout(10):
                while not app.personalizer.health.failures:
                    await asyncio.sleep(0.02)
            assert app.personalizer.rule_set is not None
            assert app.personalizer.rule_set.version == first.version
            write_desk(tmp_path, rules=RULES.replace("holds: 2", "holds: 3"))
            async with asyncio.timeout(10):
                while app.personalizer.rule_set.version == first.version:
                    await asyncio.sleep(0.02)

    asyncio.run(run())
    said = "\n".join(record.message for record in caplog.records)
    assert 'has no "hols"' in said and "holds" in said and "rules/all.yaml:" in said


def test_events_that_come_while_a_new_rule_set_goes_live_are_counted_by_it(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        await publish_elsewhere(settings)
        app = wrap(lifespan_only, settings)
        async with running(app):
            personalizer = app.personalizer
            write_desk(tmp_path, rules=RULES.replace("category: tents", "category: socks"))
            version = await publish_elsewhere(settings)
            await personalizer.record("purchase", "u:anna", {"amount": 1, "category": "socks"})
            assert personalizer.rule_set is not None and personalizer.rule_set.version == version
            profile = await personalizer.store.profile("u:anna")
            (counter,) = personalizer.rule_set.counters
            assert profile is not None and len(profile.recent[counter.key]) == 1

    asyncio.run(run())


def test_what_was_served_is_let_go_of_piece_by_piece_and_nobody_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, holders = module.let_go, []

    async def noted(pieces: list[object]) -> None:
        index = next((one for one in pieces if isinstance(one, Index)), None)
        await let_go(pieces)
        holders.append(index and sys.getrefcount(index))

    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        await publish_elsewhere(settings)
        app = wrap(lifespan_only, settings)
        async with running(app):
            write_desk(tmp_path, rules=SOCKS)
            await publish_elsewhere(settings)
            await app.personalizer.refresh()

    monkeypatch.setattr(module, "let_go", noted)
    asyncio.run(run())
    nothing_served, known_here_alone = holders
    assert nothing_served is None and known_here_alone <= 2  # this function's own, and the call that counts


SOCKS = RULES.replace("category: tents", "category: socks")


class MovingClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


async def publish_what_only_others_can_load(folder: Path, settings: Settings) -> str:
    """Publish rules that count socks, and content with a template that the worker does not have."""
    write_desk(folder, rules=SOCKS)
    collections = COLLECTIONS.replace("thing.html", "new.html")
    (folder / "content" / "collections.yaml").write_text(collections, encoding="utf-8")
    (folder / "other_templates").mkdir()
    (folder / "other_templates" / "new.html").write_text(TEMPLATE, encoding="utf-8")
    return await publish_elsewhere(desk_settings(folder, templates="other_templates", store=settings.store))


@pytest.mark.parametrize("serves_an_older_one", [True, False])
def test_events_are_kept_while_the_live_version_does_not_load_here_and_counted_when_it_does(
    tmp_path: Path, serves_an_older_one: bool
) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, clock = desk_settings(tmp_path), MovingClock()
        first = await publish_elsewhere(settings) if serves_an_older_one else None
        app = wrap(lifespan_only, settings, clock=clock)
        async with running(app):
            personalizer = app.personalizer
            version = await publish_what_only_others_can_load(tmp_path, settings)
            for number in range(3):
                event = personalizer.event("purchase", "u:anna", {"amount": number, "category": "socks"})
                await personalizer.ingest.record([event])
            assert [each.type async for each in personalizer.store.log()] == ["purchase"] * 3
            assert (personalizer.rule_set.version if personalizer.rule_set else None) == first
            assert await personalizer.store.profile("u:anna") is None
            (report,) = await personalizer.store.workers()
            assert report.version == first

            (tmp_path / "content_templates" / "new.html").write_text(TEMPLATE, encoding="utf-8")
            refused = personalizer.health.failures["the live rule set does not load"]
            await personalizer.refresh()
            assert refused == personalizer.health.failures["the live rule set does not load"] == 1
            clock.moment += module.RETRY_AFTER
            await personalizer.refresh()
            assert personalizer.rule_set is not None and personalizer.rule_set.version == version
            await personalizer.record("purchase", "u:anna", {"amount": 1, "category": "socks"})
            profile = await personalizer.store.profile("u:anna")
            (counter,) = personalizer.rule_set.counters
            assert profile is not None and profile.totals["purchase"].count == 4
            assert len(profile.recent[counter.key]) == min(4, counter.limit)

    asyncio.run(run())


def test_what_waited_is_counted_though_nothing_new_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "RETRY_AFTER", timedelta(0))

    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        app = wrap(lifespan_only, settings)
        await publish_what_only_others_can_load(tmp_path, settings)
        async with running(app):
            personalizer = app.personalizer
            await personalizer.ingest.record([personalizer.event("purchase", "u:anna", {"amount": 1})])
            assert await personalizer.store.profile("u:anna") is None
            (tmp_path / "content_templates" / "new.html").write_text(TEMPLATE, encoding="utf-8")
            async with asyncio.timeout(10):
                while await personalizer.store.profile("u:anna") is None:
                    await asyncio.sleep(0.001)

    asyncio.run(run())


def test_who_comes_while_another_one_loads_waits_for_it(tmp_path: Path) -> None:
    class Slow(MemoryStore):
        """Gives the files of a rule set when it is let."""

        def __init__(self) -> None:
            super().__init__()
            self.let, self.asked = asyncio.Event(), asyncio.Event()
            self.let.set()

        async def rule_set(self, version: str) -> Mapping[str, str]:
            self.asked.set()
            await self.let.wait()
            return await super().rule_set(version)

    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), Slow()
        personalizer = Personalizer(settings, store=store)
        await publish(store, read_draft(settings, Problems()), settings, at=SystemClock().now(), by="a test")
        await personalizer.start()
        write_desk(tmp_path, rules=SOCKS)
        await publish(store, read_draft(settings, Problems()), settings, at=SystemClock().now(), by="a test")
        store.let.clear()
        store.asked.clear()
        first = asyncio.create_task(personalizer.refresh())
        await store.asked.wait()
        second = asyncio.create_task(personalizer.record("purchase", "u:anna", {"amount": 1, "category": "socks"}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not second.done()
        store.let.set()
        await asyncio.gather(first, second)
        profile = await store.profile("u:anna")
        assert profile is not None and personalizer.rule_set is not None
        assert [len(profile.recent[counter.key]) for counter in personalizer.rule_set.counters] == [1]
        await personalizer.stop()

    asyncio.run(run())


def test_an_accident_while_following_is_counted_and_following_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(lasting_task, "RESTART_SECONDS", 0.001)

    class Stumbling(MemoryStore):
        """Its second look at the live row meets a bug."""

        looks = 0

        async def live(self) -> Live | None:
            self.looks += 1
            if self.looks == 2:
                raise ZeroDivisionError("a bug of ours")
            return await super().live()

    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), Stumbling()
        personalizer = Personalizer(settings, store=store)
        await personalizer.start()
        async with asyncio.timeout(10):
            while not personalizer.health.failures["following the live rule set broke off"]:
                await asyncio.sleep(0.001)
            await publish(store, read_draft(settings, Problems()), settings, at=SystemClock().now(), by="a test")
            while personalizer.rule_set is None:
                await asyncio.sleep(0.001)
        await personalizer.stop()

    asyncio.run(run())


def test_a_worker_reports_now_and_then_also_that_nothing_loads(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, clock = desk_settings(tmp_path), MovingClock()
        await publish_what_only_others_can_load(tmp_path, settings)
        app = wrap(lifespan_only, settings, clock=clock)
        async with running(app):
            started_at = clock.moment
            reports = app.personalizer.store.workers
            async with asyncio.timeout(10):
                while not await reports():
                    await asyncio.sleep(0.001)
            assert [(each.version, each.at) for each in await reports()] == [(None, started_at)]
            clock.moment += module.REPORT_EVERY / 2
            await app.personalizer.refresh()
            assert [each.at for each in await reports()] == [started_at]
            clock.moment += module.REPORT_EVERY / 2
            await app.personalizer.refresh()
            assert [(each.version, each.at) for each in await reports()] == [(None, clock.moment)]

    asyncio.run(run())


def test_in_development_a_saved_template_is_served_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(lifespan_only, desk_settings(tmp_path, reload="save"))
        async with running(app):
            first = app.personalizer.rule_set
            assert first is not None
            (tmp_path / "content_templates" / "thing.html").write_text("<i>new</i>", encoding="utf-8")
            async with asyncio.timeout(10):
                while app.personalizer.rule_set is first:
                    await asyncio.sleep(0.02)
            now = app.personalizer.rule_set
            assert now is not None and now.version == first.version
            assert not app.personalizer.health.failures

    asyncio.run(run())


def test_a_worker_that_cannot_load_what_is_live_answers_nothing_that_is_counted_no_more(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        first = await publish_elsewhere(settings)
        app = wrap(lifespan_only, settings)
        async with running(app):
            personalizer = app.personalizer
            assert not personalizer.pending
            await publish_what_only_others_can_load(tmp_path, settings)  # counts socks, and no tents
            await personalizer.refresh()
            assert personalizer.rule_set is not None and personalizer.rule_set.version == first
            (counter,) = personalizer.rule_set.counters
            assert personalizer.pending == {f"did.{counter.key}"}

    asyncio.run(run())
