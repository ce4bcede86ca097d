"""A site that finds nothing when it starts, neither store nor rules, or a store that hangs: its pages leave at once."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from personalize.runtime.personalizer import Personalizer
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.web.test_faults import PAGE, a_known_buyer, site

pytestmark = pytest.mark.trust
MOST_SECONDS = 1


def seconds_to_the_first_page(folder: Path) -> float:
    """How long a site takes whose store can't be made, and which has no file at all, from its start to a page."""
    (folder / "file").touch()

    async def scene() -> float:
        app = wrap(site(), desk_settings(folder / "empty", store=f"sqlite:{folder}/file/store.db"))
        began = time.monotonic()
        async with running(app):
            reply = await Browser(app).get("/")
            assert (reply.status, reply.text) == (200, PAGE)
            return time.monotonic() - began

    return asyncio.run(scene())


def test_a_site_that_finds_nothing_serves_its_own_pages_at_once(tmp_path: Path) -> None:
    assert seconds_to_the_first_page(tmp_path) < MOST_SECONDS


def test_a_site_beside_a_file_that_somebody_has_locked_knows_its_rules_at_once(tmp_path: Path) -> None:
    """What is read is there at once; what is to be written waits."""

    async def scene() -> None:
        write_desk(tmp_path)
        earlier = wrap(site(), desk_settings(tmp_path))
        async with running(earlier):
            await published(earlier)
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as locker:
            locker.execute("BEGIN EXCLUSIVE")
            app = wrap(site(), desk_settings(tmp_path))
            began = time.monotonic()
            async with running(app):
                reply = await Browser(app).get("/")
                assert time.monotonic() - began < MOST_SECONDS
                assert "The season" in reply.text
                locker.execute("ROLLBACK")
                await a_known_buyer(app)

    asyncio.run(scene())


@pytest.mark.planted
@pytest.mark.sources
def test_a_site_that_waits_for_its_store_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Personalizer._open

    async def patiently(personalizer: Personalizer, until: float | None) -> None:
        await begin(personalizer, until)
        await asyncio.sleep(MOST_SECONDS)

    monkeypatch.setattr(Personalizer, "_open", patiently)
    assert seconds_to_the_first_page(tmp_path) > MOST_SECONDS
