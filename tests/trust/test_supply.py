"""What is installed is what was looked at: wheels that are the same whoever builds them, and locked by their hashes."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.trust, pytest.mark.long]
#: All that a wheel is made of.
SOURCES = ("personalize", "docs", "pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in")
#: Some moment that both builds are told; in a release that of its commit.
MOMENT = {"SOURCE_DATE_EPOCH": "1795000000"}


def pip(*words: object, python: object = sys.executable, **more: str) -> subprocess.CompletedProcess[str]:
    """What pip says and does."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})


def wheel(folder: Path, moment: Mapping[str, str] = MOMENT) -> Path:
    """Our wheel, built from a copy of the checkout, of which every file is as old as that copy."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, source / name)
    for number, path in enumerate(sorted(source.rglob("*"))):
        os.utime(path, (1_700_000_000 + number * 60 + len(str(folder)), 1_700_000_000 + number * 60 + len(str(folder))))
    built = pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", source, **moment)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = (folder / "wheels").glob("personalize-*.whl")
    return made


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_builds_of_one_source_are_the_same_bytes(tmp_path: Path) -> None:
    assert digest(wheel(tmp_path / "here")) == digest(wheel(tmp_path / "some" / "where" / "else"))


@pytest.mark.planted
def test_a_build_that_notes_when_it_was_made_is_found_out(tmp_path: Path) -> None:
    assert digest(wheel(tmp_path / "here", {})) != digest(wheel(tmp_path / "some" / "where" / "else", {}))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel and all that a site needs beside it, as pinned; fetched once, as for a machine without a network."""
    folder = tmp_path_factory.mktemp("supply")
    made = wheel(folder)
    fetched = pip(
        "wheel", "--constraint", REPOSITORY / "constraints.txt", "--wheel-dir", made.parent, f"{made}[server]"
    )
    if fetched.returncode != 0:
        pytest.skip(f"without the network nothing is fetched: {fetched.stderr[-300:]}")
    return made.parent


def lock(wheels: Path) -> Path:
    """The file that names each wheel with its hash."""
    locked = wheels / "locked.txt"
    lines = [f"{path} --hash=sha256:{digest(path)}\n" for path in sorted(wheels.glob("*.whl"))]
    locked.write_text("".join(lines), encoding="utf-8")
    return locked


def installed(folder: Path, locked: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Install what is locked into a new environment, without any index."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    return pip("install", "--no-index", "--require-hashes", "-r", locked, python=python), python


def test_what_is_locked_is_installed_without_a_network_and_works(wheels: Path, tmp_path: Path) -> None:
    told, python = installed(tmp_path / "venv", lock(wheels))
    assert told.returncode == 0, told.stderr
    answer = subprocess.run(
        [str(python), "-m", "personalize.cli.main", "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert answer.returncode == 0 and "publish" in answer.stdout, answer.stderr


@pytest.mark.planted
def test_a_wheel_that_somebody_has_changed_is_found_out(wheels: Path, tmp_path: Path) -> None:
    changed = tmp_path / "wheels"
    shutil.copytree(wheels, changed)
    locked = lock(changed)
    (victim,) = changed.glob("itsdangerous-*.whl")
    with zipfile.ZipFile(victim, "a") as archive:
        archive.writestr("itsdangerous/more.py", "import os\n")
    told, _ = installed(tmp_path / "venv", locked)
    assert told.returncode != 0 and "DO NOT MATCH THE HASHES" in told.stderr
