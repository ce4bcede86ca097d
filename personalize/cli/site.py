"""The site that a command works for: its settings, its store, its draft, and what is live."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import click

from personalize.cli.findings import Failed, Findings, show, sources_of
from personalize.errors import InvalidFiles
from personalize.problems import Problem, Problems
from personalize.rules.ruleset import RuleSet
from personalize.rules.wall_clock import clock_remark
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import Draft, conventions_of, load_files, read_draft
from personalize.runtime.examples import run_trials
from personalize.runtime.geoip import check_geoip
from personalize.runtime.keys import known_keys, secret_keys
from personalize.runtime.publish import saved_rule_set
from personalize.settings import FILE_NAME, Settings, find_settings, load_settings
from personalize.stores.opening import database_file, open_store
from personalize.stores.protocols import Live, Store

#: Years that a rule may reach into, however many days it goes back or ahead.
_YEARS = range(1900, 9000)


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that can be published, with the warnings that came up."""

    draft: Draft
    rule_set: RuleSet
    warnings: tuple[Problem, ...]


class Site:
    """One site, read when a command first asks for it.

    `named` is the settings file of the command line. Raises `SettingsError` where the settings can't be used.
    """

    def __init__(self, named: Path | None, environ: Mapping[str, str]) -> None:
        self._named = named
        self._environ = environ

    @cached_property
    def path(self) -> Path | None:
        """The settings file, or None where the site has none."""
        return find_settings(self._named, self._environ)

    @cached_property
    def settings(self) -> Settings:
        """The site's settings; a folder without a sign of a site is refused before anything is written to it."""
        settings = load_settings(self.path, self._environ)
        if self.path is None and not settings.rules.is_dir():
            raise Failed(
                f"there is no site here: {Path.cwd()} has no {FILE_NAME}.\n"
                'Go to the folder of your site, name its file with --settings, or begin one with "personalize init".'
            )
        return settings

    @property
    def now(self) -> datetime:
        """The present moment."""
        return SystemClock().now()

    def moment(self, text: str | None) -> datetime:
        """The moment that `--at` names, in UTC: a date is its midnight in the site's zone. None is now.

        Says so where the clock shows that time twice, or never.
        """
        if text is None:
            return self.now
        try:
            moment = conventions_of(self.settings).moment(text)
        except OverflowError:
            moment = None
        except ValueError as error:
            raise click.BadParameter(
                f'"{text}" is not a moment: write a date (1997-10-01), or a date and time (1997-10-01T18:30).',
                param_hint="--at",
            ) from error
        if moment is None or moment.year not in _YEARS:
            raise click.BadParameter(
                f'"{text}" is too far away: its year is one from {_YEARS[0]} to {_YEARS[-1]}.', param_hint="--at"
            )
        remark = clock_remark(text, conventions_of(self.settings).zone)
        if remark is not None:
            click.echo(f"Note: {remark}.", err=True)
        return moment

    def read_draft(self, problems: Problems) -> Draft:
        """The files on disk."""
        return read_draft(self.settings, problems)

    def checked_draft(self, *, then: str = "") -> Checked:
        """The draft, ready to be used. Raises `Findings` with every problem, and `then`, what follows from them."""
        problems = Problems()
        draft = self.read_draft(problems)
        rule_set = load_files(draft.files, self.settings, problems)
        if rule_set is None or problems.has_errors:
            raise Findings(problems.list, sources_of(self.settings, draft.files), then=then)
        return Checked(draft, rule_set, problems.list)

    def tried_draft(self, *, then: str) -> Checked:
        """The draft, ready to go live: `checked_draft`, and its personas and examples come out as they say."""
        checked, problems = self.checked_draft(then=then), Problems()
        run_trials(checked.rule_set, self.settings, problems, now=self.now)
        if problems.has_errors:
            raise Findings(problems.list, sources_of(self.settings, checked.draft.files), then=then)
        return checked

    def check_geoip(self) -> None:
        """Look at the GeoIP database, where there is one. Raises `Findings` where it can't be used."""
        problems = Problems()
        check_geoip(self.settings, problems)
        if problems.has_errors:
            raise Findings(problems.list)

    def show_warnings(self, checked: Checked) -> None:
        """Print what is worth saying about a draft that can be used."""
        show(checked.warnings, sources_of(self.settings, checked.draft.files), err=True)

    @asynccontextmanager
    async def store(self, *, erases: bool = False) -> AsyncIterator[Store]:
        """The site's store, open for as long as the block runs; with its keys, which are made only for who `erases`."""
        keys = secret_keys(self.settings) if erases else known_keys(self.settings)
        async with _opened(open_store(self.settings.store, self.settings.root, keys)) as store:
            yield store

    @asynccontextmanager
    async def other_store(self, url: str, *, is_there: bool = True) -> AsyncIterator[Store]:
        """A store beside the site's own, open for as long as the block runs, with the site's keys.

        One that `is_there` is not made: raises `Failed` where its file is missing.
        """
        file = database_file(url, self.settings.root)
        if is_there and file is not None and not file.exists():
            raise Failed(f"there is no such store: {file} is missing.")
        async with _opened(open_store(url, self.settings.root, secret_keys(self.settings))) as store:
            yield store

    async def saved(self, store: Store, version: str) -> RuleSet:
        """A version that the store keeps. Raises `Findings` where it no longer loads, and `UnknownVersion`."""
        try:
            return await saved_rule_set(store, version, self.settings)
        except InvalidFiles as error:
            files = await store.rule_set(version)
            raise Findings(error.problems, sources_of(self.settings, files)) from error

    async def live(self, store: Store) -> tuple[Live, RuleSet] | None:
        """What is live, or None where nothing was ever published. Raises `Findings` as `saved` does."""
        live = await store.live()
        return None if live is None else (live, await self.saved(store, live.version))

    def written(self, moment: datetime) -> str:
        """A moment as the site writes it: `1997-10-01 00:00 UTC`."""
        local = moment.astimezone(conventions_of(self.settings).zone)
        return local.strftime("%Y-%m-%d %H:%M %Z")


@asynccontextmanager
async def _opened(store: Store) -> AsyncIterator[Store]:
    try:
        await store.open()
        yield store
    finally:
        await store.close()


pass_site = click.make_pass_decorator(Site)


def name_of_whoever() -> str:
    """Who runs the command, as the machine knows them."""
    return os.environ.get("USER") or os.environ.get("USERNAME") or "command line"
