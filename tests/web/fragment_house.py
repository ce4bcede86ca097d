"""A wrapped site whose pages are public and whose slots come from elsewhere, for tests of all that is in between."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, Reply, running

PUBLIC = {"cache-control": "public, max-age=600"}
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


def in_fragments(folder: Path, way: str, routes: dict[str, Any], body: Body, **more: Any) -> None:
    """Run `body` on the site of these pages, by path, with the usual desk published."""
    if not (folder / "rules").exists():
        write_desk(folder)
    site = Starlette(routes=[Route(path, page) for path, page in routes.items()])
    login = more.pop("login", None)
    store = more.pop("own_store", None)
    settings = desk_settings(folder, cache_mode="fragments", cache_fragments=way, **{"store": "memory:", **more})
    app = wrap(site, settings, login=login, store=store)

    async def run() -> None:
        async with running(app):
            await published(app)
            await body(app)

    asyncio.run(run())


def includes_of(page: Reply) -> list[str]:
    """The addresses that an edge would fetch for this page, in its order."""
    return re.findall(r'(?:esi:include src|include virtual)="([^"]+)"', page.text)


async def composed(browser: Browser, page: Reply) -> str:
    """The page as an edge of either kind puts it together for this browser."""
    text = page.text
    for address in includes_of(page):
        answer = await browser.get(address)
        assert answer.status == 200
        esi = rf'<!--esi<esi:include src="{re.escape(address)}"/>--><esi:remove>.*?</esi:remove>'
        ssi = (
            r'<!--# block name="(pz\d+)" -->(?P<own>.*?)<!--# endblock -->'
            rf'<!--# include virtual="{re.escape(address)}" stub="\1" -->'
        )
        if re.search(esi, text):
            text = re.sub(esi, lambda _, told=answer.text: told, text, count=1, flags=re.DOTALL)
        else:
            text = re.sub(ssi, lambda m, told=answer.text: told or m["own"], text, count=1, flags=re.DOTALL)
    return text
