"""The house stands as docs/architecture.md draws it, and this test would notice if it did not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.package_source import read_package
from tests.walls import broken_walls

NOT_LOADED_BY_THE_PACKAGE = (
    *("personalize.studio", "personalize.api", "personalize.cli", "personalize.django", "django"),
    *("personalize.stores.sqlite", "personalize.stores.postgres", "sqlite_utils", "sqlite3", "asyncpg"),
)

CASES = yaml.safe_load((REPOSITORY / "tests" / "cases" / "walls.yaml").read_text(encoding="utf-8"))
ROOMS = {
    "rules/check.py": "from personalize.rules import parse\nfrom personalize.rules import index\n",
    **{f"{room}.py": "" for room in ("stores/memory", "stores/protocols", "decisions/decide", "web/middleware")},
    **{f"{room}.py": "" for room in ("web/headers", "profiles/profile", "studio/app", "rules/parse")},
}


def build(root: Path, files: dict[str, str]) -> Path:
    package = root / "personalize"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)
    return package


def test_no_module_of_the_package_breaks_a_wall() -> None:
    found = broken_walls(read_package(REPOSITORY / "personalize"))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("case", CASES["planted"].values(), ids=CASES["planted"].keys())
def test_a_planted_fault_is_found_and_its_place_printed(tmp_path: Path, case: dict[str, str]) -> None:
    package = build(tmp_path, {**ROOMS, case["file"]: case["text"]})
    assert broken_walls(read_package(package)) == [f"personalize/{case['file']}:{case['finding']}"]


def test_what_only_looks_like_a_fault_is_let_pass(tmp_path: Path) -> None:
    assert broken_walls(read_package(build(tmp_path, {**ROOMS, **CASES["harmless"]}))) == []


def test_importing_the_package_loads_no_tool_and_no_database_driver() -> None:
    program = "import json, sys, personalize; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = [
        name
        for name in json.loads(result.stdout)
        if any(f"{name}.".startswith(f"{refused}.") for refused in NOT_LOADED_BY_THE_PACKAGE)
    ]
    assert loaded == []
