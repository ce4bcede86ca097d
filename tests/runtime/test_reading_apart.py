"""A process of its own reads what is read here, and whatever becomes of it, the rules are loaded and it is gone."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from personalize.decisions.decide import decide
from personalize.problems import Problems
from personalize.rules.own_facts import OwnFacts
from personalize.rules.ruleset import RuleSet
from personalize.runtime import quiet_loading, reading_apart
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import load_files, read_draft
from personalize.runtime.health import Health
from personalize.runtime.offline import persona_context
from personalize.runtime.reading_apart import load_beside_pages
from personalize.settings import Settings, load_settings
from personalize.wrap import wrap
from tests.conftest import REPOSITORY
from tests.desk import RULES, desk_settings, write_desk
from tests.driver import running
from tests.runtime.test_follow import lifespan_only, publish_elsewhere

Process = subprocess.Popen[bytes]
Files = Mapping[str, str]
DESK = REPOSITORY / "tests" / "docs" / "desk"
FAILED = "rules could not be read in a process of their own"


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that are started, of which each is gone at the end; every rule set is large."""
    found: list[Process] = []

    class Noted(Process):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            found.append(self)

    monkeypatch.setattr(quiet_loading, "LARGE_CHARACTERS", 1)
    monkeypatch.setattr(subprocess, "Popen", Noted)
    yield found  # type: ignore[misc]
    assert [one.returncode for one in found if one.returncode is None] == []


def load(files: Files, settings: Settings) -> tuple[RuleSet | None, Problems, Health]:
    """What comes of the files beside pages."""
    problems, health = Problems(), Health()
    rule_set = asyncio.run(load_beside_pages(files, settings, problems, health=health, clock=SystemClock()))
    return rule_set, problems, health


def test_a_process_reads_what_is_read_here(tmp_path: Path, started: list[Process]) -> None:
    shutil.copytree(DESK, tmp_path, dirs_exist_ok=True)
    site = load_settings(tmp_path / "personalize.toml", {}, store="memory:")
    problems = Problems()
    files = read_draft(site, problems).files
    here = load_files(files, site, problems)
    there, _, health = load(files, site)
    assert here is not None and there is not None
    assert len(started) == 1 and not health.failures
    for part in ("version", "schema", "segments", "slots", "personas", "library", "candidates", "needed", "facts"):
        assert getattr(there, part) == getattr(here, part), part
    now, sets = SystemClock().now(), (here, there)
    for persona in here.personas.values():
        contexts = [persona_context(persona, one, site, now=now) for one in sets]
        for slot_id in here.slots:
            asked = zip(sets, contexts, strict=True)
            assert len({decide(one.pages[slot_id], context, one)[slot_id].item_ids for one, context in asked}) == 1


def test_own_facts_that_can_not_be_loaded_are_an_error_wherever_files_are_read(tmp_path: Path) -> None:
    write_desk(tmp_path)
    site = desk_settings(tmp_path, own_facts="no_module_of_this_name:facts")
    rule_set, problems, health = load(read_draft(site, Problems()).files, site)
    assert rule_set is None and not health.failures
    assert [problem.code for problem in problems.list] == ["E250"]


def test_what_is_wrong_is_told_as_it_is_here(tmp_path: Path) -> None:
    write_desk(
        tmp_path, rules=RULES.replace("profile.tier: gold", "profile.teir: gold").replace("holds: 2", "holds: x")
    )
    site = desk_settings(tmp_path, own_facts="no_module_of_this_name:facts")
    problems = Problems()
    files = {**read_draft(site, Problems()).files, "content/things/tent.md": "---\ntitel: x\n---\n"}
    assert load_files(files, site, problems) is None
    there, found, health = load(files, site)
    assert there is None and not health.failures
    assert found.list == problems.list
    assert {problem.code for problem in found.list} >= {"E203", "E250"}
    hints = [(type(problem.hint), getattr(problem.hint, "instead", None)) for problem in problems.list]
    assert [(type(problem.hint), getattr(problem.hint, "instead", None)) for problem in found.list] == hints


