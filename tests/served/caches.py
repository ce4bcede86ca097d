"""Real nginx and Varnish on free ports of this machine, with the configuration that `docs/operators.md` shows."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.docs.blocks import blocks_of
from tests.served.server import free_ports, stop, wait_for

PAGE = "docs/operators.md"
#: What the page has, and every one of these servers gets otherwise.
USUAL_APP = "http://127.0.0.1:8000"
USUAL_PORT = "listen 80;"
USUAL_FOLDER = "/var/cache/nginx/shop keys_zone=shop:10m"
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin"


def find_server(name: str) -> str | None:
    """The path of a server that Debian installs where only root looks."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), _PLACES)))


def config(file: str) -> str:
    """A configuration as the page shows it."""
    (block,) = [block for block in blocks_of(PAGE) if block.file == file]
    return block.text


@contextmanager
def nginx(folder: Path, app: str, files: Mapping[str, str], *, without_slots: str = "") -> Iterator[dict[str, str]]:
    """One nginx with a server for each of these configurations, by name; gives their addresses, by name.

    That of the name `without_slots` gets its pages from the site, and finds nobody there for its slots.
    """
    command = find_server("nginx")
    assert command is not None
    ports = dict(zip(files, free_ports(len(files)), strict=True))
    servers = {name: _nginx_server(config(file), app, name, ports[name], folder) for name, file in files.items()}
    if without_slots:
        pages, slots, rest = servers[without_slots].partition("location /_personalize/")
        servers[without_slots] = pages + slots + replaced(rest, {app: "http://127.0.0.1:9"})
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    text = (
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {temporary}\n{''.join(servers.values())}\n}}\n"
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    words = [command, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(words, start_new_session=True)
    try:
        for port in ports.values():
            wait_for(port, process)
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    finally:
        process.terminate()
        stop(process)


def _nginx_server(text: str, app: str, name: str, port: int, folder: Path) -> str:
    return replaced(
        text,
        {
            USUAL_APP: app,
            USUAL_PORT: f"listen 127.0.0.1:{port};",
            USUAL_FOLDER: f"{folder}/cache-{name} keys_zone={name}:1m",
            "proxy_cache shop;": f"proxy_cache {name};",
        },
    )


@contextmanager
def varnish(folder: Path, app: str, files: Mapping[str, str | None]) -> Iterator[dict[str, str]]:
    """A Varnish for each of these configurations, None for its own; gives their addresses, by name."""
    command = find_server("varnishd")
    assert command is not None
    backend = app.removeprefix("http://")
    ports = dict(zip(files, free_ports(len(files)), strict=True))
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, file in files.items():
            own = folder / f"varnish-{name}"
            own.mkdir()
            told = ["-b", backend] if file is None else ["-f", str(_vcl(own, config(file), backend))]
            words = [command, "-F", "-j", "none", "-n", str(own), "-T", "none", "-s", "malloc,16m"]
            listen = ["-a", f"127.0.0.1:{ports[name]}", *told]
            started.append(subprocess.Popen([*words, *listen], stderr=subprocess.DEVNULL, start_new_session=True))
        for process, port in zip(started, ports.values(), strict=True):
            wait_for(port, process)
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    finally:
        for process in started:
            process.terminate()
        for process in started:
            stop(process)


def _vcl(folder: Path, text: str, backend: str) -> Path:
    path = folder / "shop.vcl"
    port = backend.partition(":")[2]
    path.write_text(replaced(text, {'.port = "8000"': f'.port = "{port}"'}), encoding="utf-8")
    return path


def replaced(text: str, others: Mapping[str, str]) -> str:
    """The text with some of its words replaced; each of them has to be there."""
    for word, other in others.items():
        assert word in text, f"{PAGE}: {word} is missing in a configuration"
        text = text.replace(word, other)
    return text
