"""How another Python is started that works for this one, finds the modules that it finds, and runs the same code."""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path


def command_of(module: str) -> list[str]:
    """The command that runs `main` of a module. Raises OSError where this Python can't be started again, as within a
    program that has it built in."""
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("there is no Python to start")
    return [sys.executable, "-c", f"from {module} import main; main()"]


def environment() -> Mapping[str, str]:
    """The environment that it is started with."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def code_on_disk() -> str:
    """Tells this code apart from other code in its place, by the sizes and times of its files: who was started before
    an upgrade does not understand who was started after it."""
    digest, package = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        status = path.stat()
        digest.update(f"{path.relative_to(package)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
