"""A site that declares values of every type, served for whoever reads the description of its API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import httpx

from personalize.runtime.access import AccessScope, digest_of, minted_token
from personalize.runtime.clock import SystemClock
from personalize.stores.opening import open_store
from personalize.stores.protocols import AccessToken, Store
from tests.desk import desk_settings
from tests.served.server import served
from tests.served.test_workers import publish_desk
from tests.stores.contract import opened

T = TypeVar("T")

RULES = """
attributes:
  first_name: {type: text}
  tier: {type: choice, choices: [basic, gold]}
  size: {type: number, from_browser: true}
  spent: {type: money, private: true}
  born: {type: date}
  member: {type: bool}
  tags: {type: list, of: text}
  app: {type: version}
  anything: {type: any}
events:
  purchase:
    title: Bought something
    properties:
      amount: {type: money}
      category: {type: text}
      delivered: {type: time}
      items: {type: list, of: {sku: text, price: money, quantity: number}}
    value: amount
  looked:
    properties: {item: {type: text}}
    from_browser: true
  left:
    properties: {}
segments:
  buyers: {who: {purchase.count: {at_least: 1}}}
slots:
  hero:
    page: home
    rules:
      - {id: buyers, to: {segment: buyers}, show: things/thanks}
      - {id: letter, to: {visit.source: newsletter}, show: things/letter}
  row:
    page: home
    holds: 2
    rules:
      - {id: gold, to: {profile.tier: gold}, show: [things/thanks, things/gold]}
"""


@dataclass(frozen=True, slots=True)
class Described:
    """Where the site is, and the tokens that it takes: one for each scope, and one for all."""

    address: str
    tokens: dict[str, str]

    @property
    def everything(self) -> str:
        """The token of all scopes."""
        return self.tokens["everything"]

    @property
    def root(self) -> str:
        """Where its API is."""
        return f"{self.address}/_personalize/api/v1"

    @property
    def description(self) -> str:
        """What it says of itself."""
        headers = {"authorization": f"Bearer {self.everything}"}
        return httpx.get(f"{self.root}/openapi.json", headers=headers).text


def prepared(folder: Path) -> dict[str, str]:
    """Publish the site in a folder; the tokens that it takes."""
    publish_desk(folder, rules=RULES)
    return with_store(folder, _made)


@contextmanager
def described(folder: Path, *, workers: int = 1, app: str = "tests.served.sites.api_shop:app") -> Iterator[Described]:
    """The site, served."""
    tokens = prepared(folder)
    with served(folder, app=app, workers=workers) as address:
        yield Described(address, tokens)


async def _made(store: Store) -> dict[str, str]:
    tokens: dict[str, str] = {}
    scopes = {str(scope): frozenset({str(scope)}) for scope in AccessScope}
    for number, (name, good_for) in enumerate({**scopes, "everything": frozenset(scopes)}.items()):
        tokens[name] = minted_token(bytes([number + 1]) * 32)
        now = SystemClock().now() - timedelta(minutes=1)
        await store.keep_token(AccessToken(digest_of(tokens[name]), name.replace(":", "-"), good_for, now, used_at=now))
    return tokens


def with_store(folder: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do something with the store of a folder's site, beside whoever serves it."""

    async def run() -> T:
        settings = desk_settings(folder)
        async with opened(open_store(settings.store, settings.root)) as store:
            return await work(store)

    return asyncio.run(run())


def agreed(address: str) -> dict[str, str]:
    """The cookies of a browser whose visitor has agreed."""
    with httpx.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}, timeout=30) as browser:
        browser.post("/_personalize/consent", data={"grant": "measure personalize"})
        return dict(browser.cookies)
