"""What `make trust` prints and keeps: each promise as it is tried, how often, and how much that proves.

A pytest plugin. A test says by `@pytest.mark.trust(tries=…)` how often it tries what it promises; one marked `planted`
has a bug built in, and passes when the bug is found. The record is written after each test, so that a run that was
stopped leaves what it has found, and the next one of the same revision, scale and seed goes on behind what has passed.
`python -m tests.trust.reporting RECORD` prints one as a table for docs/trust.md.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.trust.trials import SCALE, SEED

REPOSITORY = Path(__file__).resolve().parents[2]
RECORD = Path(os.environ.get("TRUST_RECORD", REPOSITORY / "var" / "trust.json"))
_TRIED = "trust"


def _revision() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=9"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "not known"


def _machine() -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one test. `at_most` is the part of all cases that may fail, with 95 percent certainty: 3 of
    `tries` (the rule of three, Hanley and Lippman-Hand 1983); None where the test has failed, has a planted bug, or
    leaves nothing to chance. `said` is what a test says that failed."""

    test: str
    outcome: str
    seconds: float
    tries: int
    planted: bool
    said: str

    @property
    def at_most(self) -> float | None:
        """The bound."""
        return 3 / self.tries if self.outcome == "passed" and self.tries > 1 and not self.planted else None


@dataclass
class Record:
    """One run: where, of what, how much, and what it found."""

    begun_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    revision: str = field(default_factory=_revision)
    machine: str = field(default_factory=_machine)
    scale: float = SCALE
    seed: int = SEED
    seconds: float = 0
    is_whole: bool = False
    tests: list[Tried] = field(default_factory=list)

    def head(self) -> str:
        """What the run is, in a line."""
        return f"{self.begun_at}, revision {self.revision}, scale {self.scale:g}, seed {self.seed}, {self.machine}"

    def write(self, path: Path) -> None:
        """Put it into a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {**asdict(self), "seconds": round(self.seconds)}
        for values_of, tried in zip(values["tests"], self.tests, strict=True):
            values_of["at_most"] = tried.at_most
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)


def begun(new: Record, path: Path = RECORD) -> Record:
    """The record to go on with: of a run that was stopped, of the same revision, scale and seed as the new one, what
    has passed; else the new one."""
    if not path.exists() or new.revision.endswith(("-dirty", "not known")):
        return new
    found = json.loads(path.read_text(encoding="utf-8"))
    kinds = ("revision", "scale", "seed", "machine")
    if found.get("is_whole", True) or any(found[kind] != getattr(new, kind) for kind in kinds):
        return new
    names = [each.name for each in fields(Tried)]
    tests = [Tried(**{name: one[name] for name in names}) for one in found["tests"] if one["outcome"] == "passed"]
    return replace(new, begun_at=found["begun_at"], seconds=found["seconds"], tests=tests)


class Reporting:
    """Tells of each test when it is done, in place of pytest's dots."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._record = begun(Record())
        self._began = time.monotonic() - self._record.seconds
        self._all = len(self._record.tests)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Say what this run is."""
        self._terminal.write_line(f"trust: {self._record.head()}")
        if self._record.tests:
            passed = len(self._record.tests)
            self._terminal.write_line(
                f"trust: goes on behind {passed} tests that have passed (to begin anew: rm {RECORD})"
            )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn how many tests there are."""
        self._all += len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """The same, where other processes run them: each has found all."""
        self._all = max(self._all, len(self._record.tests) + len(ids))

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """No dots: each test has a line."""
        return (report.outcome, "", "") if report.passed and report.when == "call" else None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of a test, say it, and keep it."""
        told = dict(report.user_properties).get(_TRIED)
        if told is None or (report.when != "call" and report.passed):
            return
        assert isinstance(told, dict)
        name = report.nodeid.removeprefix("tests/")
        tried = Tried(name, report.outcome, round(report.duration, 1), told["tries"], told["planted"], _failure(report))
        self._record.tests.append(tried)
        self._record.seconds = time.monotonic() - self._began
        self._record.write(RECORD)
        place = f"{len(self._record.tests):4} of {self._all}"
        self._terminal.write_line(f"{place}, {self._record.seconds / 60:5.1f} min  {_line(tried)}")

    def pytest_terminal_summary(self) -> None:
        """Say what the run has found."""
        tests = self._record.tests
        self._record.is_whole = len(tests) >= self._all
        self._record.write(RECORD)
        planted = [one for one in tests if one.planted]
        failed = [one for one in tests if one.outcome == "failed"]
        found, minutes = sum(one.outcome == "passed" for one in planted), self._record.seconds / 60
        self._terminal.write_line(
            f"trust: {len(tests) - len(planted)} promises tried {sum(one.tries for one in tests):,} times, "
            f"{len(failed)} failed; {found} of {len(planted)} planted bugs found; {minutes:.0f} minutes; "
            f"all of it is in {RECORD}"
        )


def _line(tried: Tried) -> str:
    bound = "" if tried.at_most is None else f", fewer than {tried.at_most:.3%} of all fail"
    if tried.planted:
        said = "planted bug found" if tried.outcome == "passed" else f"PLANTED BUG NOT FOUND ({tried.outcome})"
    else:
        said = f"{tried.outcome}, {tried.tries:,} {'try' if tried.tries == 1 else 'tries'}{bound}"
    return f"{tried.test}: {said}, {tried.seconds:.0f} s{tried.said and ': '}{tried.said}"


def _failure(report: pytest.TestReport) -> str:
    """What a test that failed says, in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return "" if crash is None else str(crash.message).strip().splitlines()[0][:200]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave aside what has passed before the run was stopped. All processes of a run do so before its first test."""
    passed = {f"tests/{one.test}" for one in begun(Record()).tests}
    left_aside = [item for item in items if item.nodeid in passed]
    items[:] = [item for item in items if item.nodeid not in passed]
    config.hook.pytest_deselected(items=left_aside)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test runs, write on its report how often it tried."""
    report = yield
    marks = list(item.iter_markers("trust"))
    tries = next((mark.kwargs["tries"] for mark in marks if "tries" in mark.kwargs), 1)
    planted = item.get_closest_marker("planted") is not None
    report.user_properties = [*report.user_properties, (_TRIED, {"tries": tries, "planted": planted})]
    return report


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """One process writes the record: the one that all others report to."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if not hasattr(config, "workerinput") and terminal is not None:
        config.pluginmanager.register(Reporting(terminal), "trust-reporting")


def table(record: dict[str, Any]) -> str:
    """A record as a table of Markdown: a row for each promise, all its cases together."""
    tried: dict[str, list[dict[str, Any]]] = {}
    for one in record["tests"]:
        if not one["planted"] and one["outcome"] != "skipped":
            tried.setdefault(one["test"].partition("[")[0], []).append(one)
    rows = ["| What was tried | Tries | Failed | Of all cases fail fewer than |", "|---|---|---|---|"]
    for test in sorted(tried):
        said = test.partition("::test_")[2].replace("_", " ")
        tries = sum(one["tries"] for one in tried[test])
        failed = sum(one["outcome"] == "failed" for one in tried[test])
        is_chance = any(one["tries"] > 1 for one in tried[test])
        bound = f"{3 / tries:.3%}" if is_chance and not failed else ""
        rows.append(f"| {said[:1].upper()}{said[1:]} | {tries:,} | {failed} | {bound} |")
    planted = [one for one in record["tests"] if one["planted"]]
    found = sum(one["outcome"] == "passed" for one in planted)
    return "\n".join([*rows, "", f"{found} of {len(planted)} planted bugs were found."])


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
