"""`reload = "save"`, for development: every valid save of a rule or content file publishes itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from personalize.errors import InvalidFiles, SettingsError, StoreError
from personalize.problems import Problem, Problems, render, summary
from personalize.runtime.clock import Clock
from personalize.runtime.draft import draft_folders, read_draft
from personalize.runtime.health import Health
from personalize.runtime.publish import publish
from personalize.settings import Settings
from personalize.stores.protocols import Store

_BY = "save"

#: Watches folders; gives a set of changes at a time.
Watch: TypeAlias = Callable[..., AsyncIterator[object]]

logger = logging.getLogger("personalize")


class SaveWatcher:
    """Publishes the files of one site when they are saved; says what is wrong with them where they can't be."""

    def __init__(self, store: Store, settings: Settings, *, clock: Clock, health: Health) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._health = health
        self._task: asyncio.Task[None] | None = None

    def start(self, published: Callable[[], Awaitable[None]]) -> None:
        """Watch from now on, if the settings say so; `published` is awaited after each publishing.

        Raises `SettingsError` where the library that watches is not installed.
        """
        if self._settings.reload == "save":
            self._task = asyncio.create_task(self._watch(_watcher(), published), name="personalize-save")

    async def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def publish_saved(self) -> None:
        """Publish the files as they are on disk; what is live stays so where they are not valid."""
        problems = Problems()
        draft = read_draft(self._settings, problems)
        try:
            if problems.has_errors:
                raise InvalidFiles(problems.list)
            await publish(self._store, draft, self._settings, at=self._clock.now(), by=_BY)
        except InvalidFiles as error:
            self._health.failed("saved files are not valid", error, self._clock.now())
            for problem in error.problems:
                logger.error("%s", render(problem, draft.files.get(problem.file or "")))
            logger.error("%s; what was live stays live", summary(error.problems))

    async def _watch(self, awatch: Watch, published: Callable[[], Awaitable[None]]) -> None:
        folders = [folder for folder in draft_folders(self._settings) if folder.is_dir()]
        async for _ in awatch(*folders):
            try:
                await self.publish_saved()
            except StoreError as error:
                self._health.failed("saved files could not be published", error, self._clock.now())
            await published()


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
