"""One small public site, wrapped once for each way to live with caches: the host that is asked for tells which."""

import os
from collections import Counter
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from personalize import wrap
from personalize.settings import load_settings
from personalize.web.asgi import ASGIApp, Message, Receive, Scope, Send
from tests.desk import KEY

ROOT = Path(os.environ.get("PERSONALIZE_SETTINGS", "personalize.toml")).parent
#: The settings of each host, beside those that all have.
HOSTS = {
    "private": {"cache_mode": "private"},
    "variants": {
        "root": ROOT / "variants",
        "cache_mode": "variants",
        "cache_inputs": {"page.device": ["mobile", "desktop"], "page.language": ["en", "nb"]},
        "cache_edge_keys": ["V9hTqk2sLx8RwBzN4mYcJ7dPfG1uEoAa"],
    },
    "esi": {"cache_mode": "fragments", "cache_fragments": "esi"},
    "ssi": {"cache_mode": "fragments", "cache_fragments": "ssi"},
    "script": {"cache_mode": "fragments", "cache_fragments": "script"},
    "seen": {"cache_mode": "private", "count_seen": True},
    "seen-by-script": {"cache_mode": "fragments", "cache_fragments": "script", "count_seen": True},
}
PAGE = (
    '<!doctype html><html lang="en"><title>Shop</title><main><div data-slot="hero"><p>For everybody</p></div>'
    '<section data-slot="row"><p>Nothing new</p></section></main><p>the end</p></html>'
)
PUBLIC = {"cache-control": "public, max-age=600"}


async def home(request: Request) -> Response:
    """A page that every cache may keep."""
    request.app.state.made["home"] += 1
    return HTMLResponse(PAGE, headers=PUBLIC | {"etag": '"1"'})


async def account(request: Request) -> Response:
    """A page that the site itself keeps from caches."""
    return HTMLResponse(PAGE, headers={"cache-control": "private"})


async def strict(request: Request) -> Response:
    """A page whose policy lets in nothing but what carries its nonce."""
    policy = "default-src 'none'; script-src 'nonce-r4nd0m'; connect-src 'self'"
    return HTMLResponse(PAGE, headers=PUBLIC | {"content-security-policy": policy})


async def long(request: Request) -> Response:
    """A page whose second slot is out of view at first."""
    slots = ('<div data-slot="season">Any season</div>', '<div data-slot="hero">For everybody</div>')
    return HTMLResponse(f"<!doctype html><title>Shop</title>{'<p style=height:3000px>'.join(slots)}", headers=PUBLIC)


async def part(request: Request) -> Response:
    """A part that a script puts into a page."""
    return HTMLResponse('<div data-slot="season">Any season</div>', headers=PUBLIC)


async def plain(request: Request) -> Response:
    """A page without slots."""
    request.app.state.made["plain"] += 1
    return HTMLResponse("<p>For everybody</p>", headers=PUBLIC)


async def made(request: Request) -> Response:
    """How often the site has made a page."""
    return PlainTextResponse(
        str(request.app.state.made[request.path_params["page"]]), headers={"cache-control": "no-store"}
    )


async def buy(request: Request) -> Response:
    """The visitor buys something; durable when it is answered."""
    page_view, personalizer = request.state.page_view, SITES[request.app.state.host].personalizer
    category = request.path_params["category"]
    await personalizer.record("purchase", page_view.identity.profile_id, {"amount": "10", "category": category})
    return PlainTextResponse(page_view.identity.profile_id)


def site_of(host: str) -> Starlette:
    """The site, unwrapped."""
    site = Starlette(
        routes=[
            Route("/", home),
            Route("/account", account),
            Route("/strict", strict),
            Route("/long", long),
            Route("/part", part),
            Route("/plain", plain),
            Route("/made/{page}", made),
            Route("/buy/{category}", buy, methods=["POST"]),
        ]
    )
    site.state.host, site.state.made = host, Counter()
    return site


USUAL = {"root": ROOT, "secret_keys": [KEY], "store": "memory:", "reload": "save", "ingest_flush_seconds": 0.002}
SITES = {host: wrap(site_of(host), load_settings(None, {}, **{**USUAL, **own})) for host, own in HOSTS.items()}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The site of the host that is asked for."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    host = dict(scope["headers"]).get(b"host", b"").decode().partition(":")[0].partition(".")[0]
    site: ASGIApp = SITES.get(host, SITES["private"])
    await site(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message: Message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
        for site in SITES.values():
            await site.personalizer.start()
