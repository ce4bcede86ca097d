"""Workers are killed while a till sends: what was answered with success is there, and counts once."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from personalize.runtime.access import digest_of, minted_token
from personalize.runtime.clock import SystemClock
from personalize.stores.protocols import AccessToken, Store
from tests.served.described import with_store
from tests.served.server import free_ports, start, stop, uvicorn, wait_for, wait_until_free
from tests.served.test_workers import logged, publish_desk, stored
from tests.trust.trials import trials

pytestmark = pytest.mark.trust
KILLS = trials(2, 1_000)
#: Of so many kills one takes the whole server, the others one of its workers.
_WHOLE_EVERY = 4
TILLS = 4
TOKEN = minted_token(bytes(32))


@dataclass
class Journal:
    """What the tills have sent, and what they were told: kept by them, not by the server."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    rounds: list[str] = field(default_factory=list)


@dataclass
class Tills:
    """Some tills that send without a pause. Each sends an event again, under its id, until it is told of it."""

    address: str
    journal: Journal = field(default_factory=Journal)
    _closing: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def sending(self) -> Iterator[Journal]:
        """They send for as long as the block runs."""
        threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(TILLS)]
        for thread in threads:
            thread.start()
        try:
            yield self.journal
        finally:
            self._closing.set()
            for thread in threads:
                thread.join(timeout=30)

    def _send(self, till: int) -> None:
        number, client = 0, httpx.Client(timeout=3)
        while not self._closing.is_set():
            name = f"{till}-{number}"
            self.journal.sent.add(name)
            try:
                told = client.post(
                    f"{self.address}/_personalize/api/v1/events",
                    headers={"authorization": f"Bearer {TOKEN}"},
                    json={"id": name, "type": "purchase", "visitor": "u:anna", "properties": {"amount": 1}},
                )
            except httpx.TransportError:
                client.close()
                client = httpx.Client(timeout=3)
                continue
            if told.status_code in (200, 201):
                self.journal.acknowledged.add(name)
                number += 1
            else:
                assert told.status_code == 503, told.text
                time.sleep(0.05)
        client.close()


def kill_again_and_again(folder: Path, app: str, *, kills: int, seed: int) -> Journal:
    """Kill a worker, or now and then the whole server, at random moments while the tills send; what they noted."""
    dice, port = random.Random(seed), free_ports(1)[0]
    server = uvicorn(app, "--workers", "2")
    process = start(server, port, folder, {})
    try:
        wait_for(port, process)
        tills = Tills(f"http://127.0.0.1:{port}")
        with tills.sending() as journal:
            for number in range(kills):
                _wait_for_more(journal, process)
                time.sleep(dice.uniform(0, 0.1))
                if number % _WHOLE_EVERY == 0:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    wait_until_free(port)  # its workers, killed with it, may hold the port for another moment
                    process = start(server, port, folder, {})
                else:
                    os.kill(dice.choice(workers_of(process)), signal.SIGKILL)
            _wait_for_more(journal, process)
        return journal
    finally:
        process.terminate()
        stop(process)


def _wait_for_more(journal: Journal, process: "subprocess.Popen[bytes]") -> None:
    """Until the tills have been told of some more, so that a kill always meets work, and workers have come back."""
    before, until = len(journal.acknowledged), time.monotonic() + 60
    while len(journal.acknowledged) < before + 20 or len(workers_of(process)) < 2:
        assert time.monotonic() < until, f"{len(journal.acknowledged)} events, workers {workers_of(process)}"
        time.sleep(0.01)


def workers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    """The workers of a server, as the kernel knows them; without the process that counts what they share."""
    with suppress(OSError):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        return [int(pid) for pid in children if b"resource_tracker" not in _command_of(pid)]
    return []


def _command_of(pid: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"resource_tracker"


def prepare(folder: Path) -> None:
    """Publish a desk, and let the tills in."""
    publish_desk(folder)

    async def let_in(store: Store) -> None:
        now = SystemClock().now()
        await store.keep_token(AccessToken(digest_of(TOKEN), "till", frozenset({"events:write"}), now, used_at=now))

    with_store(folder, let_in)


def lost(folder: Path, journal: Journal) -> set[str]:
    """What the tills were told was kept, and was not."""
    return journal.acknowledged - {event.event_id for event in logged(folder)}


@pytest.mark.trust(tries=KILLS)
def test_what_was_acknowledged_survives_kills_and_counts_once(tmp_path: Path) -> None:
    prepare(tmp_path)
    journal = kill_again_and_again(tmp_path, "tests.served.shop:app", kills=KILLS, seed=1)
    events = [event.event_id for event in logged(tmp_path)]
    profile = stored(tmp_path, "u:anna")
    assert profile is not None
    assert lost(tmp_path, journal) == set()
    assert set(events) <= journal.sent
    assert len(events) == len(set(events)) == profile.totals["purchase"].count == profile.totals["purchase"].sum // 100
    assert len(journal.acknowledged) >= 20 * KILLS


@pytest.mark.planted
def test_a_site_that_answers_before_it_has_written_is_found_out(tmp_path: Path) -> None:
    prepare(tmp_path)
    journal = kill_again_and_again(tmp_path, "tests.served.sites.hasty:app", kills=1, seed=1)
    assert lost(tmp_path, journal)
