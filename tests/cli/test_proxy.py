"""`proxy`: what is said before it begins, and a real site of static files behind it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.serving import free_port, served
from tests.cli.terminal import Terminal

PAGE = '<!doctype html><title>Records</title><section data-slot="home-hero"><p>Our own picture</p></section>'


@contextmanager
def static_files(folder: Path) -> Iterator[str]:
    """Python's own server for a folder; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_until_answers(address: str) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_static_files_are_personalised_and_the_rest_is_as_it_was(sold: Terminal) -> None:
    picture = bytes(range(256)) * 300
    (sold.folder / "www").mkdir()
    (sold.folder / "www" / "index.html").write_text(PAGE, encoding="utf-8")
    (sold.folder / "www" / "a b.png").write_bytes(picture)
    sold.change("rules/slots.yaml", "segment: recent-buyers", "page.path: /")
    sold.well("publish")
    with static_files(sold.folder / "www") as behind:
        wait_until_answers(behind)
        with served(sold.folder, behind, command="proxy") as site:
            said = " ".join(site.printed.split())
            assert said.startswith(f"Standing before {behind} on {site.address} What is served is the rule set ")
            page = httpx.get(f"{site.address}/?utm_source=letter&mail=me@example.org")
            assert "Our own picture" not in page.text and "<title>Records</title>" in page.text
            assert page.headers["cache-control"] == "private, no-store"
            assert page.headers.get_list("server") == [httpx.get(behind).headers["server"]]
            assert len(page.headers.get_list("date")) == 1
            with httpx.Client() as bare, httpx.Client() as proxied:
                found, expected = proxied.get(f"{site.address}/a%20b.png"), bare.get(f"{behind}/a%20b.png")
            assert found.content == expected.content == picture
            assert found.headers.raw == [(name.lower(), value) for name, value in expected.headers.raw]
            assert httpx.get(f"{site.address}/_personalize/health").json()["slots"]["home-hero"] == {"filled": 1}
            log = ends_soon(site.process)
            assert '"GET / HTTP/1.1" 200' in log and "example.org" not in log


def ends_soon(process: "subprocess.Popen[str]") -> str:
    """Stop a server as Ctrl+C does; what it had printed."""
    asked_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=20)
    assert time.monotonic() - asked_at < 10
    return printed


def test_a_site_that_is_not_there_yet_is_told_of_and_a_request_that_hangs_does_not_keep_the_command(
    sold: Terminal,
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = sold.folder / "personalize.toml"
        settings.write_text(f'{settings.read_text()}\n[proxy]\nupstream = "{address}"\n', encoding="utf-8")
        with served(sold.folder, command="proxy") as site:
            said = " ".join(site.printed.split())
            assert f"Nothing answers at {address} yet: visitors get an error page (502) until something does." in said
            assert httpx.get(site.address).status_code == 502
            silent.listen()
            with socket.create_connection(("127.0.0.1", int(site.address.rpartition(":")[2]))) as visitor:
                visitor.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                with silent.accept()[0]:
                    log = ends_soon(site.process)
    assert "Cancel 1 running task(s)" in log and "Traceback" not in log


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("localhost:9000",), "it takes an address such as http://127.0.0.1:9000, without a path.\n"),
        (("http://localhost:9000/app",), "it takes an address such as http://127.0.0.1:9000, without a path.\n"),
        (("http://localhost:99999",), "a port is a number from 1 to 65,535.\n"),
        (("http://a", "--upstream-host", "a b"), "it takes a host such as shop.example or shop.example:8080.\n"),
        ((), 'or write it in the settings: upstream = "..." in the section [proxy].\n'),
        (("http://127.0.0.1:8000",), "http://127.0.0.1:8000 would be a proxy for itself; serve on another --port.\n"),
    ],
)
def test_an_address_that_cannot_be_meant_is_explained(shop: Terminal, arguments: tuple[str, ...], said: str) -> None:
    assert shop.said("proxy", *arguments, exit_code=2).endswith(said)


def test_files_with_an_error_are_listed_first(shop: Terminal) -> None:
    shop.change("rules/slots.yaml", "segment: recent-buyers", "segment: recent-buyer")
    assert "error[E222]" in shop.said("proxy", "http://127.0.0.1:9000", exit_code=1)