def test_the_code_of_a_site_stays_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, facts = ModuleType("facts_that_no_file_has"), OwnFacts()
    module.__dict__["own"] = facts
    monkeypatch.setitem(sys.modules, module.__name__, module)
    facts.fact("shop.open", "bool", purpose=None)(lambda occasion: True)
    facts.condition("shop.near", takes="number", title="at most {} km away")(lambda occasion, km: km > 7)
    rules = "attributes: {first_name: {type: text}}\n"
    rules += "slots: {season: {rules: [{id: near, to: {shop.open: true, shop.near: 5}, show: things/season}]}}"
    write_desk(tmp_path, rules=rules)
    site = desk_settings(tmp_path, own_facts="facts_that_no_file_has:own")
    rule_set, problems, health = load(read_draft(site, Problems()).files, site)
    assert rule_set is not None and not health.failures, problems.list
    assert sorted(rule_set.facts) == ["shop.near: 5", "shop.open"]


FAULTS = {
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "raises": "import sys; sys.stderr = None; raise ValueError",
    "says nothing": "",
    "says something else": "print('hello')",
    "breaks off": "import sys; sys.stdout.buffer.write(b'\\x80\\x04\\x95\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00}')",
    "goes without listening": "import os; os.close(0)",
    "says something else for ever": "import sys\nwhile True: sys.stdout.buffer.write(b'N.' * 10_000)",
}


@pytest.mark.parametrize("code", FAULTS.values(), ids=FAULTS)
def test_where_a_process_fails_the_rules_are_read_here_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, started: list[Process]
) -> None:
    write_desk(tmp_path)
    monkeypatch.setattr(reading_apart, "command_of", lambda module: [sys.executable, "-c", code])
    assert_read_here(tmp_path)
    assert len(started) == 1


def assert_read_here(root: Path) -> Health:
    """The rules of this desk are loaded, with no process of their own."""
    site = desk_settings(root)
    files = read_draft(site, Problems()).files
    rule_set, problems, health = load({**files, "rules/lists/odd.csv": ""}, site)
    assert rule_set is not None and set(rule_set.slots) == {"hero", "row", "season"}
    assert len(set(problems.list)) == len(problems.list)
    assert dict(health.failures) == {FAILED: 1}
    return health


def test_where_no_process_can_be_started_the_rules_are_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Process]
) -> None:
    write_desk(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert_read_here(tmp_path)
    monkeypatch.setattr(sys, "executable", "")
    assert_read_here(tmp_path)
    assert started == []


def test_a_process_of_other_code_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_desk(tmp_path)
    monkeypatch.setattr(reading_apart, "_CODE", "that of yesterday")
    assert_read_here(tmp_path)


def test_a_process_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, started: list[Process]
) -> None:
    write_desk(tmp_path)
    monkeypatch.setattr(reading_apart, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(
        reading_apart, "command_of", lambda module: [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    assert_read_here(tmp_path)
    assert started[0].returncode == -signal.SIGKILL
    assert "it took longer than 0.2 seconds" in caplog.text


def test_a_site_that_stops_takes_the_process_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Process]
) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        app = wrap(lifespan_only, settings)
        async with running(app):
            await publish_elsewhere(settings)
            while not started:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert app.personalizer.rule_set is None

    monkeypatch.setattr(
        reading_apart, "command_of", lambda module: [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    asyncio.run(run())
    assert started[0].returncode == -signal.SIGKILL
    with pytest.raises(ChildProcessError):  # nor is there a zombie
        os.waitpid(started[0].pid, os.WNOHANG)


def test_what_is_saved_in_development_is_read_beside_pages(tmp_path: Path, started: list[Process]) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(lifespan_only, desk_settings(tmp_path, reload="save"))
        async with running(app):
            first = app.personalizer.rule_set
            assert first is not None
            write_desk(tmp_path, rules=RULES.replace("holds: 2", "holds: 3"))
            async with asyncio.timeout(20):
                while app.personalizer.rule_set is first:
                    await asyncio.sleep(0.02)
            assert not app.personalizer.health.failures

    asyncio.run(run())
    assert [one.returncode for one in started] == [0] * 4  # to publish and to serve, twice
