"""A folder in which the files of a page are written and its commands are run."""

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import httpx
from click.testing import CliRunner

from personalize.cli.main import main
from tests.conftest import REPOSITORY
from tests.docs.blocks import Block
from tests.docs.console import Step, difference, is_as_promised, steps_of

USUAL_PORT = 8000
LONGEST_SECONDS = 60
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
#: Their dates will be past once, and `check` says of rules that they are over.
_WHEN_THE_PAGES_WERE_WRITTEN = "2026-11-20"
_COMMANDS_THAT_SERVE = ("serve", "proxy", "api")
_LAST_WORDS_OF_SERVE = "Stop with Ctrl+C."


class Bench:
    """Runs the blocks of a page, one after the other, in one folder; to be used in a `with`."""

    def __init__(self, folder: Path, desk: Path | None = None) -> None:
        self.folder = folder
        self._servers: list[subprocess.Popen[str]] = []
        self._port = USUAL_PORT
        self._token = ""
        if desk is not None:
            shutil.copytree(desk, folder, dirs_exist_ok=True)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for server in self._servers:
            server.terminate()
            server.communicate(timeout=LONGEST_SECONDS)

    def write(self, block: Block) -> None:
        """Write a block that names a file."""
        assert block.file is not None, block.where
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if block.is_more else ""
        path.write_text(before + ("\n" if before else "") + block.text, encoding="utf-8")

    def run(self, block: Block) -> None:
        """Run the commands of a console block; what they print has to be what the page says."""
        for step in steps_of(block.text):
            printed = self.output_of(step)
            if not is_as_promised(step.expected, printed):
                raise AssertionError(f"{block.where}: $ {step.command}\n{difference(step.expected, printed)}")

    def output_of(self, step: Step) -> str:
        """What a command prints here; a server is left running, and stops with the bench."""
        words = shlex.split(step.command)
        if words[0] == "personalize" and words[1] in _COMMANDS_THAT_SERVE:
            return self._serve(words[1:])
        if words[0] == "personalize":
            return self._personalize(words[1:])
        if words[0] == "curl" and "-H" in words:
            return self._curl(words[1:])
        if words[0] == "curl":
            return self.output_of_address(words[-1])
        return self._shell(step.command)

    def _personalize(self, arguments: list[str]) -> str:
        """In this process: a page of messages runs a hundred of them."""
        if arguments == ["check"]:
            arguments = ["check", "--at", _WHEN_THE_PAGES_WERE_WRITTEN]
        with _in(self.folder), _clean_environment():
            result = CliRunner().invoke(main, arguments, prog_name="personalize")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if arguments[:2] == ["token", "create"]:
            self._token = result.stdout.strip()
        return result.output

    def _shell(self, command: str) -> str:
        """Whatever else is written, as a shell understands it; `python` is the one that runs the tests."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        return done.stdout

    def output_of_address(self, address: str) -> str:
        """What the server of this bench answers to a browser; addresses name the usual port."""
        address = address.replace(f":{USUAL_PORT}", f":{self._port}")
        return httpx.get(address, headers={"user-agent": CHROME, "accept": "text/html"}, trust_env=False).text

    def _curl(self, words: list[str]) -> str:
        """What the server answers to a call of its API; $TOKEN is the one that was made last."""
        parser = argparse.ArgumentParser()
        parser.add_argument("address")
        parser.add_argument("-H", action="append", default=[])
        parser.add_argument("--json")
        parser.add_argument("--data-binary")
        said = parser.parse_args([word.replace("$TOKEN", self._token) for word in words])
        headers = dict(line.split(": ", 1) for line in said.H)
        body = said.json
        if said.data_binary is not None:
            body = (self.folder / said.data_binary.removeprefix("@")).read_text(encoding="utf-8")
        else:
            headers["Content-Type"] = "application/json"
        address = said.address.replace(f":{USUAL_PORT}", f":{self._port}")
        return httpx.post(address, headers=headers, content=body, trust_env=False).text

    def _serve(self, arguments: list[str]) -> str:
        self._port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "personalize.cli.main", *arguments, "--port", str(self._port)],
            cwd=self.folder,
            env={**_environment(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        printed = []
        for line in server.stdout or ():
            printed.append(line)
            if line.startswith(_LAST_WORDS_OF_SERVE):
                wait_for(self._port)
                break
        return "".join(printed).replace(f":{self._port}", f":{USUAL_PORT}")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens at the port."""
    end = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERSONALIZE_")}
    ours = {"PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", "USER": "ingrid", "COLUMNS": "80"}
    return {**kept, **ours, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _clean_environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(_environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
