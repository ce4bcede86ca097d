"""What personalize needs of others: pinned, under licences that anybody may use it by, and nothing fetched while a site
runs.
"""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.trust
#: Extras for those who work on personalize, or by means of a cluster that brings its own.
NOT_AT_A_SITE = frozenset({"bench", "example", "lint", "spark", "test"})
#: By what a package's own metadata say: each permits any use, asking at most to publish changes of its own files.
LICENCES = re.compile(
    r"MIT( License)?|BSD License|BSD-[23]-Clause|Apache[ -](2\.0|License, Version 2\.0|Software License)|PSF-2\.0"
    r"|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)|Public Domain"
)


def needed() -> dict[str, metadata.Distribution]:
    """Each package that a site installs with personalize and any extra of it, by its name."""
    extras = set(metadata.metadata("personalize").get_all("Provides-Extra") or ()) - NOT_AT_A_SITE
    found: dict[str, metadata.Distribution] = {}
    waiting = [("personalize", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        distribution = metadata.distribution(name)
        found[canonicalize_name(name)] = distribution
        for requirement in map(Requirement, distribution.requires or ()):
            asked = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in (*wanted, "")
            )
            if asked and canonicalize_name(requirement.name) not in found:
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


def licences_of(distribution: metadata.Distribution) -> list[str]:
    """What a package says of its licence: an expression, its classifiers, or a word."""
    told = distribution.metadata
    if expression := told.get("License-Expression"):
        return [part for part in re.split(r" AND | OR |[()]", expression) if part]
    classifiers = [
        each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License")
    ]
    return classifiers or (told.get("License") or "none").splitlines()[:1]


def test_every_package_that_a_site_needs_may_be_used_by_anybody() -> None:
    strange = {
        name: licences
        for name, distribution in needed().items()
        if not all(map(LICENCES.fullmatch, licences := licences_of(distribution)))
    }
    assert strange == {}
    assert len(needed()) > 20


def test_every_package_that_a_site_needs_is_pinned() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    installed = {name: distribution.version for name, distribution in needed().items() if name != "personalize"}
    assert {name: version for name, version in installed.items() if pins.get(name, "").split(" ")[0] != version} == {}


#: Imports all there is, publishes, serves pages and stops; whoever looks for a name or connects anywhere is told.
SITE = """
import asyncio, importlib, pkgutil, sys
from pathlib import Path

went_out = []
def listen(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        went_out.append((event, str(arguments[-1] if event == "socket.connect" else arguments[0])))
sys.addaudithook(listen)

import personalize
for module in pkgutil.walk_packages(personalize.__path__, "personalize."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from starlette.applications import Starlette
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.web.test_faults import a_known_buyer, site
from personalize.wrap import wrap

async def scene(folder):
    write_desk(folder)
    app = wrap(site(), desk_settings(folder))
    async with running(app):
        await published(app)
        browser = await a_known_buyer(app)
        for path in ("/", "/_personalize/you", "/_personalize/health"):
            await browser.get(path)
        await written(app)

asyncio.run(scene(Path(sys.argv[1])))
PLANTED
print(went_out)
"""


def what_goes_out(folder: Path, planted: str = "") -> str:
    """Whom a site and all modules of the package turn to, as a list in Python's words."""
    program = SITE.replace("PLANTED", planted)
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.long
def test_nothing_is_fetched_while_a_site_runs(tmp_path: Path) -> None:
    assert what_goes_out(tmp_path) == "[]"


@pytest.mark.long
@pytest.mark.planted
def test_a_site_that_asks_another_machine_is_found_out(tmp_path: Path) -> None:
    planted = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    assert "192.0.2.1" in what_goes_out(tmp_path, planted)
