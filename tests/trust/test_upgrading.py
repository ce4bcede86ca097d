"""A site is upgraded, or taken back, worker by worker: its pages go on, and all that happened is counted once."""

import asyncio
from pathlib import Path

import pytest

from personalize.errors import NewerStore
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.stores.test_fence import NEWER, Place, count_of, place
from tests.trust.trials import trials
from tests.web.test_faults import a_known_buyer, site

__all__ = ["place"]  # the fixture
PAGES = trials(10, 1_000)
BOUGHT = "What goes with a tent"


@pytest.mark.trust(tries=PAGES)
def test_while_a_site_is_upgraded_pages_go_on_and_all_that_happened_is_counted_once(
    place: Place, tmp_path: Path
) -> None:
    """First one worker of an older version is overtaken, then another one is started, as where an upgrade is taken
    back; then comes a newer one."""

    async def scene() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path, store=place.address)
        older = wrap(site(), settings)
        async with running(older):
            await published(older)
            browser = await a_known_buyer(older)
            before = len(await written(older))
            await place.do(place.begins.format(NEWER))
            for number in range(PAGES):
                reply = await browser.get("/")
                assert reply.status == 200 and BOUGHT in reply.text
                await older.personalizer.record("purchase", "v:eve", {"amount": 1}, event_id=f"e{number}")
            with pytest.raises(NewerStore):
                await older.personalizer.erase("v:eve", by="Ingrid")
        another = wrap(site(), settings)
        async with running(another):
            taken_back = Browser(another)
            taken_back.cookies = browser.cookies
            assert BOUGHT in (await taken_back.get("/")).text
            assert another.personalizer.health.failures["the site starts without its store or rules"] == 1
        await place.do(place.ends)
        newer = wrap(site(), settings)
        async with running(newer):
            store = newer.personalizer.store
            async with asyncio.timeout(10):
                while await count_of(store, "v:eve") != (PAGES, 100 * PAGES):
                    await asyncio.sleep(0.02)
            # A page view and an impression of each page, and what Eve has bought.
            assert len(await written(newer)) == before + 3 * PAGES + 2

    asyncio.run(scene())
