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
from tests.docs.blocks import blocks_of

pytestmark = [pytest.mark.trust, pytest.mark.long]
#: All that a wheel is made of.
SOURCES = (
    *("personalize", "docs", "pyproject.toml", "setup.py", "constraints.txt"),
    *("README.md", "LICENSE", "MANIFEST.in"),
)
LOCK, INSTALL = (block for block in blocks_of("docs/operators.md") if block.language == "sh")
#: Some moment that both builds are told; in a release that of its commit.
MOMENT = {"SOURCE_DATE_EPOCH": "1795000000"}


def pip(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """What pip says and does."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})


def copy_sources(folder: Path, *names: str) -> None:
    """Copy files and folders of the checkout."""
    for name in names:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, folder / name)


def wheel(folder: Path, moment: Mapping[str, str] = MOMENT) -> Path:
    """Our wheel, built from a copy of the checkout, of which every file is as old as that copy."""
    source = folder / "source"
    source.mkdir(parents=True)
    copy_sources(source, *SOURCES)
    for number, path in enumerate(sorted(source.rglob("*"))):
        os.utime(path, (1_700_000_000 + number * 60 + len(str(folder)), 1_700_000_000 + number * 60 + len(str(folder))))
    built = pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", source, **moment)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = (folder / "wheels").glob("personalize-*.whl")
    return made


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("compiled", ["0", "1"], ids=["python", "compiled"])
def test_two_builds_of_one_source_are_the_same_bytes(tmp_path: Path, compiled: str) -> None:
    moment = {**MOMENT, "PERSONALIZE_COMPILED": compiled}
    assert digest(wheel(tmp_path / "here", moment)) == digest(wheel(tmp_path / "some" / "where" / "else", moment))


@pytest.mark.planted
def test_a_build_that_notes_when_it_was_made_is_found_out(tmp_path: Path) -> None:
    assert digest(wheel(tmp_path / "here", {})) != digest(wheel(tmp_path / "some" / "where" / "else", {}))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel and all that a site needs beside it, with their hashes, made as the page says."""
    folder = tmp_path_factory.mktemp("supply")
    copy_sources(folder, *SOURCES)
    fetched = shell(folder, LOCK.text, Path(sys.executable))
    if fetched.returncode != 0:
        pytest.skip(f"without the network nothing is fetched: {fetched.stderr[-300:]}")
    return folder


def shell(folder: Path, commands: str, python: Path) -> subprocess.CompletedProcess[str]:
    """Run commands of the operators' page, with this Python's pip."""
    path = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    given = {**os.environ, **path, **MOMENT}
    return subprocess.run(["sh", "-ec", commands], cwd=folder, capture_output=True, text=True, check=False, env=given)


def copied(locked: Path, folder: Path) -> Path:
    """What the page says to copy to another machine."""
    shutil.copytree(locked / "wheels", folder / "wheels")
    shutil.copyfile(locked / "locked.txt", folder / "locked.txt")
    return folder


def installed(folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Install what is locked in a folder into a new environment, as the page says."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    return shell(folder, INSTALL.text, python), python


def test_what_is_locked_is_installed_without_a_network_and_works(locked: Path, tmp_path: Path) -> None:
    told, python = installed(copied(locked, tmp_path))
    assert told.returncode == 0, told.stderr
    answer = subprocess.run(
        [str(python), "-m", "personalize.cli.main", "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert answer.returncode == 0 and "publish" in answer.stdout, answer.stderr


@pytest.mark.planted
def test_a_wheel_that_somebody_has_changed_is_found_out(locked: Path, tmp_path: Path) -> None:
    (victim,) = (copied(locked, tmp_path) / "wheels").glob("itsdangerous-*.whl")
    with zipfile.ZipFile(victim, "a") as archive:
        archive.writestr("itsdangerous/more.py", "import os\n")
    told, _ = installed(tmp_path)
    assert told.returncode != 0 and "DO NOT MATCH THE HASHES" in told.stderr
