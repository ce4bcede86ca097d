"""What personalizing adds to one page, in units of one empty `BaseHTTPMiddleware`.

In-process: a Starlette app answers a page of 20 KB with five slots; consented visitors, 64 in turn, so many rules.
All variants run in one process, round by round in shuffled order; a figure is the median of the rounds' CPU time per
request, a ratio the median of the rounds' ratios. `--least` takes the least of the rounds in place of medians, which
tells more on a machine that has other work, too.

    python -m benchmarks.page_overhead [--rules 1000] [--rounds 15] [--requests 300] [--least]
"""

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.package_measured import say_what_is_measured
from benchmarks.shop import SLOTS
from benchmarks.shop_site import (
    Headers,
    headers_of,
    jinja_site,
    open_shop,
    page,
    site,
    visitors_of,
    write_desk,
)
from personalize.settings import load_settings
from personalize.stores.memory.store import MemoryStore
from personalize.web.html.marks import close_mark, open_mark, token_of
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap

KEY = "a key only for this benchmark, long enough to be one"
App = Callable[[Any, Any, Any], Awaitable[None]]
Rounds = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Case:
    """One variant of the site, and the requests that it is sent in turn."""

    name: str
    app: App
    requests: Sequence[Headers]


@dataclass(frozen=True)
class Claim:
    """How a variant is told: what it adds to `base` in `units` of what `unit` adds to its own base, or how many
    times as long as `base` it takes."""

    name: str
    base: str
    unit: str = ""


class Empty(BaseHTTPMiddleware):
    """The unit: it does nothing."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on."""
        return await call_next(request)


async def one_request(app: App, headers: Headers) -> bytes:
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
    for headers in islice(cycle(case.requests), requests):
        await one_request(case.app, headers.copy())
    return (time.thread_time() - begin) / requests


def seconds_of_find(body: bytes, needle: bytes, times: int) -> float:
    """CPU time of one search through the page for a mark that is not there."""
    begin = time.thread_time()
    for _ in range(times):
        body.find(needle)
    return (time.thread_time() - begin) / times


async def measure(cases: list[Case], rounds: int, requests: int) -> dict[str, list[float]]:
    """Rounds of every case, in shuffled order."""
    order = random.Random(1)
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    seconds[FIND] = []
    body = page(plain)
    for case in cases:
        await cpu_seconds(case, requests)
    gc.collect()
    gc.freeze()  # what was imported and loaded is not measured; what a request leaves behind is
    for _ in range(rounds):
        for case in order.sample(cases, len(cases)):
            seconds[case.name].append(await cpu_seconds(case, requests))
            await asyncio.sleep(0.25)  # the queue is written here, outside the measured time of the next case
        seconds[FIND].append(seconds_of_find(body, b"data-slot", requests))
    return seconds


def plain(slot_id: str) -> str:
    """The site's own markup where a slot could be."""
    return f"<section><p>Default of {slot_id}</p></section>"


FIND, UNIT = "one bytes.find", "BaseHTTPMiddleware"
CLAIMS = (
    Claim(UNIT, "bare", UNIT),
    Claim("token marks, SQLite", "bare", UNIT),
    Claim("token marks, memory", "bare", UNIT),
    Claim("written marks, SQLite", "bare", UNIT),
    Claim("written marks, memory", "bare", UNIT),
    Claim("no slots", "bare", UNIT),
    Claim("no slots, no cookie of ours", "bare", FIND),
    Claim("not HTML, wrapped", "not HTML"),
    Claim("Jinja, 5 slots", "Jinja"),
)


def report(seconds: Rounds, *, least: bool = False) -> None:
    """Print microseconds and ratios; of the rounds, their medians, or the least of each variant."""
    if least:
        seconds = {name: [min(figures)] for name, figures in seconds.items()}
    claims = {claim.name: claim for claim in CLAIMS}
    print(f"{'variant':<28}{'us a page':>12}{'added us':>12}   which is")
    for name, figures in seconds.items():
        took = f"{name:<28}{statistics.median(figures) * 1e6:>12.1f}"
        print(took if name not in claims else f"{took}{_told(claims[name], seconds)}")


