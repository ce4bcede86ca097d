"""Workers follow the live row: what another process publishes is served within two seconds."""

import asyncio
from pathlib import Path

import pytest

from personalize.problems import Problems
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.settings import Settings
from personalize.stores.opening import open_store
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, write_desk
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
            assert app.personalizer.rule_set is first
            write_desk(tmp_path, rules=RULES.replace("holds: 2", "holds: 3"))
            async with asyncio.timeout(10):
                while app.personalizer.rule_set is first:
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
