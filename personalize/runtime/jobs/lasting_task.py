"""Work in the background that goes on for as long as the site runs, whatever happens to it once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

#: How long after an accident the work begins again.
RESTART_SECONDS = 1.0


class LastingTask:
    """Runs `work` until `stop`. Where it raises, `failed` is told, and it begins again a little later.

    An accident is met here, when the task is done, and by no `except`: nobody awaits such a task, so its error
    would be seen only at the shutdown, and would take the rest of the shutdown with it.
    """

    def __init__(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, failed: Callable[[BaseException], None]
    ) -> None:
        self._work = work
        self._name = name
        self._failed = failed
        self._task: asyncio.Task[None] | None = None
        self._restart: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.create_task(self._work(), name=self._name)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End; raises nothing of what the work has met. Harmless when it never began."""
        task, self._task = self._task, None
        if self._restart is not None:
            self._restart.cancel()
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self._failed(error)
        if self._task is task:
            self._restart = task.get_loop().call_later(RESTART_SECONDS, self.start)
