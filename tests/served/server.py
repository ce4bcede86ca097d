"""Real servers in processes of their own, on free ports of this machine."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import personalize

#: Where the package of these tests was imported from. Servers import from the folder that they start in before anything
#: else: so the compiled package is what they serve with where it is what is tested.
PACKAGE_IN = Path(personalize.__file__).resolve().parents[1]
#: Below those that Linux gives to connections.
_PORTS = (20_000, 32_000)
LONGEST_START_SECONDS = 30
LONGEST_STOP_SECONDS = 20


@dataclass(frozen=True)
class Server:
    """One server: the words behind `python -m`, with `{port}` where it is to listen."""

    command: Sequence[str]
    scheme: str = "http"


def uvicorn(app: str, *more: str) -> Server:
    """The server that most sites of the tests run under."""
    return Server(("uvicorn", app, "--port", "{port}", "--log-level", "warning", *more))


@contextmanager
def served(folder: Path, *, app: str = "tests.served.shop:app", workers: int = 1, **environment: str) -> Iterator[str]:
    """Serve the site of a folder with a personalize.toml; gives its address."""
    with all_served({"site": uvicorn(app, "--workers", str(workers))}, {"site": folder}, **environment) as addresses:
        yield addresses["site"]


@contextmanager
def all_served(
    servers: Mapping[str, Server], folders: Mapping[str, Path], **environment: str
) -> Iterator[dict[str, str]]:
    """Several servers at once, each in front of the folder of its name; gives their addresses, by name.

    They start side by side, since each of them spends a second on importing what it needs.
    """
    ports = free_ports(len(servers))
    started: list[subprocess.Popen[bytes]] = []
    try:
        for (name, server), port in zip(servers.items(), ports, strict=True):
            started.append(start(server, port, folders[name], environment))
        for port, process in zip(ports, started, strict=True):
            wait_for(port, process)
        yield {
            name: f"{server.scheme}://127.0.0.1:{port}"
            for (name, server), port in zip(servers.items(), ports, strict=True)
        }
    finally:
        for process in started:
            process.terminate()
        for process in started:
            stop(process)


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, all different; none that the kernel gives to whoever connects somewhere, or it
    might be taken while a server that was killed starts again."""
    with ExitStack() as probes:
        ports: list[int] = []
        while len(ports) < count:
            probe = probes.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", random.SystemRandom().randrange(*_PORTS)))
                ports.append(int(probe.getsockname()[1]))
        return ports


def start(server: Server, port: int, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A server that listens in a moment."""
    return subprocess.Popen(
        [sys.executable, "-m", *(word.format(port=port) for word in server.command)],
        cwd=PACKAGE_IN,
        env={**os.environ, "PERSONALIZE_SETTINGS": str(folder / "personalize.toml"), **environment},
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was asked to stop has done so, with all of its workers."""
    try:
        process.wait(timeout=LONGEST_STOP_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(port: int, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Wait until the server listens."""
    until = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def wait_until_free(port: int) -> None:
    """Wait until no server holds a port, as the workers of one that was killed do until they are gone."""
    until = time.monotonic() + LONGEST_STOP_SECONDS
    while time.monotonic() < until:
        with socket.socket() as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
            trial.listen()
            return
        time.sleep(0.01)
    raise AssertionError("the port is held")
