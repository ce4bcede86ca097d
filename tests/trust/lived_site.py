"""A site that is killed and started again, whose clock a test moves: in processes that fork from one that is ready.

So a start takes a moment, and what runs is a real server, asked over HTTP.
"""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.api import access
from personalize.api import app as the_api
from personalize.runtime import follow
from personalize.runtime.sources import Scope
from personalize.wrap import wrap
from tests.conftest import REPOSITORY
from tests.desk import desk_settings
from tests.served.server import free_ports, wait_for


class FileClock:
    """Goes as the machine's clock does, so many seconds ahead of it as a file says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """The moment of the site."""
        return datetime.now(UTC) + timedelta(seconds=float(self._path.read_text(encoding="ascii") or 0))

    def move(self, by: timedelta) -> None:
        """Go on by so much."""
        seconds = float(self._path.read_text(encoding="ascii")) + by.total_seconds()
        fresh = self._path.with_suffix(".fresh")
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(self._path)


async def shop(request: Request) -> Response:
    """A page with a slot."""
    return HTMLResponse('<div data-slot="hero">Default</div>')


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return dict(scope["headers"]).get(b"x-login", b"").decode() or None


def serve(folder: Path, port: int, bug: str) -> None:
    """Serve until killed."""
    access.BAD_TOKENS = access.CALLS_OF_VISITOR = access.CALLS_OF_ADDRESS = the_api.MISSES = 10_000_000
    follow.POLL_SECONDS = 0.05
    if bug:
        plant(bug)
    app = wrap(
        Starlette(routes=[Route("/", shop)]), desk_settings(folder), login=login, clock=FileClock(folder / "clock")
    )
    uvicorn.run(app, port=port, log_level="error")


def plant(bug: str) -> None:
    """Plant one of the bugs that the test has to find."""
    from tests.trust import lived_bugs  # noqa: PLC0415

    getattr(lived_bugs, bug)()


class Breeder:
    """A process that has loaded all there is to load, and forks whenever a site is to be served."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        words = [sys.executable, "-m", "tests.trust.lived_site"]
        self._process: subprocess.Popen[str] = subprocess.Popen(words, cwd=REPOSITORY, text=True, **pipes)  # type: ignore[call-overload]

    def serve(self, folder: Path, port: int, bug: str) -> int:
        """The process that serves the folder from now on."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(folder, port, bug, sep="\t", file=self._process.stdin, flush=True)
        pid = int(self._process.stdout.readline())
        wait_for(port, self._process)
        return pid

    def stop(self) -> None:
        """End it; what it has forked lives on."""
        self._process.kill()
        self._process.communicate()


class LivedSite:
    """A folder with a desk, and the process that serves it."""

    def __init__(self, folder: Path, breeder: Breeder, bug: str = "") -> None:
        self.folder = folder
        self.clock = FileClock(folder / "clock")
        self._breeder = breeder
        self._bug = bug
        self._port = free_ports(1)[0]
        (folder / "clock").write_text("0", encoding="ascii")
        self._pid = breeder.serve(folder, self._port, bug)

    @property
    def address(self) -> str:
        """Where it is, also after it was killed."""
        return f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """Kill it as a machine does that has no memory left, and start it again."""
        self.stop()
        self._pid = self._breeder.serve(self.folder, self._port, self._bug)

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return Path(f"/proc/{self._pid}").exists()

    def tell(self, what: signal.Signals) -> None:
        """Send a signal to it."""
        os.kill(self._pid, what)

    def stop(self) -> None:
        """Kill it for good, if it still runs."""
        if self.runs:
            self.tell(signal.SIGKILL)
        while self.runs:
            time.sleep(0.001)


def breed() -> None:
    """Fork a server for each line: a folder, a port, a bug."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, port, bug = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(Path(folder), int(port), bug)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    breed()
