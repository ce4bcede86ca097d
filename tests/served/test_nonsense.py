"""Nonsense is sent to the API over raw sockets: every answer is a refusal or none, and the next good call goes well."""

import base64
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.served.described import prepared
from tests.served.server import PACKAGE_IN, free_ports, stop, wait_for
from tests.trust.trials import SEED, trials

#: How much is sent.
SENT = trials(300, 30_000)
ROOT = "/_personalize/api/v1"
PATHS = (
    "/events",
    "/events/batch",
    "/events/stream",
    "/decisions",
    "/profiles/read",
    "/browser/events",
    "/openapi.json",
)
LONGEST_ANSWER_SECONDS = 5
MOST_GROWTH_BYTES = 20_000_000


@dataclass
class Site:
    """A served site, and all that its server has printed."""

    port: int
    token: str
    process: "subprocess.Popen[bytes]"
    printed: Path

    @property
    def memory(self) -> int:
        """How much memory the server has, in bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def is_well(self) -> bool:
        """Whether a good call is answered, at once."""
        headers = {"authorization": f"Bearer {self.token}"}
        body = {"visitor": "u:anna", "slots": ["hero"]}
        told = httpx.post(f"http://127.0.0.1:{self.port}{ROOT}/decisions", headers=headers, json=body, timeout=2)
        return told.status_code == 200


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, in one process whose words are kept."""
    folder = tmp_path_factory.mktemp("fuzzed")
    tokens = prepared(folder)
    with listening(folder, tokens["everything"]) as served:
        yield served


@contextmanager
def listening(folder: Path, token: str, app: str = "tests.served.sites.api_shop:app") -> Iterator[Site]:
    port, printed = free_ports(1)[0], folder / "printed.txt"
    command = ["uvicorn", app, "--port", str(port), "--log-level", "warning"]
    with printed.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PACKAGE_IN,
            env={**os.environ, "PERSONALIZE_SETTINGS": str(folder / "personalize.toml")},
            stderr=words,
            start_new_session=True,
        )
        try:
            wait_for(port, process)
            yield Site(port, token, process, printed)
        finally:
            process.terminate()
            stop(process)


class Nonsense:
    """Requests that are nearly right, each in a few places wrong."""

    def __init__(self, dice: random.Random, token: str) -> None:
        self._dice = dice
        self._token = token

    def request(self) -> bytes:
        """The bytes of one."""
        dice = self._dice
        body = self._body()
        method = dice.choice(("POST", "POST", "POST", "GET", "PUT", "po\tst"))
        lines = [f"{method} {self._path()} HTTP/1.1".encode("latin-1")]
        lines += [b"Host: x", b"Content-Type: " + dice.choice((b"application/json", b"application/x-ndjson", b"\xff"))]
        lines += self._length(body)
        lines += [self._header() for _ in range(dice.randrange(4))]
        if dice.random() < 0.8:
            lines.append(f"Authorization: Bearer {self._shown()}".encode("latin-1"))
        dice.shuffle(lines[1:])
        made = b"\r\n".join(lines) + b"\r\n\r\n" + body
        return self._broken(made) if dice.random() < 0.2 else made

    def _path(self) -> str:
        path = ROOT + self._dice.choice(PATHS)
        return self._dice.choice((path, path, path, path + "/..", path + "?x=%00", path + "%ff", path * 50, "//", "*"))

    def _shown(self) -> str:
        token = self._token
        return self._dice.choice((token, token, token, token[:-1], token + "=", "", "\xff" * 50, "x" * 5_000))

    def _length(self, body: bytes) -> list[bytes]:
        choice = self._dice.random()
        if choice < 0.75:
            return [b"Content-Length: %d" % len(body)]
        if choice < 0.85:
            return [b"Transfer-Encoding: chunked"]
        return [b"Content-Length: " + self._dice.choice((b"0", b"-1", b"1e3", b"9" * 30, b"5, 5", b""))]

    def _header(self) -> bytes:
        signed = base64.urlsafe_b64encode(self._dice.randbytes(40))
        return self._dice.choice(
            (
                b"Cookie: pz=v" + signed + b"; pz_consent=measure.personalize",
                b"Cookie: pz=" + b"A" * 8_000,
                b"Cookie: pz=a\x00b; pz=c; =; ;;",
                b"Sec-Fetch-Site: same-origin",
                b"Origin: http://x",
                b"Origin: http://[",
                b"Authorization: Basic eHg6eHg=",
                b"X-Forwarded-For: 1.1.1.1",
                b"Content-Encoding: gzip",
            )
        )

    def _body(self) -> bytes:
        dice = self._dice
        value = dice.choice((None, -1, 10**40, 1e308, "", "\u0000", "\ud800", "x" * 2_000, [], {}, [[[]]], True))
        event = {"id": "e", "type": "purchase", "visitor": "u:anna", "properties": {"amount": 1}}
        event[dice.choice((*event, "at", "channel", "x", "slots", "page", "consent"))] = value  # type: ignore[assignment]
        made = json.dumps(dice.choice((event, {"events": [event, value]}, value, [event]))).encode()
        return dice.choice((made, made, made + b"\n" + made, made[:-2], b"\xff" + made, b"[" * 2_000, made * 20, b""))

    def _broken(self, made: bytes) -> bytes:
        dice, at = self._dice, self._dice.randrange(len(made))
        return made[:at] + dice.choice((b"", dice.randbytes(4), b"\r\n", b"\x00")) + made[at + dice.randrange(9) :]


def answer_to(port: int, request: bytes) -> bytes:
    """What is answered on a connection of its own, whose sending side is then closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_ANSWER_SECONDS) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65_536)
        except (ConnectionResetError, BrokenPipeError):
            return b""


@pytest.mark.trust(tries=SENT)
def test_no_nonsense_breaks_a_worker(site: Site) -> None:
    send_nonsense(site)


@pytest.mark.long
@pytest.mark.trust
@pytest.mark.planted
def test_a_server_that_trips_over_odd_bytes_is_found_out(tmp_path: Path) -> None:
    tokens = prepared(tmp_path)
    with (
        listening(tmp_path, tokens["everything"], "tests.served.sites.brittle:app") as site,
        pytest.raises(AssertionError),
    ):
        send_nonsense(site)


def send_nonsense(site: Site) -> None:
    """All of it; after each hundred a good call goes well."""
    nonsense = Nonsense(random.Random(SEED), site.token)
    assert site.is_well()
    before = site.memory
    for number in range(SENT):
        request = nonsense.request()
        status = answer_to(site.port, request)[9:12]
        assert not status.startswith(b"5"), (SEED, number, status, request[:2_000])
        if number % 100 == 99:
            assert site.is_well()
    assert site.process.poll() is None
    assert b"Traceback" not in site.printed.read_bytes()
    assert site.memory - before < MOST_GROWTH_BYTES


def test_whoever_begins_a_body_and_stops_is_let_go_of(site: Site) -> None:
    head = (
        f"POST {ROOT}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(head.encode())
        with connection.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 408 ")  # to its end: the connection is closed
    assert time.monotonic() - begun < 5