def _told(claim: Claim, seconds: Rounds) -> str:
    added = _added(seconds[claim.name], seconds[claim.base])
    told = f"{statistics.median(added) * 1e6:>12.1f}   "
    if not claim.unit:
        ratios = [one / base for one, base in zip(seconds[claim.name], seconds[claim.base], strict=True)]
        return f"{told}{statistics.median(ratios):.2f} of {claim.base}"
    unit = seconds[FIND] if claim.unit == FIND else _added(seconds[claim.unit], seconds[claim.base])
    ratios = [one / each for one, each in zip(added, unit, strict=True)]
    return f"{told}{statistics.median(ratios):.2f} {'finds' if claim.unit == FIND else 'units'}"


def _added(seconds: Sequence[float], base: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(seconds, base, strict=True)]


async def main(number_of_rules: int, rounds: int, requests: int, *, least: bool = False) -> None:
    """Build the variants, check that they fill what they should, measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = write_desk(folder, number_of_rules)
        settings = load_settings(None, {}, root=folder, secret_keys=[KEY], store="sqlite:store.db")
        token = token_of(KEY)
        marked = page(lambda slot_id: f"{open_mark(token, slot_id)}<p>Default</p>{close_mark(token)}")
        written = page(lambda slot_id: f'<section data-slot="{slot_id}"><p>Default</p></section>')
        bare, picture = site(page(plain)), site(page(plain), "image/svg+xml")
        on_disk, in_memory = wrap(site(marked), settings), wrap(site(marked), settings, store=MemoryStore())
        visitors = visitors_of(rules, on_disk.personalizer)
        for wrapped in (on_disk, in_memory):
            await open_shop(wrapped.personalizer, settings, visitors)
        environment = Environment(autoescape=True)
        on_disk.teach(environment)
        jinja = jinja_site(environment, "<p>Default</p>"), jinja_site(environment, SLOT_TAG)
        ours = [headers_of(visitor.cookies) for visitor in visitors]
        foreign = [headers_of(b"session=abcdef")]
        cases = [
            Case("bare", bare, ours),
            Case("BaseHTTPMiddleware", Empty(bare), ours),
            Case("token marks, SQLite", on_disk, ours),
            Case("token marks, memory", in_memory, ours),
            Case("written marks, SQLite", wrap_again(on_disk, site(written)), ours),
            Case("written marks, memory", wrap_again(in_memory, site(written)), ours),
            Case("no slots", wrap_again(on_disk, bare), ours),
            Case("no slots, no cookie of ours", wrap_again(on_disk, bare), foreign),
            Case("not HTML", picture, foreign),
            Case("not HTML, wrapped", wrap_again(on_disk, picture), foreign),
            Case("Jinja", jinja[0], ours),
            Case("Jinja, 5 slots", wrap_again(on_disk, jinja[1]), ours),
        ]
        await check(cases)
        report(await measure(cases, rounds, requests), least=least)
        for wrapped in (on_disk, in_memory):
            await wrapped.personalizer.stop()


SLOT_TAG = "{% if slot_id %}{% slot slot_id %}<p>Default</p>{% endslot %}{% endif %}"


async def check(cases: Sequence[Case]) -> None:
    """See that every slot is filled for every visitor, and nothing else is touched."""
    bare = await one_request(cases[0].app, cases[0].requests[0])
    for case in cases:
        wanted = len(SLOTS) if case.name.startswith(("token", "written")) or "5 slots" in case.name else 0
        for headers in case.requests:
            body = await one_request(case.app, headers)
            assert body.count(b"For you, place-") == wanted, f"{case.name}: not every slot was filled"
            assert wanted or case.name == "Jinja" or body == bare, f"{case.name}: changed"


def wrap_again(wrapped: PersonalizeMiddleware, app: App) -> PersonalizeMiddleware:
    """Another site under the same running personalizer."""
    return PersonalizeMiddleware(app, wrapped.personalizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--least", action="store_true")
    arguments = parser.parse_args()
    say_what_is_measured()
    asyncio.run(main(arguments.rules, arguments.rounds, arguments.requests, least=arguments.least))
