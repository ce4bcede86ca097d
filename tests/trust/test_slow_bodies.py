"""Whoever sends a byte now and then holds no connection for long, wherever they send it."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.api.channel import API_RULES, ROOT
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, Reply, running
from tests.trust.test_forms_of_others import WRITES, staff

pytestmark = pytest.mark.trust
#: What says how long each of them waits.
PATIENCES = ("personalize.api.reading", "personalize.pages.forms", "personalize.web.seen.seen_endpoint")
SHORT_SECONDS, LONG_SECONDS = 0.1, 1.0


async def trickled(app: PersonalizeMiddleware, path: str, cookies: dict[str, str]) -> int:
    """Send a byte now and then to this address; the status of the answer, 0 where none comes."""
    kind = b"application/json" if path.startswith(ROOT) else b"application/x-www-form-urlencoded"
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    headers = [(b"host", b"shop.example"), (b"sec-fetch-site", b"same-origin"), (b"content-type", kind)]
    scope = {
        **{"type": "http", "method": "POST", "path": path, "query_string": b"", "scheme": "http", "root_path": ""},
        **{"headers": [*headers, (b"cookie", cookie)], "client": ("127.0.0.1", 1), "server": ("shop.example", 80)},
    }
    reply = Reply()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        reply.messages.append(message)

    try:
        async with asyncio.timeout(LONG_SECONDS):
            await app(scope, receive, send)
    except TimeoutError:
        return 0
    return reply.status


def answers(folder: Path) -> dict[str, int]:
    """What each address answers at which a browser may change something."""

    async def scene() -> dict[str, int]:
        write_desk(folder, rules=API_RULES)
        app = wrap(Starlette(), desk_settings(folder, count_seen=True), staff=staff)
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/"})
            told = await asyncio.gather(*(trickled(app, path, browser.cookies) for path in WRITES))
            return dict(zip(WRITES, told, strict=True))

    return asyncio.run(scene())


def test_a_body_that_trickles_is_given_up_wherever_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in PATIENCES:
        monkeypatch.setattr(f"{module}.PATIENCE_SECONDS", SHORT_SECONDS)
    found = answers(tmp_path)
    assert all(400 <= status < 500 for status in found.values()), found


@pytest.mark.planted
def test_addresses_that_wait_for_ever_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in PATIENCES:
        monkeypatch.setattr(f"{module}.PATIENCE_SECONDS", 1_000)
    assert set(answers(tmp_path).values()) == {0}
