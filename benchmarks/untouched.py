"""What we cost where we have nothing to do: a table in thousands of parts, a download of 100 MB, pages without slots.

The same site, bare and wrapped, each served by a uvicorn of its own; one client fetches from both in turns, and the
servers tell how much processor time that took them: the least of the rounds, beside the limit.

    python -m benchmarks.untouched [--rounds 7]
"""

import argparse
import asyncio
import csv
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from benchmarks.awake import awake
from benchmarks.package_measured import PACKAGE_IN, say_what_is_measured
from benchmarks.shop_site import open_shop, write_desk
from personalize.runtime.personalizer import Personalizer
from personalize.settings import load_settings
from personalize.wrap import wrap

KEY = "a key only for this benchmark, long enough to be one"
WRAPPED = "BENCHMARK_WRAPPED"
PARTS = 2_003
ROW = (1, "a row of a table", "2026-11-20", 42.5, "with a comma, and some words") * 2
CHUNK = b"x" * 65_536
PLAIN = f"<!doctype html><title>Shop</title>{'<p>A line of text.</p>' * 450}"


@dataclass(frozen=True)
class Case:
    """An address: how often it is fetched in a round, and how much more a wrapped site may take, as a share."""

    path: str
    times: int
    most: float | None


CASES = {
    "a table in 2,003 parts": Case("/table.csv", 6, 0.03),
    "a download of 100 MB": Case("/download", 1, 0.03),
    "a file of 10 KB": Case("/file", 300, None),
    "a page of 10 KB without slots": Case("/plain", 300, None),
}


def site() -> Starlette:
    """The site that is served."""

    async def table(_: Request) -> Response:
        async def rows() -> AsyncIterator[bytes]:
            for number in range(PARTS):
                line = io.StringIO()
                csv.writer(line).writerow((number, *ROW))
                yield line.getvalue().encode()

        return StreamingResponse(rows(), media_type="text/csv")

    async def download(_: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(1_600):
                yield CHUNK

        return StreamingResponse(parts(), media_type="application/octet-stream")

    async def file(_: Request) -> Response:
        return Response(CHUNK[:10_000], media_type="image/png")

    async def plain(_: Request) -> Response:
        return HTMLResponse(PLAIN)

    async def spent(_: Request) -> Response:
        return PlainTextResponse(repr(time.process_time()))

    pages = {"/table.csv": table, "/download": download, "/file": file, "/plain": plain, "/spent": spent}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in pages.items()])


def main(rounds: int, scale: float = 1.0) -> None:
    """Measure each case on both sites, round by round."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack, awake():
        ports = {way: stack.enter_context(served(way, Path(name))) for way in ("bare", "wrapped")}
        for case in CASES.values():
            assert fetched(ports["bare"], case.path, 1) == fetched(ports["wrapped"], case.path, 1), case.path
        spent: dict[str, list[Mapping[str, float]]] = {title: [] for title in CASES}
        for number in range(rounds):
            for title, case in CASES.items():
                ways = list(ports)[:: 1 if number % 2 else -1]
                times = max(round(case.times * scale), 1)
                spent[title].append({way: cpu_seconds(ports[way], case.path, times) / times for way in ways})
    report(spent)


@contextmanager
def served(way: str, folder: Path) -> Iterator[int]:
    """The port of a server of the site."""
    desk = folder / way
    desk.mkdir()
    asyncio.run(published(desk))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environ = {**os.environ, WRAPPED: way, "PERSONALIZE_SETTINGS": str(desk / "personalize.toml")}
    command = [sys.executable, "-m", "uvicorn", "benchmarks.untouched:app", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen([*command, "--no-access-log"], cwd=PACKAGE_IN, env=environ)
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


async def published(desk: Path) -> None:
    """Write a desk of twenty rules, and make it live."""
    write_desk(desk, 20)
    (desk / "personalize.toml").write_text(f'secret_keys = ["{KEY}"]\n', encoding="utf-8")
    settings = load_settings(desk / "personalize.toml", {})
    personalizer = Personalizer(settings)
    await open_shop(personalizer, settings, [])
    await personalizer.stop()


def wait_for(port: int) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        try:
            fetched(port, "/plain", 1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not start")


def fetched(port: int, path: str, times: int) -> bytes:
    """The last of so many answers: its body. All others are read and forgotten."""
    body = b""
    request = f"GET {path} HTTP/1.0\r\nHost: shop.example\r\nAccept: text/html\r\n\r\n".encode()
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", port)) as opened:
            opened.sendall(request)
            parts = []
            while part := opened.recv(1 << 20):
                parts.append(part)
        body = b"".join(parts).partition(b"\r\n\r\n")[2]
    return body


def cpu_seconds(port: int, path: str, times: int) -> float:
    """The processor time of the server for so many answers."""
    begin = float(fetched(port, "/spent", 1))
    fetched(port, path, times)
    return float(fetched(port, "/spent", 1)) - begin


def report(spent: Mapping[str, list[Mapping[str, float]]]) -> None:
    """Print what each takes, and how much more it is with us around."""
    print(f"{'':<32}{'bare':>12}{'wrapped':>12}{'times':>8}")
    for title, rounds in spent.items():
        bare, wrapped = (min(one[way] for one in rounds) * 1e6 for way in ("bare", "wrapped"))
        most = CASES[title].most
        limit = "" if most is None else f"  at most {1 + most:.2f}"
        print(f"{title:<32}{bare:>9.0f} us{wrapped:>9.0f} us{wrapped / bare:>8.2f}{limit}")


app = wrap(site(), os.environ.get("PERSONALIZE_SETTINGS")) if os.environ.get(WRAPPED) == "wrapped" else site()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    say_what_is_measured()
    main(parser.parse_args().rounds)
