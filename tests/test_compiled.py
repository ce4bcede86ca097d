"""The compiled package: what is listed is compiled, or nothing is; what is installed serves the shop."""

import ast
import asyncio
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest
from setuptools.errors import PlatformError

from personalize.compiled import IS_COMPILED
from personalize.stores.memory.store import MemoryStore
from tests.cli.serving import free_port, wait_for
from tests.conftest import REPOSITORY
from tests.page_modules import modules_at_work

SETUP = runpy.run_path(str(REPOSITORY / "setup.py"), run_name="setup")
#: Makes a wheel of what `make compiled` has built.
AS_BUILT = "[build]\nbuild_lib = build/compiled\n[bdist_wheel]\nskip_build = true\n"


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that `setup.py` names."""
    monkeypatch.chdir(REPOSITORY)
    found: list[str] = SETUP["compiled_paths"]()
    return found


def test_what_is_listed_is_compiled_or_nothing_is(paths: list[str]) -> None:
    modules = [import_module(path.removesuffix(".py").replace("/", ".")) for path in paths]
    compiled = [module.__name__ for module in modules if not str(module.__file__).endswith(".py")]
    assert compiled == [module.__name__ for module in modules if IS_COMPILED]


def test_the_list_names_what_is_there_and_no_package(paths: list[str]) -> None:
    assert all(any(REPOSITORY.glob(named)) for named in SETUP["COMPILED"])
    assert "personalize/compiled.py" in paths
    assert not [path for path in paths if path.endswith("__init__.py")]


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that Python runs for a page with slots, be its visitors' profiles in SQLite or in memory."""
    stores = (None, MemoryStore())
    return set().union(*(asyncio.run(modules_at_work(tmp_path_factory.mktemp("shop"), store)) for store in stores))


def test_whatever_works_on_a_page_is_compiled_or_named_with_why_it_is_not(at_work: set[str], paths: list[str]) -> None:
    left_to_python = at_work - SETUP["NOT_COMPILED"].keys()
    assert left_to_python - (set() if IS_COMPILED else set(paths)) == set()
    assert IS_COMPILED or "personalize/decisions/decide.py" in left_to_python


def test_each_exception_is_still_needed(at_work: set[str]) -> None:
    taken = {path.relative_to(REPOSITORY).as_posix() for named in SETUP["COMPILED"] for path in REPOSITORY.glob(named)}
    assert [path for path in SETUP["NOT_COMPILED"] if path not in at_work | taken] == []


def test_what_compiled_modules_import_is_there_where_they_are_built_or_mypy_does_without(paths: list[str]) -> None:
    """A build has no extras, unlike the environment of these tests."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {name_of(each) for each in settings["project"]["dependencies"]}
    overrides = settings["tool"]["mypy"]["overrides"]
    done_without = {name for each in overrides if each.get("ignore_missing_imports") for name in each["module"]}
    found, missing = packages_distributions(), set()
    for path in paths:
        for node in ast.walk(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {each.partition(".")[0] for each in names} - sys.stdlib_module_names - {"personalize"}:
                if name not in done_without and needed.isdisjoint(map(name_of, found.get(name, ()))):
                    missing.add(f"{path}: {name}")
    assert not missing


def name_of(requirement: str) -> str:
    """The name of a distribution, as it is compared."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def test_nothing_compiled_lies_among_the_sources() -> None:
    assert list((REPOSITORY / "personalize").rglob("*.so")) == []


@pytest.mark.parametrize("folder", [REPOSITORY, Path("/")], ids=["the checkout", "elsewhere"])
def test_what_a_test_starts_runs_the_same_package(folder: Path) -> None:
    program = "from personalize.compiled import IS_COMPILED; print(IS_COMPILED)"
    told = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(IS_COMPILED)


def test_a_build_asks_for_the_compiler_and_for_what_we_depend_on_as_they_are_pinned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    asked = SETUP["build_requirements"]()
    assert {"mypy", "types-PyYAML", "starlette", "google-re2"} <= {one.partition("==")[0] for one in asked}
    assert set(asked) <= set((REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines())


def set_up(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `setup.py` for the compiled package."""
    given = {**os.environ, "PERSONALIZE_COMPILED": "1", **variables}
    command = [sys.executable, "setup.py", *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=given)


def test_pip_is_told_what_a_compiled_build_needs_and_nothing_is_fetched_into_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    program = "from setuptools import build_meta; print(build_meta.get_requires_for_build_wheel())"
    given = {**os.environ, "PERSONALIZE_COMPILED": "1"}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=given)
    assert told.stdout.splitlines()[-1] == str(SETUP["build_requirements"]())
    assert set_up("--name").returncode == 0
    assert not (REPOSITORY / ".eggs").exists()


def refusal(*words: str, **variables: str) -> str:
    """The last line of a build that fails."""
    done = set_up("build_ext", *words, **variables)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def test_a_machine_without_a_c_compiler_is_told_what_to_install() -> None:
    assert refusal(CC="no-such-cc -O2") == (
        "error: PERSONALIZE_COMPILED is set, and there is no C compiler here (no-such-cc): apt install gcc; "
        "or leave the variable away, and it installs as Python"
    )


def test_a_python_without_its_headers_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(PlatformError, match=f"there is no Python.h in {tmp_path}: apt install python3-dev; or leave"):
        SETUP["refuse_without_c"]()


def test_a_checkout_is_never_compiled_in_its_place() -> None:
    assert refusal("--inplace").endswith("compiles what is installed, never a checkout: set it without -e")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what `make compiled` has built."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "as-built.cfg").write_text(AS_BUILT, encoding="utf-8")
    words = ("bdist_wheel", "--dist-dir", str(folder), "--bdist-dir", str(folder / "parts"))
    done = set_up(*words, DIST_EXTRA_CONFIG=str(folder / "as-built.cfg"))
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.compiled
def test_the_wheel_is_of_this_platform_and_holds_the_sources_beside_what_is_compiled_of_them(
    wheel: Path, paths: list[str]
) -> None:
    assert "-none-any" not in wheel.name
    inside = set(zipfile.ZipFile(wheel).namelist())
    sources = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "personalize").rglob("*.py")}
    assert sources <= inside
    assert {"personalize/messages.md", "personalize/py.typed", "personalize/cli/starter/rules/slots.yaml"} <= inside
    libraries = {name.partition(".")[0] for name in inside if name.endswith(".so")}
    assert libraries == {path.removesuffix(".py") for path in paths} | {"personalize__mypyc"}


@pytest.mark.compiled
def test_what_is_installed_of_the_wheel_serves_the_shop_from_compiled_modules(wheel: Path, tmp_path: Path) -> None:
    python = installed(wheel, tmp_path / "venv")
    for name in ("example_site", "rules", "content", "personalize.toml"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, tmp_path / name)
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with subprocess.Popen([python, "-m", "example_site"], cwd=tmp_path, env=environment) as shop:
        try:
            wait_for(port, shop)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as visitor:
                assert visitor.get("/").text != visitor.get("/?utm_source=newsletter").text
                health = visitor.get("/_personalize/health").json()
        finally:
            shop.terminate()
    assert health["compiled"] is True
    assert health["slots"]["home-hero"]["filled"] >= 1 and health["failures"] == {}


def installed(wheel: Path, folder: Path) -> Path:
    """The Python of a new environment with that wheel; what it depends on is that of this environment."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "what-it-depends-on.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n", encoding="utf-8")
    return python
