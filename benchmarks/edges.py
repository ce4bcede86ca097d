"""Requests a second of one core: pages filled here, beside nginx and Varnish that put the same pages together.

A page of 20 KB with five slots. We recognise 64 consented visitors, decide by 1,000 rules, fill the page and record it,
under uvicorn. nginx (SSI) and Varnish (ESI) put five fragments of about the same size into a page that they have,
which are the same for everybody and in their cache, or fetched for each page from an nginx on the same core, as
personal ones have to be. Servers run on core 0, wrk on core 1, both kept awake where that is allowed; rounds of all
cases in turn, medians.

    python -m benchmarks.edges [--rounds 5] [--seconds 2]

Needs Linux with two cores, and nginx, Varnish and wrk: `apt-get install nginx-light varnish wrk`.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.awake import awake
from benchmarks.edge_sites import KEY, MARKS
from benchmarks.package_measured import PACKAGE_IN, say_what_is_measured
from benchmarks.shop import SLOTS
from benchmarks.shop_site import Visitor, headers_of, open_shop, page, visitors_of, write_desk
from personalize.runtime.personalizer import Personalizer
from personalize.settings import load_settings

CONNECTIONS = 32
RULES = 1_000
FRAGMENT = f"<article><h2>For you, {{}}</h2><p>{'Words. ' * 30}</p></article>"
NEEDED = {"nginx": "nginx-light", "varnishd": "varnish", "wrk": "wrk", "taskset": "util-linux"}
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin"
_TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
daemon off; master_process off; pid {folder}/nginx-{name}.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile off; keepalive_requests 100000000; default_type text/html;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream fragments {{ server 127.0.0.1:{fragments}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port}; root {folder}/pages;
        location / {{ ssi {ssi}; }}
        location /fetched/ {{
            proxy_pass http://fragments/kept/; proxy_http_version 1.1; proxy_set_header Connection "";
        }}
    }}
}}
"""
VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{fragments}"; }}
sub vcl_recv {{
    unset req.http.Cookie;
    if (req.url ~ "^/fetched/") {{
        set req.url = regsub(req.url, "fetched", "kept");
        return (pass);
    }}
}}
sub vcl_backend_response {{ set beresp.ttl = 1h; set beresp.do_esi = bereq.url ~ "^/esi-"; }}
"""


@dataclass(frozen=True)
class Case:
    """One server with one page: what it is called, where it is, and whose processor time it takes."""

    name: str
    address: str
    processes: Sequence[int]
    is_filled: bool = True


@dataclass(frozen=True)
class Figures:
    """What a round of one case came to."""

    requests_a_second: float
    cpu_microseconds: float


@dataclass(frozen=True)
class Claim:
    """A case told beside another, by how many times as many requests a second; with what is required of it."""

    name: str
    beside: str
    required: float


TOKEN, WRITTEN, BARE = "token marks", "written marks", "bare app"
SSI, SSI_FETCHED = "nginx SSI, cached", "nginx SSI, fetched"
ESI, ESI_FETCHED = "Varnish ESI, cached", "Varnish ESI, fetched"
CLAIMS = (
    Claim(TOKEN, SSI, 0.8),
    Claim(TOKEN, ESI, 1.0),
    Claim(TOKEN, SSI_FETCHED, 2.5),
    Claim(TOKEN, ESI_FETCHED, 2.5),
    Claim(WRITTEN, SSI, 0.45),
    Claim(WRITTEN, ESI, 0.45),
    Claim(WRITTEN, SSI_FETCHED, 1.5),
    Claim(WRITTEN, ESI_FETCHED, 1.5),
)
#: How many times the processor time of the bare app a page may take.
MOST_CPU = {TOKEN: 3.0, WRITTEN: 5.0}


def main(rounds: int, seconds: int) -> None:
    """Serve every case, see that it answers as it should, measure."""
    lacking = missing()
    if lacking:
        sys.exit(lacking)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack, awake():
        folder = Path(name)
        visitors = asyncio.run(prepared(folder))
        cases = list(started(folder, stack))
        script = wrk_script(folder, visitors)
        for case in cases:
            check(case, visitors)
            load(case, script, 1)
        figures: dict[str, list[Figures]] = {case.name: [] for case in cases}
        for number in range(rounds):
            for case in cases[number % len(cases) :] + cases[: number % len(cases)]:
                figures[case.name].append(load(case, script, seconds))
    report(figures)


def missing() -> str | None:
    """What this machine lacks, in a sentence; None where it has all."""
    lacking = [name for name in NEEDED if found(name) is None]
    if lacking:
        return f"Missing: {', '.join(lacking)}. apt-get install {' '.join(NEEDED[name] for name in lacking)}"
    if len(os.sched_getaffinity(0)) < 2:
        return "This needs two cores: servers run on one, and what asks them on the other."
    return None


def found(name: str) -> str | None:
    """The path of a command that Debian may have put where only root looks."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), _PLACES)))


