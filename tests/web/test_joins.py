"""A browser's past and the login that takes it over: on shared devices, after an undo, and in two units."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.web.test_middleware import consenting, site

ANNA, BERT = [("x-login", "anna")], [("x-login", "bert")]


def played(folder: Path, scene: Callable[[PersonalizeMiddleware], Awaitable[None]], **settings: object) -> None:
    """Play a scene with a small site."""

    async def whole() -> None:
        write_desk(folder)
        app = wrap(site(), desk_settings(folder, **settings))
        async with running(app):
            await published(app)
            await scene(app)

    asyncio.run(whole())


async def purchases(app: PersonalizeMiddleware, profile_id: str) -> int:
    """How often somebody bought, by what is written."""
    await written(app)
    profile = await app.personalizer.store.profile(profile_id)
    total = None if profile is None else profile.totals.get("purchase")
    return 0 if total is None else total.count


async def joined_browser(app: PersonalizeMiddleware) -> str:
    """The browser that the only join is of."""
    (join,) = [event for event in await written(app) if event.type == "join"]
    return str(join.properties["from"])


def test_on_a_device_of_many_people_a_login_takes_nobodys_past_over(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        kiosk = await consenting(app)
        before = kiosk.cookies["pz"]
        await kiosk.post("/buy", {})
        await kiosk.get("/", headers=[*ANNA, ("X-Kiosk", "3")])
        assert kiosk.cookies["pz"] != before, "a login moves the browser on all the same"
        await kiosk.get("/", headers=ANNA)
        assert await purchases(app, "u:anna") == 0
        assert [event.type for event in await written(app)].count("join") == 0
        own = await consenting(app)
        await own.post("/buy", {})
        await own.get("/", headers=ANNA)
        assert await purchases(app, "u:anna") == 1

    played(tmp_path, scene, privacy_shared_device_header="x-kiosk")


def test_after_an_undo_the_browser_goes_on_with_its_login_and_gives_no_past_again(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        browser, tab = await consenting(app), Browser(app)
        tab.cookies |= browser.cookies
        await browser.post("/buy", {})
        await browser.get("/", headers=ANNA)
        past = await joined_browser(app)
        assert await purchases(app, "u:anna") == 1
        await app.personalizer.undo_join("u:anna", past)
        assert (await purchases(app, "u:anna"), await purchases(app, past)) == (0, 1)
        await browser.post("/buy", {}, headers=ANNA)
        await tab.get("/", headers=ANNA)
        assert (await purchases(app, "u:anna"), await purchases(app, past)) == (1, 1)
        assert "Default" in (await browser.get("/")).text
        await browser.get("/", headers=BERT)
        assert (await purchases(app, "u:bert"), await purchases(app, past)) == (0, 1)

    played(tmp_path, scene)


def test_who_was_placed_in_splits_on_both_sides_is_counted_and_known(tmp_path: Path) -> None:
    async def scene(app: PersonalizeMiddleware) -> None:
        first, second = await consenting(app), await consenting(app)
        for browser in (first, second):
            await browser.get("/")
            await written(app)
            await browser.get("/", headers=ANNA)
            await written(app)
        anna = await app.personalizer.store.profile("u:anna")
        assert anna is not None and anna.of_two_units
        assert app.personalizer.health.units_changed == 1
        assert anna.unit == anna.joined_from[0]
        await app.personalizer.undo_join("u:anna", anna.joined_from[1])
        alone = await app.personalizer.store.profile("u:anna")
        assert alone is not None and not alone.of_two_units

    played(tmp_path, scene)
