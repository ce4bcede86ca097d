"""Another channel than the site's pages: calls the API of a small site, with a token or from a browser."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.runtime.access import AccessScope, digest_of, minted_token
from personalize.stores.protocols import AccessToken
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, published, write_desk
from tests.driver import Browser, Reply, running

ROOT = "/_personalize/api/v1"
EVERYTHING = tuple(AccessScope)
ORGANIZATIONS = """
organization:
  by: company
  shares: [purchase]
  attributes:
    plan: {type: choice, choices: [basic, gold]}
    limit: {type: money}
"""
API_RULES = ORGANIZATIONS + RULES.replace(
    "  letters: {type: bool, purpose: mail}",
    "  letters: {type: bool, purpose: mail}\n"
    "  size: {type: number, from_browser: true}\n"
    "  spent: {type: money, private: true}\n"
    "  email: {type: text, private: true, searchable: true}\n"
    "  company: {type: text, fold: true}",
).replace(
    "segments:",
    "  looked:\n    properties: {item: {type: text}}\n    from_browser: true\n"
    "  measured:\n    properties: {}\n    from_browser: true\n    purpose: measure\n"
    "segments:",
    1,
)

_tokens = iter(range(1, 1_000_000))


@dataclass
class Told:
    """What the API has answered."""

    reply: Reply

    @property
    def status(self) -> int:
        """The status."""
        return self.reply.status

    @property
    def values(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.reply.body)

    @property
    def code(self) -> str | None:
        """The code of a refusal, which is what its type says, too."""
        if self.status < 400:
            return None
        assert self.reply.header("content-type") == "application/problem+json"
        assert self.values["status"] == self.status
        assert self.values["type"] == f"urn:personalize:problem:{self.values['code']}"
        code: str = self.values["code"]
        return code


class Channel:
    """Calls operations, each with a token of the scopes given; `sender` is whom the token was made for."""

    def __init__(self, app: PersonalizeMiddleware, token: str | None, address: str = "127.0.0.1") -> None:
        self.app = app
        self.token = token
        self._browser = Browser(app, address=address)

    async def call(self, path: str, values: Any = None, *, method: str = "POST") -> Told:
        """Call an operation with a body of JSON."""
        body = b"" if values is None else json.dumps(values).encode()
        return await self.send(path, body, method=method)

    async def send(
        self,
        path: str,
        body: bytes = b"",
        *,
        method: str = "POST",
        media_type: str | None = "application/json",
        headers: Iterable[tuple[str, str]] = (),
    ) -> Told:
        """Call an operation with any body."""
        sent: list[tuple[str, str]] = [("accept", "*/*"), *headers]
        if media_type is not None:
            sent.append(("content-type", media_type))
        if self.token is not None:
            sent.append(("authorization", f"Bearer {self.token}"))
        return Told(await self._browser.request(method, f"{ROOT}{path}", headers=sent, body=body))


async def channel(
    app: PersonalizeMiddleware, *scopes: str, sender: str = "till", address: str = "127.0.0.1"
) -> Channel:
    """A channel with a new token of these scopes, or of all; whoever was served before learns of it at once."""
    token = minted_token(next(_tokens).to_bytes(32))
    personalizer = app.personalizer
    wanted = frozenset(scopes or map(str, EVERYTHING))
    await personalizer.store.keep_token(AccessToken(digest_of(token), sender, wanted, personalizer.clock.now()))
    return Channel(app, token, address)


async def home(request: Request) -> Response:
    """A page with a slot."""
    return HTMLResponse('<div data-slot="hero">Default</div>')


def on_site(
    folder: Path, body: Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]], *, rules: str = API_RULES
) -> None:
    """Run a coroutine against a site that is wrapped, started and published."""

    async def all_of_it() -> None:
        write_desk(folder, rules=rules)
        settings = desk_settings(folder, privacy_purposes=["measure", "personalize", "mail"])
        app = wrap(Starlette(routes=[Route("/", home)]), settings, login=_login)
        with patch("personalize.runtime.access.BELIEVED_SECONDS", 0):  # a token is good as soon as it is made
            async with running(app):
                await published(app)
                await body(app)

    asyncio.run(all_of_it())


def _login(scope: Any) -> str | None:
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


def purchase(event_id: str = "r1", visitor: str = "u:anna", **more: Any) -> dict[str, Any]:
    """A purchase as a till sends it."""
    return {"id": event_id, "type": "purchase", "visitor": visitor, "properties": {"amount": "29.90"}, **more}


async def consenting(app: PersonalizeMiddleware, grant: str = "measure personalize", **more: Any) -> Browser:
    """A browser whose visitor has agreed."""
    browser = Browser(app, **more)
    await browser.post("/_personalize/consent", {"grant": grant})
    return browser


async def from_page(
    browser: Browser, path: str, values: Any, headers: Sequence[tuple[str, str]] = (("sec-fetch-site", "same-origin"),)
) -> Told:
    """What a page of the site sends by `fetch`."""
    sent = [("accept", "*/*"), ("sec-fetch-dest", "empty"), ("content-type", "application/json"), *headers]
    body = json.dumps(values).encode()
    return Told(await browser.request("POST", f"{ROOT}{path}", headers=sent, body=body))


async def stopped(task: asyncio.Task[Any]) -> None:
    """End a call that is still under way."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