# What is served ----------------------------------------------------------------------------------------


async def prepared(folder: Path) -> list[Visitor]:
    """Rules, visitors with a past, and the pages and fragments of the other servers."""
    rules = write_desk(folder, RULES)
    toml = f'secret_keys = ["{KEY}"]\nstore = "sqlite:store.db"\n'
    (folder / "personalize.toml").write_text(toml, encoding="utf-8")
    settings = load_settings(folder / "personalize.toml", {})
    personalizer = Personalizer(settings)
    visitors = visitors_of(rules, personalizer)
    await open_shop(personalizer, settings, visitors)
    await personalizer.stop()
    kept = folder / "pages" / "kept"
    kept.mkdir(parents=True)
    for slot_id in SLOTS:
        (kept / slot_id).write_text(FRAGMENT.format(slot_id), encoding="utf-8")
    for where in ("kept", "fetched"):
        (kept.parent / f"ssi-{where}").write_bytes(page(lambda one, w=where: f'<!--# include virtual="/{w}/{one}" -->'))  # type: ignore[misc]
        (kept.parent / f"esi-{where}").write_bytes(page(lambda one, w=where: f'<esi:include src="/{w}/{one}"/>'))  # type: ignore[misc]
    return visitors


def started(folder: Path, stack: ExitStack) -> Iterator[Case]:
    """Every server, on core 0."""
    for name, marks in ((BARE, "none"), (TOKEN, "token"), (WRITTEN, "written")):
        port, told = free_port(), {"PERSONALIZE_SETTINGS": str(folder / "personalize.toml"), MARKS: marks}
        words = [sys.executable, "-m", "uvicorn", "benchmarks.edge_sites:app", "--port", str(port)]
        process = stack.enter_context(on_core_0([*words, "--log-level", "error", "--no-access-log"], port, told))
        yield Case(name, f"http://127.0.0.1:{port}/", [process], is_filled=marks != "none")
    fragments, behind = nginx(folder, stack, "fragments", ssi="off")
    port, front = nginx(folder, stack, "front", ssi="on", fragments=fragments)
    yield Case(SSI, f"http://127.0.0.1:{port}/ssi-kept", [front])
    yield Case(SSI_FETCHED, f"http://127.0.0.1:{port}/ssi-fetched", [front, behind])
    port = free_port()
    (folder / "shop.vcl").write_text(VCL.format(fragments=fragments), encoding="utf-8")
    words = [str(found("varnishd")), "-F", "-j", "none", "-n", str(folder / "varnish"), "-T", "none"]
    listen = ["-s", "malloc,64m", "-a", f"127.0.0.1:{port}", "-f", str(folder / "shop.vcl")]
    varnish = stack.enter_context(on_core_0([*words, *listen], port))
    yield Case(ESI, f"http://127.0.0.1:{port}/esi-kept", [varnish])
    yield Case(ESI_FETCHED, f"http://127.0.0.1:{port}/esi-fetched", [varnish, behind])


