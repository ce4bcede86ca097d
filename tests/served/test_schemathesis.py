"""Schemathesis reads the description of the API, and finds nothing that it does not keep to, whoever calls.

`make test` asks little of it; `make trust` asks as every role, and a hundred times as much.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from personalize.api.operations import OPERATIONS
from tests.conftest import REPOSITORY
from tests.served.described import Described, agreed, described
from tests.trust.trials import IS_LONG, trials

EXAMPLES = trials(2, 300)
pytestmark = pytest.mark.trust(tries=EXAMPLES * len(OPERATIONS))
SHORT_ROLES = ("everything", "a page of the site")
_KEYS = {"token": "bearer"}
#: A body that is too large is refused before anybody looks whether it fits.
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """The site, once for all roles."""
    with described(tmp_path_factory.mktemp("site")) as served:
        yield served


def logins_of(site: Described) -> Mapping[str, Mapping[str, str]]:
    """What each role shows, by the names that the description has for it."""
    cookies = agreed(site.address)
    return {
        **{name: {"token": token} for name, token in site.tokens.items()},
        "a page of the site": {"visitor": cookies["pz"], "consent": cookies["pz_consent"]},
        "nobody": {},
    }


def test_nothing_is_found_whoever_calls(site: Described, tmp_path: Path) -> None:
    description = tmp_path / "openapi.json"
    description.write_text(site.description, encoding="utf-8")
    with ExitStack() as running:
        runs = {
            role: running.enter_context(run(site, tmp_path, role, login))
            for role, login in logins_of(site).items()
            if IS_LONG or role in SHORT_ROLES
        }
        printed = {role: process.communicate(timeout=3_600 if IS_LONG else 100)[0] for role, process in runs.items()}
    failed = {role: text[-6_000:] for role, text in printed.items() if runs[role].returncode != 0}
    assert not failed, "\n".join(f"=== {role}\n{text}" for role, text in failed.items())
    assert f"{len(OPERATIONS)} selected / {len(OPERATIONS)} total" in printed["everything"]


@pytest.mark.long
@pytest.mark.planted
def test_an_answer_that_is_not_described_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with described(tmp_path / "site", app="tests.served.sites.undescribed:app") as site:
        (tmp_path / "openapi.json").write_text(site.description, encoding="utf-8")
        with run(site, tmp_path, "everything", {"token": site.everything}) as process:
            printed, _ = process.communicate(timeout=3_600)
    assert process.returncode != 0 and "206" in printed, printed[-3_000:]


def run(site: Described, folder: Path, role: str, login: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Schemathesis, as one caller."""
    config = folder / f"{role.replace(':', '-')}.toml"
    shown = [f"[auth.openapi.{name}]\n{_KEYS.get(name, 'api_key')} = {json.dumps(key)}" for name, key in login.items()]
    config.write_text("\n".join([CONFIG, *shown]), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", "openapi.json"]
    command += ["--url", site.root, "--no-color", "--max-examples", str(EXAMPLES), "--warnings", "off"]
    # A long run draws other cases each time, and may do so on a machine that has little time for it.
    command += ["--continue-on-failure", *(("--suppress-health-check", "too_slow") if IS_LONG else ("--seed", "1"))]
    if "visitor" in login:
        command += ["-H", "sec-fetch-site: same-origin"]
        command += () if IS_LONG else ("--include-path-regex", "browser")
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.served.schemathesis_hooks",
        "PYTHONPATH": str(REPOSITORY),
        "COLUMNS": "120",
    }
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
