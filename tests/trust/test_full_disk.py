"""A site whose disk is full, over HTTP: pages go on, nothing is said to be kept that is not, and it heals by itself."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path

import httpx
import pytest

from tests.conftest import REPOSITORY
from tests.served.server import served
from tests.served.test_kills import TOKEN, prepare
from tests.served.test_workers import logged
from tests.trust.trials import trials

pytestmark = pytest.mark.trust
EVENTS = trials(10, 500)
HEALED_WITHIN_SECONDS = 5


class Till:
    """Sends events and notes what it is told."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = httpx.Client(timeout=30)
        self._sent = 0
        self.acknowledged: set[str] = set()

    def send(self) -> int:
        """Send the next event; the status of the answer."""
        name = f"d{self._sent}"
        self._sent += 1
        told = {"id": name, "type": "purchase", "visitor": "u:anna", "properties": {"amount": 1}}
        headers = {"authorization": f"Bearer {TOKEN}"}
        reply = self._http.post(f"{self._address}/_personalize/api/v1/events", json=told, headers=headers)
        if reply.is_success:
            self.acknowledged.add(name)
        return reply.status_code

    def page(self) -> str:
        """A page, which has to be served."""
        reply = self._http.get(f"{self._address}/?utm_source=newsletter", headers={"accept": "text/html"})
        assert reply.status_code == 200
        return reply.text

    def health(self) -> str:
        """What the site says of itself."""
        return self._http.get(f"{self._address}/_personalize/health").text

    def close(self) -> None:
        """Send no more."""
        self._http.close()


def disk(folder: Path, library: Path) -> dict[str, str]:
    """What makes the disk of a process full while the file `full` exists."""
    return {
        "LD_PRELOAD": str(library),
        "DISK_FOLDER": f"{folder}/store.db",
        "DISK_FAILS": str(folder / "full"),
        "DISK_ERRNO": str(ENOSPC),
    }


@contextmanager
def on_a_disk(folder: Path, library: Path, app: str) -> Iterator[tuple[Till, Path]]:
    """A served site on a disk that is full while a file exists."""
    prepare(folder)
    with served(folder, app=app, **disk(folder, library)) as address:
        till = Till(address)
        yield till, folder / "full"
        till.close()


def publish(folder: Path, library: Path) -> "subprocess.CompletedProcess[str]":
    """Publish the files of the site by the command, on the same disk."""
    given = {**os.environ, **disk(folder, library), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "personalize.cli.main", "publish", "--by", "Ingrid"]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def lost(folder: Path, till: Till) -> set[str]:
    """What the till was told is kept, and is not."""
    return till.acknowledged - {event.event_id for event in logged(folder)}


@pytest.mark.trust(tries=EVENTS)
def test_while_the_disk_is_full_pages_are_served_events_refused_and_after_it_all_goes_on(
    tmp_path: Path, library: Path
) -> None:
    with on_a_disk(tmp_path, library, "tests.served.shop:app") as (till, full):
        assert {till.send() for _ in range(EVENTS)} == {201}
        full.touch()
        assert {till.send() for _ in range(EVENTS)} == {503}
        assert "From the letter" in till.page()
        assert "a call of the API could not be answered" in till.health()
        full.unlink()
        freed_at = time.monotonic()
        while till.send() != 201:
            assert time.monotonic() - freed_at < HEALED_WITHIN_SECONDS
        assert {till.send() for _ in range(EVENTS)} == {201}
    assert lost(tmp_path, till) == set()
    assert len(logged(tmp_path)) == len(till.acknowledged)


@pytest.mark.long
def test_what_is_published_on_a_full_disk_is_refused_and_what_was_live_stays(tmp_path: Path, library: Path) -> None:
    with on_a_disk(tmp_path, library, "tests.served.shop:app") as (till, full):
        item = tmp_path / "content" / "things" / "letter.md"
        item.write_text(item.read_text(encoding="utf-8").replace("From the letter", "From the newer letter"))
        full.touch()
        refused = publish(tmp_path, library)
        assert refused.returncode != 0 and "the disk is full" in refused.stdout + refused.stderr
        assert "From the letter" in till.page()
        full.unlink()
        done = publish(tmp_path, library)
        assert done.returncode == 0, done.stdout + done.stderr
        published_at = time.monotonic()
        while "From the newer letter" not in till.page():
            assert time.monotonic() - published_at < HEALED_WITHIN_SECONDS


@pytest.mark.planted
def test_a_site_that_answers_before_the_disk_has_is_found_out(tmp_path: Path, library: Path) -> None:
    with on_a_disk(tmp_path, library, "tests.served.sites.hasty:app") as (till, full):
        full.touch()
        assert 201 in {till.send() for _ in range(3)}
    assert lost(tmp_path, till)
