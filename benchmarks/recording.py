"""Events a second that the API acknowledges as durable: one till that waits for each answer, beside many at once.

Each event is a call of its own over HTTP, answered when it is synced to the disk. The calls of one till wait for a
commit each; those of many share one. What sharing gains is the ratio of the two, taken in the same run, in turn.

    python -m benchmarks.recording [--tills 64] [--seconds 2] [--workers 1]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.package_measured import say_what_is_measured
from personalize.problems import Problems
from personalize.runtime.access import AccessScope, digest_of, minted_token
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.settings import load_settings
from personalize.stores.opening import open_store
from personalize.stores.protocols import AccessToken

RULES = "events: {purchase: {properties: {amount: {type: money}}, value: amount}}\n"
TOKEN = minted_token(bytes(32))
_VISITORS = 1_000
_ROUNDS = 3
_PATIENCE_SECONDS = 20


def main(tills: int, seconds: float, workers: int) -> float:
    """Print the figures; the gain of many at once."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(prepare(Path(folder)))
        with served(Path(folder), workers) as port:
            one, many = asyncio.run(measured(port, tills, seconds))
    print(f"one till at a time   {one:8,.0f} events/s")
    print(f"{tills:3} tills at once    {many:8,.0f} events/s   {many / one:.1f} times as many")
    return many / one


async def prepare(folder: Path) -> None:
    """A site that knows of purchases, and lets the tills in."""
    (folder / "rules").mkdir()
    (folder / "content").mkdir()
    (folder / "rules" / "all.yaml").write_text(RULES, encoding="utf-8")
    (folder / "personalize.toml").write_text('store = "sqlite:store.db"\n', encoding="utf-8")
    settings, now = load_settings(folder / "personalize.toml", {}), SystemClock().now()
    store = open_store(settings.store, settings.root)
    await store.open()
    await publish(store, read_draft(settings, Problems()), settings, at=now, by="a benchmark")
    scopes = frozenset({str(AccessScope.EVENTS_WRITE)})
    await store.keep_token(AccessToken(digest_of(TOKEN), "till", scopes, now, used_at=now))
    await store.close()


@contextmanager
def served(folder: Path, workers: int) -> Iterator[int]:
    """The API alone, as a command serves it; its port."""
    port = 18_000 + os.getpid() % 10_000
    words = [sys.executable, "-m", "personalize.cli.main", "api", "--port", str(port), "--workers", str(workers)]
    environ = {**os.environ, "PERSONALIZE_SETTINGS": str(folder / "personalize.toml")}
    with subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as api:
        try:
            asyncio.run(_until_it_listens(port))
            yield port
        finally:
            api.terminate()


async def _until_it_listens(port: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def measured(port: int, tills: int, seconds: float) -> tuple[float, float]:
    """Events a second of one till, and of so many: the best of some rounds, in turn."""
    best = {1: 0.0, tills: 0.0}
    for number in range(_ROUNDS):
        for count in (1, tills):
            until = time.monotonic() + seconds
            sent = await asyncio.gather(*(_till(port, f"{number}-{count}-{till}", until) for till in range(count)))
            best[count] = max(best[count], sum(sent) / seconds)
    return best[1], best[tills]


async def _till(port: int, name: str, until: float) -> int:
    """Send one event after the other on one connection; how many were acknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.monotonic() < until:
        writer.write(_call(f"{name}-{count}", count % _VISITORS))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count


def _call(event_id: str, visitor: int) -> bytes:
    event = {"id": event_id, "type": "purchase", "visitor": f"u:{visitor}", "properties": {"amount": "29.90"}}
    body = json.dumps(event).encode()
    head = (
        "POST /_personalize/api/v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tills", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    say_what_is_measured()
    main(given.tills, given.seconds, given.workers)
