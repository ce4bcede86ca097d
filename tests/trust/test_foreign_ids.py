"""Ids that are forged, swapped, cut or signed by a key of yesterday: nobody reads what is kept of somebody else."""

import asyncio
import random
import string
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.visitors.tokens import TokenReading, Tokens
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import KEY, desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.trust.trials import SEED, trials

IDS = trials(250, 10_000)
CANARY = "Canary-Kari"
OLD_KEY = "a key of yesterday that was taken out of the settings 5Kq2"
DOORS = ("/", "/_personalize/you")
#: By how much the median of one kind of id may differ from that of another, in seconds.
MOST_APART_SECONDS = 0.005


async def shop(request: Request) -> Response:
    """A page that greets by name, and on which whoever is called gets one."""
    if "name" in request.query_params:
        request.state.page_view.set(first_name=request.query_params["name"], tier="gold")
    return HTMLResponse('<div data-slot="row">Default</div>')


@dataclass
class House:
    """A site, two visitors that it knows, and their cookies."""

    app: PersonalizeMiddleware
    kari: str
    bert: str

    async def told_to(self, cookie: str | None) -> list[str]:
        """What whoever shows this cookie is told at all doors, without the cookie that they get."""
        told = []
        for path in DOORS:
            browser = Browser(self.app)
            browser.cookies = {"pz_consent": "measure.personalize", **({"pz": cookie} if cookie is not None else {})}
            reply = await browser.get(path)
            told.append(f"{reply.status} {reply.text}")
        return told

    async def downloaded_by(self, cookie: str) -> str:
        """What they are given to take along."""
        browser = Browser(self.app)
        browser.cookies = {"pz_consent": "measure.personalize", "pz": cookie}
        return (await browser.post("/_personalize/you", {"do": "download", "as": "json"})).text


def with_house(folder: Path, work: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    """Run on a site that knows two visitors by name."""

    async def known(app: PersonalizeMiddleware, name: str) -> str:
        browser = Browser(app)
        await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/"})
        await browser.get(f"/?name={name}")
        await written(app)
        return browser.cookies["pz"]

    async def run() -> None:
        write_desk(folder)
        app = wrap(Starlette(routes=[Route("/", shop)]), desk_settings(folder))
        async with running(app):
            await published(app)
            house = House(app, await known(app, CANARY), await known(app, "Bert"))
            assert all(CANARY in told for told in await house.told_to(house.kari))
            await work(house)

    asyncio.run(run())


def forged(dice: random.Random, house: House) -> Iterator[str]:
    """Cookies that might pass for Kari's, if somebody looked badly."""
    kari, bert = house.kari, house.bert
    kari_id, kari_seal = kari.split(".")
    letters = string.ascii_letters + string.digits + "-_"
    old = Tokens([OLD_KEY]).sign(kari_id)
    while True:
        at = dice.randrange(len(kari))
        yield dice.choice(
            (
                kari[:at] + dice.choice(letters.replace(kari[at], "")) + kari[at + 1 :],
                kari[:at],
                kari + dice.choice(letters + "=."),
                f"{kari_id}.{bert.split('.')[1]}",
                f"{bert.split('.')[0]}.{kari_seal}",
                f"k{kari_id[1:]}.{kari_seal}",
                f"{kari_id}.{''.join(dice.choices(letters, k=43))}",
                old,
                old[:at] or "x",
                Tokens([KEY], "preview").sign(kari_id),
                kari_id,
                f"u:{kari_id}",
                kari.swapcase(),
                kari.replace(".", "%2e"),
            )
        )


@pytest.mark.trust(tries=IDS)
def test_whatever_somebody_shows_that_was_not_given_to_them_they_are_a_stranger(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        stranger = await house.told_to(None)
        cookies = forged(random.Random(SEED), house)
        for number in range(IDS):
            cookie = next(cookies)
            assert await house.told_to(cookie) == stranger, (number, cookie)
            if number % 25 == 0:
                assert CANARY not in await house.downloaded_by(cookie)
        assert all(CANARY in told for told in await house.told_to(house.kari))

    with_house(tmp_path, work)


@pytest.mark.trust
@pytest.mark.planted
def test_a_site_that_reads_ids_without_their_signature_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(house: House) -> None:
        tokens = house.app.personalizer.tokens
        monkeypatch.setattr(tokens, "read", lambda text: TokenReading(text[:23], outdated=False))
        cookies, stranger = forged(random.Random(SEED), house), await house.told_to(None)
        assert any([await house.told_to(next(cookies)) != stranger for _ in range(40)])

    with_house(tmp_path, work)


@pytest.mark.long
@pytest.mark.trust(tries=IDS)
def test_no_clock_tells_an_id_that_is_known_from_one_that_is_not(tmp_path: Path) -> None:
    """Who shows an id of somebody else waits as long as who shows one of nobody: the medians are compared."""

    async def work(house: House) -> None:
        dice, taken = random.Random(SEED), dict[str, list[float]]()
        kari_id = house.kari.split(".")[0]
        for _ in range(IDS):
            seal = "".join(dice.choices(string.ascii_letters, k=43))
            nobody = "v" + "".join(dice.choices(string.ascii_letters, k=22))
            for kind, cookie in (("somebody's", f"{kari_id}.{seal}"), ("nobody's", f"{nobody}.{seal}")):
                began = time.perf_counter()
                await house.told_to(cookie)
                taken.setdefault(kind, []).append(time.perf_counter() - began)
        medians = [median(seconds) for seconds in taken.values()]
        assert max(medians) - min(medians) < MOST_APART_SECONDS

    with_house(tmp_path, work)
