"""The commands that serve, in a process of their own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.served.server import wait_for

CONSENT = {"cookie": "pz_consent=measure.personalize"}


@dataclass(frozen=True, slots=True)
class Served:
    """A site that is being served, and what was printed until then."""

    address: str
    printed: str
    process: subprocess.Popen[str]

    def page(self, path: str = "/", user: str | None = None) -> str:
        headers = CONSENT | ({"x-user": user} if user is not None else {})
        response = httpx.get(self.address + path, headers=headers, timeout=20)
        assert response.status_code == 200
        return response.text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, *arguments: str, command: str = "serve", workers: int = 1) -> Iterator[Served]:
    """Serve in a process of its own until the block ends."""
    port = free_port()
    words = [sys.executable, "-m", "personalize.cli.main", command, "--port", str(port), *arguments]
    environ = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            printed = until_ready(process, workers)
            wait_for(port, process)  # a single worker says that it is ready a moment before it listens
            yield Served(f"http://127.0.0.1:{port}", printed, process)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def until_ready(process: subprocess.Popen[str], workers: int) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        workers -= "Application startup complete" in line
        if workers == 0:
            return "".join(lines)
    raise AssertionError("".join(lines))
