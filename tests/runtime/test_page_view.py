"""What a site tells us of its visitors on a page view."""

import asyncio
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running

RULES = """
events:
  purchase: {properties: {category: {type: text}}, interest: category}
slots:
  hero:
    rules:
      - {id: lamps, to: {interest.top: lamps}, show: things/lamp}
      - {id: tents, to: {interest.top: tents}, show: things/tent}
"""
SLOT = '<div data-slot="hero">Default</div>'


async def page(request: Request) -> Response:
    """A page on which visitors buy what the address says, and say what they like."""
    visit, asked = request.state.page_view, request.query_params
    if "buys" in asked:
        visit.record("purchase", category=asked["buys"])
    told = visit.state_interest(asked["likes"], likes=True) if "likes" in asked else None
    return HTMLResponse(f"{told} {SLOT}")


def test_a_visitor_who_says_what_they_like_is_believed_over_what_they_bought(tmp_path: Path) -> None:
    async def visits() -> None:
        write_desk(tmp_path, rules=RULES, items={"lamp": "A lamp", "tent": "A tent"})
        app = wrap(Starlette(routes=[Route("/", page)]), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/"})
            for path, shown in (("/?buys=tents", "A tent"), ("/?likes=Lamps", "A lamp"), ("/?buys=tents", "A lamp")):
                assert "None" in (await browser.get(path)).text or "likes" in path
                await written(app)
                assert shown in (await browser.get("/")).text
            assert "False" in (await browser.get("/?likes=%20")).text
            assert app.personalizer.health.failures["an event of the site was refused"] == 1

    asyncio.run(visits())
