"""What a newcomer's first command does before anything of the package runs.

The tools that it calls are stand-ins here, which note how they were called; `.ci/run` calls the real ones.
"""

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import REPOSITORY

COMMANDS = ("demo", "test", "spark", "trust", "compiled", "bench", "check")
ON_ALL = "-n auto --dist loadfile"

# Notes its name and arguments in calls.txt; makes .venv and build when asked to; fails where told to.
A_TOOL = """#!/bin/sh
PATH=/usr/bin:/bin
echo "{name} $*" >> {checkout}/calls.txt
case "$*" in *{fails_at}*) echo "no such thing on the network"; exit 1;; esac
case "$*" in *setup.py*) mkdir -p build/compiled;; esac
case "$*" in *venv*) mkdir -p {venv}/bin; cp {checkout}/tools/in-venv {venv}/bin/python;; esac
"""


class Checkout:
    """A checkout with the files that a set-up reads, and with stand-ins for uv and for Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir()
        (folder / "path").mkdir()
        for name in ("dev.py", "pyproject.toml", "constraints.txt"):
            (folder / name).write_bytes((REPOSITORY / name).read_bytes())
        self.add_tool("tools/in-venv", fails_at="nothing")
        self.add_tool("tools/base-python", fails_at="nothing")

    def add_tool(self, name: str, fails_at: str = "nothing") -> None:
        tool = self.folder / name
        venv = self.folder / ".venv"
        tool.write_text(A_TOOL.format(name=tool.name, checkout=self.folder, venv=venv, fails_at=fails_at))
        tool.chmod(0o755)

    def run(self, *arguments: str, prelude: str = "pass") -> subprocess.CompletedProcess[str]:
        program = (
            f"import runpy, sys; sys._base_executable = {str(self.folder / 'tools/base-python')!r}; {prelude};"
            "sys.argv = ['dev.py', *sys.argv[1:]]; runpy.run_path('dev.py', run_name='__main__')"
        )
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            env={"PATH": str(self.folder / "path")},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """The calls since last asked, without the checks of whether .venv is usable."""
        noted = self.folder / "calls.txt"
        lines = noted.read_text().splitlines() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return [line for line in lines if "import sys, pip" not in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def pip_steps(extras: str) -> list[str]:
    return [
        "in-venv -m pip install --constraint constraints.txt pip setuptools",
        f"in-venv -m pip install --constraint constraints.txt --no-build-isolation --editable .[{extras}]",
    ]


def test_the_first_test_run_makes_the_environment_and_the_second_only_tests(checkout: Checkout) -> None:
    first = checkout.run("test", "-k", "cookie")
    venv = checkout.folder / ".venv"
    assert first.returncode == 0, first.stderr
    assert checkout.calls() == [
        f"base-python -m venv {venv}",
        *pip_steps("test"),
        f"in-venv -m pytest {ON_ALL} -k cookie",
    ]
    assert "Setting up .venv with Python 3." in first.stdout
    second = checkout.run("test")
    assert checkout.calls() == [f"in-venv -m pytest {ON_ALL}"]
    assert second.stdout == ""


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "dev.py"])
def test_it_installs_again_when_what_it_was_made_from_has_changed(checkout: Checkout, name: str) -> None:
    checkout.run("test")
    checkout.calls()
    with (checkout.folder / name).open("a") as file:
        file.write("\n# another word\n")
    checkout.run("test")
    assert checkout.calls() == [*pip_steps("test"), f"in-venv -m pytest {ON_ALL}"]


def test_a_command_that_needs_more_adds_it_to_what_is_there(checkout: Checkout) -> None:
    checkout.run("demo", "--port", "9000")
    assert checkout.calls()[1:] == [*pip_steps("example"), "in-venv -m example_site --port 9000"]
    checkout.run("check")
    checks = [f"in-venv -m {tool}" for tool in ("ruff check .", "ruff format --check .", "mypy")]
    assert checkout.calls() == [*pip_steps("example,geo,lint,prometheus,proxy,rewrite"), *checks]
    checkout.run("demo")
    assert checkout.calls() == ["in-venv -m example_site"]


def test_all_checks_run_and_one_that_fails_is_not_forgotten(checkout: Checkout) -> None:
    checkout.run("check")
    checkout.calls()
    checkout.add_tool(".venv/bin/python", fails_at="format")
    assert checkout.run("check").returncode == 1
    assert len(checkout.calls()) == 3


def test_spark_is_installed_only_for_its_own_tests(checkout: Checkout) -> None:
    checkout.run("test")
    checkout.calls()
    checkout.run("spark")
    assert checkout.calls() == [*pip_steps("spark,test"), "in-venv -m pytest -m spark tests/runtime"]


BUILD = "in-venv setup.py build --build-base build/parts-of-compiled --build-lib build/compiled"
NOT_COMPILED = "The package could not be compiled; the lines above say why. make test works without."
ON_COMPILED = "-o pythonpath=build/compiled . -m not spark and not long and not sources"


def test_the_package_is_compiled_once_and_then_tested(checkout: Checkout) -> None:
    first = checkout.run("compiled", "tests/web")
    assert first.returncode == 0, first.stderr
    assert "Compiling the package into build/compiled" in first.stdout
    tests = f"in-venv -m pytest {ON_ALL} {ON_COMPILED} tests/web"
    assert checkout.calls()[1:] == [*pip_steps("lint,test"), BUILD, tests]
    second = checkout.run("compiled", "tests/web")
    assert (second.stdout, checkout.calls()) == ("", [tests])


def test_it_is_compiled_again_when_a_source_has_changed_and_nothing_old_stays(checkout: Checkout) -> None:
    checkout.run("compiled")
    checkout.calls()
    built = checkout.folder / "build" / "compiled" / "personalize"
    built.mkdir(parents=True)
    for name in ("gone.py", "kept.so"):
        (built / name).touch()
    (checkout.folder / "personalize").mkdir()
    (checkout.folder / "personalize" / "new.py").touch()
    checkout.run("compiled")
    assert checkout.calls()[0] == BUILD
    assert [path.name for path in built.iterdir()] == ["kept.so"]  # the build itself sees to what is compiled


def test_a_build_that_failed_says_so_and_is_tried_again(checkout: Checkout) -> None:
    checkout.run("test")
    checkout.calls()
    checkout.add_tool("tools/in-venv", fails_at="setup.py")
    checkout.add_tool(".venv/bin/python", fails_at="setup.py")
    failed = checkout.run("compiled")
    assert failed.returncode == 1
    assert failed.stderr == f"no such thing on the network\n{NOT_COMPILED}\n"
    assert not [call for call in checkout.calls() if "pytest" in call]
    checkout.add_tool(".venv/bin/python")
    assert checkout.run("compiled").returncode == 0
    assert checkout.calls()[0] == BUILD.replace("in-venv", "python")


def test_tests_and_benchmarks_of_the_compiled_package_import_it_wherever_they_start(checkout: Checkout) -> None:
    told = checkout.folder / "told"
    checkout.run("test")
    checkout.add_tool(".venv/bin/python")
    python = checkout.folder / ".venv" / "bin" / "python"
    python.write_text(f'{python.read_text()}echo "$PYTHONSAFEPATH $PYTHONPATH" >> {told}\n')
    checkout.run("compiled")
    assert told.read_text().splitlines()[-1] == f"1 {checkout.folder}/build/compiled:{checkout.folder}"


def test_a_benchmark_runs_with_the_compiled_package_and_one_that_is_not_there_is_no_build(checkout: Checkout) -> None:
    (checkout.folder / "benchmarks").mkdir()
    (checkout.folder / "benchmarks" / "rules.py").write_text("if __name__ == '__main__': ...")
    (checkout.folder / "benchmarks" / "shop.py").touch()
    for arguments in ((), ("shop",)):
        unknown = checkout.run("bench", *arguments)
        assert unknown.returncode == 2
        assert unknown.stdout.splitlines()[-1] == 'make bench ARGS="NAME ...", and NAME is one of: rules'
    checkout.calls()
    checkout.run("bench", "rules", "--rounds", "3")
    assert checkout.calls() == [BUILD, "in-venv -m benchmarks.rules --rounds 3"]


def test_an_install_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.add_tool("tools/in-venv", fails_at="editable")
    failed = checkout.run("test")
    assert failed.returncode == 1
    assert failed.stderr == (
        "no such thing on the network\nThe install failed; the lines above say why. It needs the network this once.\n"
    )
    checkout.calls()
    checkout.add_tool(".venv/bin/python")
    assert checkout.run("test").returncode == 0
    assert len(checkout.calls()) == 3


def test_uv_is_used_where_it_is_on_the_path_with_the_same_pins(checkout: Checkout) -> None:
    checkout.add_tool("path/uv")
    checkout.run("test")
    venv, base = checkout.folder / ".venv", checkout.folder / "tools/base-python"
    pinned = f"uv pip install --python {venv}/bin/python --constraint constraints.txt"
    assert checkout.calls() == [
        f"uv venv --python {base} {venv}",
        f"{pinned} pip setuptools",
        f"{pinned} --no-build-isolation --editable .[test]",
        f"in-venv -m pytest {ON_ALL}",
    ]


def test_pip_has_a_try_where_uv_fails(checkout: Checkout) -> None:
    checkout.add_tool("path/uv", fails_at="editable")
    result = checkout.run("test")
    assert result.returncode == 0
    assert "no such thing on the network\nuv did not manage; trying pip ...\n" in result.stdout
    assert checkout.calls()[-3:] == [*pip_steps("test"), f"in-venv -m pytest {ON_ALL}"]


def test_a_python_without_its_venv_module_ends_with_the_package_to_install(checkout: Checkout) -> None:
    result = checkout.run("test", prelude="sys.modules['ensurepip'] = None; sys.executable = '/usr/bin/python3'")
    assert result.returncode == 1
    assert result.stderr == ("This Python came without its venv module. Please run: sudo apt install python3-venv\n")
    assert (result.stdout, checkout.calls()) == ("", [])


def test_a_python_built_without_sqlite_says_so(checkout: Checkout) -> None:
    result = checkout.run("test", prelude="sys.modules['_sqlite3'] = None")
    assert result.returncode == 1
    assert "was built without sqlite3. Name another Python: make test PYTHON=" in result.stderr


def test_an_older_python_says_in_one_line_what_is_missing(checkout: Checkout) -> None:
    old = "import shutil; shutil.which = lambda name: None; sys.version_info = (3, 9, 18)"
    result = checkout.run("test", prelude=old)
    assert result.returncode == 1
    assert result.stderr.startswith("personalize needs Python 3.11 or newer. This is Python 3.9.18 (")
    assert result.stderr.count("\n") == 1


def test_an_older_python_hands_over_to_a_newer_one(checkout: Checkout) -> None:
    checkout.add_tool("path/python3.13", fails_at="-c")  # a launcher for a version that is not installed
    checkout.add_tool("path/python3.12")
    checkout.run("test", "-x", prelude="sys.version_info = (3, 9, 18)")
    assert checkout.calls()[-1] == f"python3.12 {checkout.folder}/dev.py test -x"


def test_an_older_python_can_read_dev_py() -> None:
    text = (REPOSITORY / "dev.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__ import annotations" not in text  # 3.6 has no such thing


def test_an_unknown_command_prints_the_ones_there_are(checkout: Checkout) -> None:
    result = checkout.run("tset")
    assert result.returncode == 2
    lines = result.stdout.splitlines()
    commands = [line.split("  ")[0] for line in lines if not line.startswith(" ")]
    assert commands == [f"make {name}" for name in COMMANDS]
    assert max(map(len, lines)) <= 80


def test_everything_that_is_installed_is_pinned_to_the_version_that_is_installed() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    needed = needed_by("personalize", frozenset({"server", "example", "test"})) - {"personalize"}
    assert {name: pinned.get(canonicalize_name(name)) for name in needed} == {
        name: metadata.version(name) for name in needed
    }
    assert {"pip", "setuptools", "ruff", "mypy", "types-pyyaml"} <= set(pinned)


def needed_by(name: str, extras: frozenset[str], seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of a distribution and of all that it needs here, through any number of steps."""
    found = seen | {name}
    for line in metadata.requires(name) or []:
        needed = Requirement(line)
        wanted = any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in extras | {""})
        if wanted and canonicalize_name(needed.name) not in found:
            found = needed_by(canonicalize_name(needed.name), frozenset(needed.extras), found)
    return found
