"""Reads a large rule set in a process of its own, so that no page waits: what it defines comes over, and is compiled.

Reading ten thousand rules takes seconds and two hundred megabytes; what they define is a tenth of both. Where there can
be no such process, or it comes to nothing, the files are read here after all.
"""

import asyncio
import pickle
import subprocess
from collections.abc import Mapping
from functools import partial
from threading import Timer

from personalize.content.library import Library
from personalize.errors import ReadingStopped
from personalize.events.schema import Schema
from personalize.problems import Problems
from personalize.rules.definitions import Definitions
from personalize.rules.own_facts import OwnFact
from personalize.rules.ruleset import RuleSet
from personalize.runtime.another_python import code_on_disk, command_of, environment
from personalize.runtime.changed_files import read_changed
from personalize.runtime.clock import Clock
from personalize.runtime.definition_pieces import pack, unpack, unpack_definitions
from personalize.runtime.draft import load_files, read_files
from personalize.runtime.health import Health
from personalize.runtime.quiet_loading import are_large, load_quietly, quietly
from personalize.runtime.reading_process import Answer, reading_task
from personalize.settings import Settings

#: A process that takes longer is given up: ten thousand rules take three seconds, and ten on a busy machine.
LONGEST_SECONDS = 60.0

#: The code that runs here, told when it was loaded.
_CODE = code_on_disk()
#: What can come of an answer that is cut, or of other code than ours.
_SPOILT = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError)


async def load_beside_pages(
    files: Mapping[str, str],
    settings: Settings,
    problems: Problems,
    *,
    earlier: RuleSet | None = None,
    health: Health,
    clock: Clock,
) -> RuleSet | None:
    """What `load_files` makes of these files; pages go on meanwhile. Of many, those that are as they were in an
    `earlier` rule set are not read again. `problems` are told where it is None."""
    if are_large(files):
        found, reader = Problems(), ReaderApart(gives_way=earlier is not None)
        read = reader.read if earlier is None else partial(read_changed, earlier=earlier, read=reader.read)
        try:
            rule_set = await asyncio.to_thread(quietly, partial(load_files, files, settings, found, read=read))
        except ReadingStopped as error:
            health.failed("rules could not be read in a process of their own", error, clock.now())
        else:
            problems.extend(found.list if rule_set is None else ())
            return rule_set
        finally:
            await asyncio.to_thread(reader.stop)
    return await load_quietly(partial(load_files, files, settings, problems), files)


class ReaderApart:
    """Reads files in processes that are started for it, and are no more when they are read; few files it reads here.
    Where nothing is served yet, nothing is to be given way to."""

    def __init__(self, *, gives_way: bool) -> None:
        self._gives_way = gives_way
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def read(
        self,
        files: Mapping[str, str],
        settings: Settings,
        problems: Problems,
        own_facts: Mapping[str, OwnFact] | None,
        declared: Schema | None = None,
        /,
    ) -> tuple[Definitions, Library] | None:
        """What `read_files` gives. Raises `ReadingStopped` where the process does not come to its end."""
        if not are_large(files):
            return read_files(files, settings, problems, own_facts, declared)
        limit = Timer(LONGEST_SECONDS, self.stop)
        try:
            with self._started() as process:
                limit.start()
                assert process.stdin is not None
                with process.stdin as asked:
                    pack(reading_task(files, settings, own_facts, declared, gives_way=self._gives_way), asked)
                return _received(process, problems)
        except OSError as error:
            raise ReadingStopped(f"{type(error).__name__}: {error}") from error
        except _SPOILT as error:
            raise ReadingStopped(f"{self._end()}: {type(error).__name__}") from error
        finally:
            limit.cancel()

    def stop(self) -> None:
        """End the process, from whichever thread, and wait until it is gone; harmless where there is none, any more or
        yet."""
        self._is_stopped = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            command_of("personalize.runtime.reading_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            start_new_session=True,  # a Ctrl+C reaches the site alone, which then stops us
        )
        if self._is_stopped:
            self._process.kill()
        return self._process

    def _end(self) -> str:
        """How the process has ended, in words."""
        assert self._process is not None
        code = self._process.wait()
        if self._is_stopped:
            return f"it took longer than {LONGEST_SECONDS:g} seconds"
        return f"it was stopped by signal {-code}" if code < 0 else f"it ended with code {code}"


def _received(process: subprocess.Popen[bytes], problems: Problems) -> tuple[Definitions, Library] | None:
    assert process.stdout is not None
    answer: Answer = unpack(process.stdout)
    if answer.code != _CODE:
        raise ReadingStopped("the code was changed since this site was started")
    read = unpack_definitions(process.stdout) if answer.is_valid else None
    problems.extend(answer.problems)
    return None if problems.has_errors else read
