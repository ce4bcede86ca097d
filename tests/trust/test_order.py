"""No answer leaves a server before what it says was synced to the disk: the kernel is asked, by strace."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.served.server import free_ports, start, stop, uvicorn, wait_for
from tests.served.test_kills import TOKEN, prepare
from tests.trust.trials import trials

pytestmark = [pytest.mark.trust, pytest.mark.long]
CALLS = trials(100, 1_000)
_SYNC = re.compile(r"f(?:data)?sync(?:\(\d+<[^>]*store\.db-wal>\)| resumed>\)?).* = 0")
_ANSWER = re.compile(r'"HTTP/1\.1 201 ')


def hasty_answers(folder: Path, app: str) -> int:
    """How many calls a server answers with success though nothing was synced since its last answer."""
    if shutil.which("strace") is None:
        pytest.skip("strace is absent: apt-get install strace")
    prepare(folder)
    port, trace = free_ports(1)[0], folder / "trace.txt"
    process = start(uvicorn(app), port, folder, {})
    wait_for(port, process)
    words = ["-f", "-y", "-s", "32", "-e", "trace=fsync,fdatasync,sendto,write", "-o", str(trace)]
    tracer = subprocess.Popen(["strace", *words, "-p", str(process.pid)], stderr=subprocess.PIPE)
    try:
        assert tracer.stderr is not None and b"attached" in tracer.stderr.readline()
        with httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as till:
            for number in range(CALLS):
                told = {"id": f"o{number}", "type": "purchase", "visitor": "u:anna", "properties": {"amount": 1}}
                reply = till.post(f"http://127.0.0.1:{port}/_personalize/api/v1/events", json=told)
                assert reply.status_code == 201
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)
        process.terminate()
        stop(process)
    return _hasty(trace.read_text(encoding="utf-8", errors="replace").splitlines())


def _hasty(lines: list[str]) -> int:
    synced, hasty, answers = False, 0, 0
    for line in lines:
        if _SYNC.search(line):
            synced = True
        elif _ANSWER.search(line):
            answers, hasty, synced = answers + 1, hasty + (not synced), False
    assert answers == CALLS
    return hasty


@pytest.mark.trust(tries=CALLS)
def test_a_sync_of_the_log_lies_before_every_answer(tmp_path: Path) -> None:
    assert hasty_answers(tmp_path, "tests.served.shop:app") == 0


@pytest.mark.planted
def test_a_server_that_answers_first_is_found_out(tmp_path: Path) -> None:
    assert hasty_answers(tmp_path, "tests.served.sites.hasty:app") > 0
