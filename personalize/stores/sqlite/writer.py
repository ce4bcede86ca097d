"""The one thread that writes to a SQLite file: what arrives while a commit runs shares the next one."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from personalize.errors import StoreError
from personalize.stores.sqlite.errors import store_errors
from personalize.stores.sqlite.link import Link, gone, link_for_writing

T = TypeVar("T")

MOST_JOBS_OF_A_COMMIT = 256


@dataclass(slots=True)
class _Job:
    """`result` counts once `done`; `failure` is why its commit could not even begin. One that is to be `alone`
    was undone with others."""

    work: Callable[[sqlite3.Connection], Any]
    done: bool = False
    alone: bool = False
    result: Any = None
    failure: StoreError | None = None


class Writer:
    """Runs jobs on a connection of its own, in the order in which they were given, each all or nothing.

    The future of a job is done when its commit has been synced to the disk. Jobs that wait together are
    committed together. Where one of them raises, all are undone and each is done again in a transaction of its
    own, so that an error reaches whoever gave that job and nobody else; a job must therefore bear being run
    twice. A connection on which anything went wrong is not used again. `link_before` is the last one that was made.
    """

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="personalize writes")
        self._waiting: deque[_Job] = deque()
        self._link: Link | None = None
        self.link_before: Link | None = None
        self._may_create = True

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue a job; never waits. It runs inside a transaction that has the write lock.

        The first one opens the file, and creates it where there is none. The future raises what the job
        raises, or `StoreBusy` or `StoreUnavailable`.
        """
        job = _Job(work)
        self._waiting.append(job)
        self._executor.submit(self._commit_together)
        return self._executor.submit(self._result_of, job)

    def submit_bare(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue a job that runs outside of any transaction, for what SQLite does in none, such as VACUUM."""
        return self._executor.submit(self._run_bare, work)

    def stop(self) -> None:
        """Finish the jobs given so far, close the connection, and end the thread. Waits for that."""
        self._executor.submit(self._disconnect)
        self._executor.shutdown()

    def _commit_together(self) -> None:
        """One commit for all that wait; whatever raises here is met again in `_result_of`, by its owner."""
        if len(self._waiting) < 2 or self._waiting[0].alone:
            return
        try:
            link = self._begun()
        except StoreError as error:
            # Trying each alone would make the last one wait for a locked file as often as there are jobs.
            for job in self._taken():
                job.failure = error
            return
        jobs = self._taken()
        try:
            with self._committed(link):
                results = [job.work(link.connection) for job in jobs]
        except BaseException:
            for job in jobs:
                job.alone = True
            self._waiting.extendleft(reversed(jobs))
            raise
        for job, result in zip(jobs, results, strict=True):
            job.done, job.result = True, result

    def _taken(self) -> list[_Job]:
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_JOBS_OF_A_COMMIT))]

    def _result_of(self, job: _Job) -> Any:
        if job.failure is not None:
            raise type(job.failure)(job.failure.reason) from job.failure
        if not job.done:
            # Whatever still waits before this one was cancelled: its turn came, and nobody asked.
            while self._waiting.popleft() is not job:
                pass
            link = self._begun()
            with self._committed(link):
                job.result = job.work(link.connection)
        return job.result

    def _run_bare(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with store_errors(self._path):
                return work(self._linked().connection)
        except BaseException:
            self._disconnect()
            raise

    def _linked(self) -> Link:
        """A connection to the file that the path names now."""
        if self._link is not None and not self._link.holds:
            self._disconnect()
        self._link = self._link or self._connected()
        return self._link

    def _begun(self) -> Link:
        """The same, with a transaction that may write."""
        try:
            with store_errors(self._path):
                link = self._linked()
                # A deferred BEGIN would be refused at its first write beside another writer, without waiting.
                link.connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._disconnect()
            raise
        return link

    def _connected(self) -> Link:
        link = link_for_writing(self._path, self.link_before, create=self._may_create, busy_seconds=self._busy_seconds)
        # A store that vanishes later is a loss to report, not to paper over with an empty file.
        self._may_create = False
        self.link_before = link
        return link

    @contextmanager
    def _committed(self, link: Link) -> Iterator[None]:
        """Commits what is done inside and syncs it; undoes it all where anything raises."""
        try:
            with store_errors(self._path):
                yield
                link.connection.execute("COMMIT")
            if not link.holds:
                raise gone(self._path)
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
