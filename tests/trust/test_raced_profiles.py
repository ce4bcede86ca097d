"""Two processes tell of the same visitors at once, who are joined in every way there is: nothing is lost or doubled."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from personalize.stores.sqlite.store import SqliteStore
from tests.conftest import REPOSITORY
from tests.stores.contract import opened
from tests.stores.samples import all_of, projectors
from tests.trust.racer import BROWSERS, JOINS, LOGINS
from tests.trust.trials import trials

EACH = trials(60, 2_000)
NAMES = ("a", "b")


async def make_tables(path: Path) -> None:
    async with opened(SqliteStore(path)):
        pass


def raced(path: Path, *how: str) -> bool:
    """Let two processes write at once; whether both came to their end."""
    asyncio.run(make_tables(path))
    words = [sys.executable, "-m", "tests.trust.racer", str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    racers = [
        subprocess.Popen([*words, name, str(EACH), *how], cwd=REPOSITORY, text=True, **pipes)  # type: ignore[call-overload]
        for name in NAMES
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [racer.communicate(timeout=3_000)[0] for racer in racers] == ["done\n"] * 2


async def is_exact(path: Path) -> bool:
    """Whether every purchase is counted once, every attribute kept, and the profiles are those that the log makes."""
    async with opened(SqliteStore(path)) as store:
        ann = await store.profile("v:ann")
        profiles = await all_of(store.profiles())
        await store.rebuild(projectors())
        return (
            ann is not None
            and ann.totals["purchase"].count == ann.totals["purchase"].sum == 2 * EACH
            and len(ann.attributes) == 2 * (EACH // 20)
            and len(await all_of(store.log())) == 2 * (EACH + EACH // 20 + len(BROWSERS + LOGINS)) + len(JOINS)
            and sum(each.totals["purchase"].count for each in profiles if "purchase" in each.totals)
            == 2 * (EACH + len(BROWSERS + LOGINS))
            and profiles == await all_of(store.profiles())
            and all(each.joined is None for each in profiles if each.profile_id in LOGINS)
        )


@pytest.mark.trust(tries=2 * EACH + len(JOINS))
def test_of_what_two_processes_tell_at_once_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    assert raced(tmp_path / "x.db")
    assert asyncio.run(is_exact(tmp_path / "x.db"))


@pytest.mark.trust
@pytest.mark.planted
def test_a_store_without_transactions_is_found_out(tmp_path: Path) -> None:
    assert not raced(tmp_path / "x.db", "--bare") or not asyncio.run(is_exact(tmp_path / "x.db"))