def nginx(folder: Path, stack: ExitStack, name: str, *, ssi: str, fragments: int = 9) -> tuple[int, int]:
    """One nginx; its port and its process."""
    port = free_port()
    text = NGINX.format(folder=folder, name=name, port=port, ssi=ssi, fragments=fragments)
    path = folder / f"{name}.conf"
    path.write_text(text, encoding="utf-8")
    words = [str(found("nginx")), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(path)]
    return port, stack.enter_context(on_core_0(words, port))


@contextmanager
def on_core_0(words: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server that listens; its process."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", *words],
        cwd=PACKAGE_IN,
        env={**os.environ, **(environment or {})},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            if answers(port):
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{words[0]} did not start")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def answers(port: int) -> bool:
    """Whether somebody listens on this port."""
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# What is measured --------------------------------------------------------------------------------------


def check(case: Case, visitors: Sequence[Visitor]) -> None:
    """See that the page has all of its slots filled, or none."""
    headers = {name.decode(): value.decode() for name, value in headers_of(visitors[0].cookies)}
    with urllib.request.urlopen(urllib.request.Request(case.address, headers=headers)) as answer:
        body = answer.read()
    wanted = len(SLOTS) if case.is_filled else 0
    assert body.count(b"For you, place-") == wanted, f"{case.name}: not every slot was filled"
    assert len(body) > 19_000, f"{case.name}: the page is too short"


def wrk_script(folder: Path, visitors: Sequence[Visitor]) -> Path:
    """What lets wrk send the requests of all visitors in turn."""
    lines = ["local requests, number = {}, 0", "init = function(arguments)"]
    for visitor in visitors:
        told = ", ".join(
            f'["{name.decode().title()}"] = "{value.decode()}"' for name, value in headers_of(visitor.cookies)
        )
        lines.append(f"  table.insert(requests, wrk.format('GET', arguments[1], {{{told}}}))")
    lines += ["end", "request = function()", "  number = number % #requests + 1", "  return requests[number]", "end"]
    path = folder / "visitors.lua"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def load(case: Case, script: Path, seconds: int) -> Figures:
    """Ask as fast as it answers, for so long."""
    words = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    words += [case.address, "--", urlsplit(case.address).path]
    before = cpu_seconds(case.processes)
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    cpu = cpu_seconds(case.processes) - before
    requests = int(told.partition(" requests in")[0].split()[-1])
    if "Non-2xx" in told or not requests:
        raise RuntimeError(f"{case.name}: {told}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert rate is not None
    return Figures(float(rate[1]), cpu / requests * 1e6)


def cpu_seconds(roots: Sequence[int]) -> float:
    """Processor time of these processes and of all that they started."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        number = int(path.parent.name)
        parents[number], spent[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = set(roots)
    while grown := {number for number, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(spent.get(number, 0) for number in family) / _TICKS


def report(figures: Mapping[str, Sequence[Figures]]) -> None:
    """Print the median of every case, and what is claimed of ours."""
    print(f"{'':<22}{'requests/s':>11}{'CPU us':>9}{'of bare':>9}")
    for name, rounds in figures.items():
        rate = statistics.median(one.requests_a_second for one in rounds)
        cpu = statistics.median(one.cpu_microseconds for one in rounds)
        print(f"{name:<22}{rate:>11,.0f}{cpu:>9.1f}{_cpu_of_bare(figures, name):>9.2f}")
    print()
    for claim in CLAIMS:
        pairs = zip(figures[claim.name], figures[claim.beside], strict=True)
        ratio = statistics.median(one.requests_a_second / other.requests_a_second for one, other in pairs)
        print(f"{claim.name:<15}{ratio:>6.2f} of {claim.beside:<21} at least {claim.required}")
    for name, most in MOST_CPU.items():
        print(f"{name:<15}{_cpu_of_bare(figures, name):>6.2f} of the CPU time of the {BARE}, at most {most}")


def _cpu_of_bare(figures: Mapping[str, Sequence[Figures]], name: str) -> float:
    pairs = zip(figures[name], figures[BARE], strict=True)
    return statistics.median(one.cpu_microseconds / bare.cpu_microseconds for one, bare in pairs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    arguments = parser.parse_args()
    say_what_is_measured()
    main(arguments.rounds, arguments.seconds)
