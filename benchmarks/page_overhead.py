"""What personalizing adds to one page, in units of one empty `BaseHTTPMiddleware`.

In-process: a Starlette app answers a 20 KB page with five slots; a consented visitor's profile lies in SQLite and
twenty rules decide. All variants run in one process, round by round in shuffled order; a figure is the median of
the rounds' CPU time per request, a ratio the median of the rounds' ratios.

    python benchmarks/page_overhead.py [--rounds 15] [--requests 300]
"""

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.settings import Settings, load_settings
from personalize.visitors.tokens import visitor_id_from
from personalize.web.marks import close_mark, open_mark, token_of
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap

PAGE_BYTES = 20_000
SLOTS = tuple(f"place-{number}" for number in range(1, 6))
RULES_PER_SLOT = 4
KEY = "a key only for this benchmark, long enough to be one"
App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One variant of the site, and the request that it is sent."""

    name: str
    app: App
    headers: list[tuple[bytes, bytes]]


class Empty(BaseHTTPMiddleware):
    """The unit: it does nothing."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on."""
        return await call_next(request)


def page(slot: Callable[[str], str]) -> bytes:
    """A shop's listing with five slots spread over it."""
    card = '<li class="card"><a href="/p/{n}"><img src="/i/{n}.jpg" alt="">A thing to buy, number {n}</a></li>\n'
    parts = ["<!doctype html><html lang=en><head><title>Shop</title></head><body>"]
    share = PAGE_BYTES // (len(SLOTS) + 1)
    for number, slot_id in enumerate((*SLOTS, ""), start=1):
        parts += [card.format(n=number * 100 + at) for at in range(share // len(card.format(n=100)))]
        parts.append(slot(slot_id) if slot_id else "</body></html>")
    return "".join(parts).encode()


def site(body: bytes) -> Starlette:
    """A site of that one page."""

    text = body.decode()

    async def home(_: Request) -> Response:
        return HTMLResponse(text)  # new bytes for every request, as templates make them

    return Starlette(routes=[Route("/", home)])


def write_desk(folder: Path) -> None:
    """Twenty rules on attributes, purchases, behaviour and time, two segments, five items."""
    rules = ["attributes: {tier: {type: choice, choices: [basic, gold]}, city: {type: text}}"]
    rules.append("events: {purchase: {properties: {amount: {type: money}, category: {type: text}}, value: amount}}")
    rules.append(
        "segments:\n  buyers: {who: {purchase.count: {at_least: 1}}}\n"
        "  lapsed: {who: {all: [{segment: buyers}, {purchase.last: {older_than: 90 days}}]}}\n"
        "slots:"
    )
    conditions = (
        "{segment: lapsed}",
        "{profile.city: [Paris, Rome], purchase.total: {at_least: 5000}}",
        "{did: purchase, where: {category: tents}, times: {at_least: 3}, within: 30 days}",
        "{any: [{profile.tier: gold}, {page.device: mobile}], now.hour: {at_least: 0}}",
    )
    for slot_id in SLOTS:
        rules.append(f"  {slot_id}:\n    page: home\n    rules:")
        for number, condition in enumerate(conditions):
            rules.append(f"      - {{id: r{number}, to: {condition}, show: things/{slot_id}}}")
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text("\n".join(rules), encoding="utf-8")
    things = folder / "content" / "things"
    things.mkdir(parents=True)
    (folder / "content" / "collections.yaml").write_text(
        "collections: {things: {kind: thing, template: thing.html, fields: {}}}", encoding="utf-8"
    )
    (folder / "content_templates").mkdir()
    (folder / "content_templates" / "thing.html").write_text(
        "<article><h2>{{ item.title }}</h2>{{ item.body }}</article>", encoding="utf-8"
    )
    for slot_id in SLOTS:
        (things / f"{slot_id}.md").write_text(
            f"---\ntitle: For you, {slot_id}\n---\n{'Words. ' * 30}", encoding="utf-8"
        )


async def visitor(app: PersonalizeMiddleware, settings: Settings) -> bytes:
    """The cookies of a visitor with consent and a stored past."""
    personalizer = app.personalizer
    await personalizer.start()
    await publish(
        personalizer.store, read_draft(settings, Problems()), settings, at=personalizer.clock.now(), by="benchmark"
    )
    await personalizer.refresh()
    visitor_id = visitor_id_from(bytes(range(16)), "v")
    for number in range(3):
        properties = {"amount": 20 + number, "category": "tents"}
        await personalizer.record("purchase", f"v:{visitor_id}", properties)
    token = personalizer.tokens.sign(visitor_id)
    return f"pz_consent=measure.personalize; pz={token}; session=abcdef".encode()


async def one_request(app: App, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Drive one GET through the app; the body."""
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return body


async def cpu_seconds(case: Case, requests: int) -> float:
    """CPU time of the event loop per request; what is written later, in the thread of the writer, is not in it."""
    begin = time.thread_time()
    for _ in range(requests):
        await one_request(case.app, list(case.headers))
    return (time.thread_time() - begin) / requests


async def measure(cases: list[Case], rounds: int, requests: int) -> dict[str, list[float]]:
    """Rounds of every case, in shuffled order."""
    order = random.Random(1)
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    for case in cases:
        await cpu_seconds(case, requests)
    gc.collect()
    gc.freeze()  # what was imported and loaded is not measured; what a request leaves behind is
    for _ in range(rounds):
        for case in order.sample(cases, len(cases)):
            seconds[case.name].append(await cpu_seconds(case, requests))
            await asyncio.sleep(0.25)  # the queue is written here, outside the measured time of the next case
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    """Print microseconds and units."""
    bare, unit = seconds["bare"], seconds["BaseHTTPMiddleware"]
    print(f"{'variant':<28}{'us a page':>12}{'added us':>12}{'units':>9}")
    for name, figures in seconds.items():
        added = statistics.median(one - base for one, base in zip(figures, bare, strict=True))
        units = statistics.median(
            (one - base) / (middle - base) for one, base, middle in zip(figures, bare, unit, strict=True)
        )
        print(f"{name:<28}{statistics.median(figures) * 1e6:>12.1f}{added * 1e6:>12.1f}{units:>9.2f}")


async def main(rounds: int, requests: int) -> None:
    """Build the variants, check that they fill what they should, measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_desk(folder)
        settings = load_settings(None, {}, root=folder, secret_keys=[KEY], store="sqlite:store.db")
        token = token_of(KEY)
        plain = page(lambda slot_id: f"<section><p>Default of {slot_id}</p></section>")
        marked = page(lambda slot_id: f"{open_mark(token, slot_id)}<p>Default</p>{close_mark(token)}")
        written = page(lambda slot_id: f'<section data-slot="{slot_id}"><p>Default</p></section>')
        with_tokens, with_written = wrap(site(marked), settings), wrap(site(written), settings)
        cookies = await visitor(with_tokens, settings)
        await with_written.personalizer.start()
        headers = [
            (b"host", b"shop.example"),
            (b"accept", b"text/html,application/xhtml+xml"),
            (b"accept-language", b"en-GB,en;q=0.8,nb;q=0.5"),
            (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"),
            (b"sec-fetch-dest", b"document"),
            (b"cookie", cookies),
        ]
        cases = [
            Case("bare", site(plain), headers),
            Case("BaseHTTPMiddleware", Empty(site(plain)), headers),
            Case("token marks", with_tokens, headers),
            Case("written marks", with_written, headers),
            Case("no slots on the page", wrap_again(with_tokens, site(plain)), headers),
        ]
        for case in cases[2:4]:
            body = await one_request(case.app, headers)
            assert body.count(b"For you, place-") == len(SLOTS), f"{case.name}: not every slot was filled"
        report(await measure(cases, rounds, requests))
        await with_written.personalizer.stop()
        await with_tokens.personalizer.stop()


def wrap_again(wrapped: PersonalizeMiddleware, app: App) -> PersonalizeMiddleware:
    """Another site under the same running personalizer."""
    return PersonalizeMiddleware(app, wrapped.personalizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.rounds, arguments.requests))
