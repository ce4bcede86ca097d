"""The operation that records a stream of events, one a line, in a bounded memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from personalize.api.events import EVENT, event_of
from personalize.api.operation import Answer, Call
from personalize.api.reading import lines, parsed
from personalize.api.recording import kept
from personalize.api.refusal import Refused
from personalize.errors import StoreError
from personalize.events.event import Event

#: So many lines are written at once: the next ones are not read before these are durable.
LINES_AT_ONCE = 500
#: Of so many lines it is told why they were refused; of all it is counted.
MOST_TOLD = 1_000


@dataclass(slots=True)
class _Part:
    """Some lines of the stream: their events with their numbers, and why some lines are none."""

    lines: int = 0
    events: list[Event] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


async def record_stream(call: Call) -> Answer:
    """Record the events of a stream.

    Where it breaks off, the answer says how many lines are done with: who sends again may begin behind them, or from
    the first, since each event counts once.
    """
    tally: dict[str, Any] = {"lines": 0, "new": 0, "repeated": 0, "refused": 0, "problems": []}
    try:
        async for part in _parts(call):
            await _write(call, part, tally)
            await asyncio.sleep(0)  # where nothing was to be written nobody else had a turn
    except Refused as refused:
        refused.more = tally
        raise
    except StoreError as error:
        detail = "the store could not keep the next lines"
        raise Refused("store_unavailable", detail, retry_after_seconds=1, more=tally) from error
    return Answer(200, tally)


async def _write(call: Call, part: _Part, tally: dict[str, Any]) -> None:
    outcomes = await kept(call, part.events) if part.events else ()
    for number, outcome in zip(part.numbers, outcomes, strict=True):
        if isinstance(outcome, Refused):
            part.problems.append({"line": number, **outcome.as_values()})
        else:
            tally[outcome] += 1
    part.problems.sort(key=itemgetter("line"))
    tally["lines"] += part.lines
    tally["refused"] += len(part.problems)
    tally["problems"] += part.problems[: MOST_TOLD - len(tally["problems"])]


async def _parts(call: Call) -> AsyncIterator[_Part]:
    part, number = _Part(), 0
    async for line in lines(call.receive):
        number += 1
        part.lines += 1
        if line.strip():
            _take(call, line, number, part)
        if part.lines == LINES_AT_ONCE:
            yield part
            part = _Part()
    if part.lines:
        yield part


def _take(call: Call, line: bytes, number: int, part: _Part) -> None:
    try:
        part.events.append(event_of(call, EVENT.read(parsed(line), "")))
        part.numbers.append(number)
    except Refused as refused:
        part.problems.append({"line": number, **refused.as_values()})
