"""The one thread that writes to a SQLite file: what arrives while a commit runs shares the next one."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from personalize.stores.sqlite_errors import store_errors
from personalize.stores.sqlite_link import Link, gone, link_for_writing

T = TypeVar("T")

MOST_JOBS_OF_A_COMMIT = 256


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    work: Callable[[sqlite3.Connection], T]
    future: "Future[T]"


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs on a connection of its own, in the order in which they were given, each all or nothing.

    The future of a job is done when its commit has been synced to the disk. A job that raises is undone alone;
    when the transaction itself fails, every job of it gets a `StoreError` and the connection is made anew for
    the next one.
    """

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._link: Link | None = None
        self._may_create = True
        self._thread = threading.Thread(target=self._run, name=f"personalize writes {path.name}", daemon=True)

    def start(self) -> None:
        """Start the thread. The first job opens the file, and creates it where there is none."""
        self._thread.start()

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue a job; never waits. The job runs inside a transaction that has the write lock."""
        future: Future[T] = Future()
        self._jobs.put(_Job(work, future))
        return future

    def stop(self) -> None:
        """Finish the jobs given so far, close the connection, and end the thread. Waits for that."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            jobs, stopped = self._next_jobs()
            if jobs:
                self._commit(jobs)
        self._disconnect()

    def _next_jobs(self) -> tuple[list[_Job[Any]], bool]:
        """The jobs of the next commit, and whether they are the last: waits for one, takes what is there."""
        jobs: list[_Job[Any]] = []
        job = self._jobs.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
            if self._jobs.empty() or len(jobs) == MOST_JOBS_OF_A_COMMIT:
                return jobs, False
            job = self._jobs.get()
        return jobs, True

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        try:
            with store_errors(self._path):
                outcomes = self._transaction([job.work for job in jobs])
        except Exception as error:  # noqa: BLE001 - not swallowed: everybody who waits for this commit gets it
            self._disconnect()
            outcomes = [_Outcome(error=error)] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if outcome.error is None:
                job.future.set_result(outcome.result)
            else:
                job.future.set_exception(outcome.error)

    def _transaction(self, works: list[Callable[[sqlite3.Connection], Any]]) -> list[_Outcome]:
        link = self._connected()
        # A deferred BEGIN would be refused at its first write beside another writer, without waiting.
        link.connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._alone(link.connection, work) for work in works]
        link.connection.execute("COMMIT")
        if not link.holds:
            raise gone(self._path)
        return outcomes

    def _alone(self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Any]) -> _Outcome:
        connection.execute("SAVEPOINT job")
        try:
            with store_errors(self._path):
                outcome = _Outcome(work(connection))
        except Exception as error:  # a projector may raise anything; whoever waits for this job gets it
            if not connection.in_transaction:
                raise  # SQLite has given up the whole transaction, as it does when the disk is full
            connection.execute("ROLLBACK TO job")
            outcome = _Outcome(error=error)
        connection.execute("RELEASE job")
        return outcome

    def _connected(self) -> Link:
        if self._link is not None and not self._link.holds:
            self._disconnect()
        if self._link is None:
            self._link = link_for_writing(self._path, create=self._may_create, busy_seconds=self._busy_seconds)
            # A store that vanishes later is a loss to report, not to paper over with an empty file.
            self._may_create = False
        return self._link

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
