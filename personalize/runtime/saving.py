"""`reload = "save"`, for development: every valid save of a rule or content file publishes itself."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from personalize.errors import InvalidFiles, SettingsError, StoreError
from personalize.problems import Problem, Problems, render, summary
from personalize.runtime.clock import Clock
from personalize.runtime.draft import draft_folders, read_draft
from personalize.runtime.follow import Follower
from personalize.runtime.health import Health
from personalize.runtime.jobs.lasting_task import LastingTask
from personalize.runtime.publish import publish
from personalize.runtime.reading_apart import load_beside_pages
from personalize.settings import Settings
from personalize.stores.protocols import Store

_BY = "save"

#: Watches folders; gives a set of changes at a time, each with its path.
Watch: TypeAlias = Callable[..., AsyncIterator[Iterable[tuple[object, str]]]]

logger = logging.getLogger("personalize")


class SaveWatcher:
    """Publishes the files of one site when they are saved; says what is wrong with them where they can't be.

    The `follower` looks after each save, to serve what came of it. Raises `SettingsError` where the settings ask for it
    and the library that watches is not installed.
    """

    def __init__(self, store: Store, settings: Settings, *, clock: Clock, health: Health, follower: Follower) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._health = health
        self._follower = follower
        self._awatch = _watcher() if settings.reload == "save" else None
        self._task = LastingTask(self._watch, name="personalize-save", failed=self._failed)

    def start(self) -> None:
        """Watch from now on, if the settings say so."""
        if self._awatch is not None:
            self._task.start()

    async def stop(self) -> None:
        """Watch no longer."""
        await self._task.stop()

    async def publish_saved(self) -> None:
        """Publish the files as they are on disk; what is live stays so where they are not valid."""
        problems = Problems()
        draft = read_draft(self._settings, problems)
        try:
            if problems.has_errors:
                raise InvalidFiles(problems.list)
            load = partial(load_beside_pages, earlier=self._follower.served, health=self._health, clock=self._clock)
            await publish(self._store, draft, self._settings, at=self._clock.now(), by=_BY, load=load)
        except InvalidFiles as error:
            self._health.failed("saved files are not valid", error, self._clock.now())
            for problem in error.problems:
                logger.error("%s", render(problem, draft.files.get(problem.file or "")))
            logger.error("%s; what was live stays live", summary(error.problems))

    async def _watch(self) -> None:
        if self._awatch is None:
            return
        folders = [folder for folder in draft_folders(self._settings) if folder.is_dir()]
        async for changes in self._awatch(*folders):
            try:
                await self.publish_saved()
            except StoreError as error:
                self._health.failed("saved files could not be published", error, self._clock.now())
            # Templates come with the code: a new one leaves the version what it was.
            await self._follower.refresh(force=self._concerns_templates(changes))

    def _concerns_templates(self, changes: Iterable[tuple[object, str]]) -> bool:
        folder = self._settings.templates.resolve()
        return any(Path(path).resolve().is_relative_to(folder) for _, path in changes)

    def _failed(self, error: BaseException) -> None:
        self._health.failed("watching for saved files broke off", error, self._clock.now())


def _watcher() -> Watch:
    """The watching library, which production does not need."""
    try:
        from watchfiles import awatch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        problem = Problem(
            "E061", '`reload = "save"` needs the library watchfiles', hint="pip install 'personalize[server]'"
        )
        raise SettingsError((problem,)) from error
    return awatch
