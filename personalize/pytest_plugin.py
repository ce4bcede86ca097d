"""Runs the personas and examples of rule files in a site's own pytest suite, one test for each.

Name the settings file in the configuration of pytest (`personalize_settings = "personalize.toml"`), and its tests run
with the whole suite; or name it on the command line (`pytest personalize.toml`), and they run alone.

This module is imported by every run of pytest beside which personalize is installed, so it imports little itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from personalize.problems import Problem
    from personalize.rules.ruleset import RuleSet
    from personalize.runtime.examples import Trial
    from personalize.settings import Settings

_INI = "personalize_settings"
_AT = "personalize_at"
_FILE_NAME = "personalize.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two lines that a configuration of pytest may hold."""
    parser.addini(_INI, "The settings file of the site whose personas and examples are run.", type="paths", default=[])
    parser.addini(_AT, "The moment of those that name none, such as 2026-12-01T10:00; else now.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Add the settings file to what is run, unless the command line says what to run."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args += [str(path) for path in config.getini(_INI) if str(path) not in config.args]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RuleFiles | None:
    """The settings file, where it was asked for; one that is merely met in a folder is somebody's data."""
    is_asked_for = parent.session.isinitpath(file_path) and (
        file_path.name == _FILE_NAME or file_path in parent.config.getini(_INI)
    )
    return RuleFiles.from_parent(parent, path=file_path) if is_asked_for else None


class RuleFiles(pytest.File):
    """A site's files: one test that they can be loaded, and one for each persona's slot and each example."""

    def collect(self) -> Iterator[pytest.Item]:
        """The tests, in the order of personas, segments and rules."""
        from personalize.errors import SettingsError  # noqa: PLC0415
        from personalize.problems import Problems  # noqa: PLC0415
        from personalize.runtime.draft import load_files, read_draft  # noqa: PLC0415
        from personalize.runtime.examples import trials  # noqa: PLC0415
        from personalize.settings import load_settings  # noqa: PLC0415

        try:
            settings, problems = load_settings(self.path, os.environ), Problems()
        except SettingsError as error:
            raise self.CollectError(str(error)) from error
        draft = read_draft(settings, problems)
        rule_set = load_files(draft.files, settings, problems)
        errors = [problem for problem in problems.list if problem.severity == "error"]
        yield FilesItem.from_parent(self, name="the files can be loaded", errors=errors, files=draft.files)
        for trial in trials(rule_set) if rule_set is not None and not errors else ():
            made = {"trial": trial, "rule_set": rule_set, "settings": settings, "files": draft.files}
            yield TrialItem.from_parent(self, name=trial.name, **made)


class OutcomeError(Exception):
    """The files don't do what they say; `problems` are what is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class _Item(pytest.Item):
    """A test whose failure is told as `personalize check` tells it."""

    def __init__(self, *, files: dict[str, str], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.files = files

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: str | None = None) -> str:
        """The problems with their lines, or whatever pytest makes of another error."""
        from personalize.problems import render  # noqa: PLC0415

        if not isinstance(excinfo.value, OutcomeError):
            return str(super().repr_failure(excinfo))
        return "\n\n".join(render(one, self.files.get(one.file or "")) for one in excinfo.value.problems)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The settings file and the name: no line of Python stands behind the test."""
        return self.path, None, self.name


class FilesItem(_Item):
    """Whether the files can be loaded."""

    def __init__(self, *, errors: list[Problem], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.errors = errors

    def runtest(self) -> None:
        """Raise `OutcomeError` with every error."""
        if self.errors:
            raise OutcomeError(self.errors)


class TrialItem(_Item):
    """Whether one persona sees what it must, or one example comes out as it says."""

    def __init__(self, *, trial: Trial, rule_set: RuleSet, settings: Settings, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.trial, self.rule_set, self.settings = trial, rule_set, settings

    def runtest(self) -> None:
        """Raise `OutcomeError` with the answers that decided it."""
        from personalize.runtime.examples import outcome  # noqa: PLC0415

        problem = outcome(self.trial, self.rule_set, self.settings, now=self._now())
        if problem is not None:
            raise OutcomeError([problem])

    def _now(self) -> datetime:
        from personalize.runtime.clock import SystemClock  # noqa: PLC0415

        at = self.config.getini(_AT)
        return self.rule_set.conventions.moment(at) if at else SystemClock().now()
