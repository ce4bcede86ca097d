"""A process that reads a site's files for another one: it is told which, and answers with what they define."""

import gc
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Never

from personalize.events.schema import Schema
from personalize.problems import Problem, Problems
from personalize.rules.own_facts import Occasion, OwnFact
from personalize.runtime.another_python import code_on_disk
from personalize.runtime.definition_pieces import pack, pack_definitions, unpack
from personalize.runtime.draft import read_files
from personalize.settings import Settings

#: How far pages come before it where both want the same processor: three times.
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """What is to be read, as `read_files` is told it. Of the site's `own_facts` these are the declarations; its code
    itself stays where it runs. One that `gives_way` lets pages come first."""

    files: Mapping[str, str]
    settings: Settings
    own_facts: Mapping[str, OwnFact] | None
    declared: Schema | None
    gives_way: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes first: the code that has read, and every problem. Where `is_valid`, what the files define follows."""

    code: str
    problems: tuple[Problem, ...]
    is_valid: bool


def reading_task(
    files: Mapping[str, str],
    settings: Settings,
    own_facts: Mapping[str, OwnFact] | None,
    declared: Schema | None,
    *,
    gives_way: bool,
) -> ReadingTask:
    """The task to read these files."""
    told = None if own_facts is None else {name: replace(one, answer=_away) for name, one in own_facts.items()}
    return ReadingTask(files, settings, told, declared, gives_way)


def _away(occasion: Occasion, argument: object = None) -> Never:
    raise AssertionError("who reads rules asks no fact")


def main() -> None:
    """Read what the input tells, and write what comes of it."""
    # Whatever else is printed must not stand between the answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    gc.disable()  # it ends before there is garbage to speak of
    task: ReadingTask = unpack(sys.stdin.buffer)
    if task.gives_way and hasattr(os, "nice"):
        os.nice(_NICENESS)
    problems = Problems()
    read = read_files(task.files, task.settings, problems, task.own_facts, task.declared)
    with suppress(BrokenPipeError):  # where whoever asked is no more, nobody waits for the answer
        pack(Answer(code_on_disk(), tuple(problems.list), read is not None), answers)
        if read is not None:
            pack_definitions(*read, answers)
        answers.flush()
    os._exit(0)  # to free a million values one by one would take a tenth of a second, and nobody needs it
