"""README.md: each of its blocks is done as a newcomer would do it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import REPOSITORY
from tests.docs.bench import CHROME, LONGEST_SECONDS, USUAL_PORT, Bench, free_port, wait_for
from tests.docs.blocks import blocks_of

PAGE = "README.md"


def test_the_five_minutes_go_as_the_page_says(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        for block in blocks_of(PAGE):
            if block.language == "console":
                bench.run(block)
            elif block.file is not None:
                bench.write(block)
            else:
                assert block.language == "sh", f"{block.where}: who runs this block?"
        page = bench.output_of_address(f"http://127.0.0.1:{USUAL_PORT}/")
        assert "Free delivery over 100 euros." in page
        assert "You read our letter" not in page


@pytest.mark.parametrize("block", [one for one in blocks_of(PAGE) if one.language == "sh"], ids=lambda one: one.where)
def test_the_commands_of_the_checkout_are_targets_of_make(block) -> None:  # type: ignore[no-untyped-def]
    for line in block.text.splitlines():
        command = line.partition("#")[0].split()
        assert command[0] == "make"
        done = subprocess.run(["make", "-n", *command[1:]], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        assert f"dev.py {command[1]}" in done.stdout


def test_the_demo_prints_three_addresses_and_they_answer(tmp_path: Path) -> None:
    """What `make demo` starts, with a store and a key of its own."""
    port = free_port()
    shop = subprocess.Popen(
        [sys.executable, "-m", "example_site"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PORT": str(port),
            "PERSONALIZE_STORE": f"sqlite:{tmp_path / 'shop.db'}",
            "PERSONALIZE_KEY_FILE": str(tmp_path / "key"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(port)
        pages = {
            path: httpx.get(f"http://127.0.0.1:{port}{path}", headers={"user-agent": CHROME, "accept": "text/html"})
            for path in ("/", "/?utm_source=newsletter", "/login")
        }
    finally:
        shop.send_signal(signal.SIGINT)
        printed, _ = shop.communicate(timeout=LONGEST_SECONDS)
    for path, reply in pages.items():
        assert f"http://127.0.0.1:{port}{path} " in printed
        assert reply.status_code == 200
    assert "You read our letter to the end." in pages["/?utm_source=newsletter"].text
    assert "You read our letter to the end." not in pages["/"].text
