"""A disk under test: `disk.c` in a process of its own, and what is left of its files when the power goes."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EIO
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SOURCE = Path(__file__).with_name("disk.c")
PAGE = 4096


def compiled(folder: Path) -> Path:
    """The disk as a library to load; the test is left out where nothing compiles it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a disk that fails is made of C, on Linux: apt-get install gcc libc6-dev")
    library = folder / "disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


class Disk:
    """The folder of one store. Recorders run on it one after the other, and it outlives them."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._library = library
        self.data, self._synced = folder / "data", folder / "synced"
        self.order = folder / "order"
        for each in (self.data, self._synced):
            each.mkdir()

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.data / "store.db"

    @contextmanager
    def recorder(self, *arguments: object, fails: str = "", error: int = EIO) -> Iterator["subprocess.Popen[str]"]:
        """A process that records on this disk; see `recorder` and `disk.c`. What is there by now counts as synced."""
        shutil.rmtree(self._synced)
        shutil.copytree(self.data, self._synced)
        disk = {
            "LD_PRELOAD": str(self._library),
            "DISK_FOLDER": f"{self.data}/",
            "DISK_SYNCED": str(self._synced),
            "DISK_ORDER": str(self.order),
            "DISK_ERRNO": str(error),
            **({"DISK_FAILS": fails} if fails else {}),
        }
        command = [sys.executable, "-m", "tests.trust.recorder", str(self.store), *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **disk}, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()

    def lose_power(self, chance: random.Random | None = None) -> None:
        """Every file as it was when it was last synced; with `chance` some pages that were not synced made it."""
        for path in list(self.data.iterdir()):
            written, synced = path.read_bytes(), self._synced / path.name
            kept = synced.read_bytes() if synced.exists() else b""
            path.unlink()
            if synced.exists() or (chance is not None and chance.random() < 0.5):
                path.write_bytes(kept if chance is None else _torn(kept, written, chance))
        for path in self.data.glob("*-shm"):
            path.unlink()


def _torn(kept: bytes, written: bytes, chance: random.Random) -> bytes:
    """A file of which each page that was written since the last sync has reached the disk, or has not."""
    pages = range(0, max(len(kept), len(written)), PAGE)
    chosen = (written if chance.random() < 0.5 else kept for _ in pages)
    return b"".join(
        source[at : at + PAGE].ljust(min(PAGE, len(written) - at), b"\0")
        for at, source in zip(pages, chosen, strict=True)
    )
