"""A process that counts for another one: reads its task and then parts, a line each, and answers with a line."""

import asyncio
import json
import pickle
import sys
from contextlib import suppress
from typing import BinaryIO

from personalize.errors import PersonalizeError
from personalize.runtime.bulk.counting_sources import Task, loaded, source_of


def main() -> None:
    """Count what comes in, until the input ends. An error of ours is told as a text in place of an answer."""
    # Whatever the site's own code prints must not stand between the answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    # Where whoever asks is no more, nobody waits for the answer.
    with suppress(BrokenPipeError):
        try:
            asyncio.run(_serve(sys.stdin.buffer, answers))
        except PersonalizeError as error:
            _answer(answers, str(error))


async def _serve(asked: BinaryIO, answers: BinaryIO) -> None:
    task: Task = pickle.load(asked)
    rule_set = loaded(task.files, task.settings)
    async with source_of(task, rule_set) as source:
        for line in asked:
            _answer(answers, await source.count(json.loads(line)))


def _answer(answers: BinaryIO, answer: object) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
