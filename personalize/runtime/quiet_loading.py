"""Loading a rule set beside a site that serves pages: in a thread that gets out of the way.

Ten thousand rules are seconds of work. What would make pages wait is not that work but three things around it: turns of
5 ms at Python's lock, the garbage collector, which would look through a million new objects again and again while all
else stands still, and freeing the earlier rule set in one go. So a large load takes short turns without the collector,
and what it made is kept out of later collections: a rule set has no circles, and is freed when the last page lets go.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from personalize.rules.ruleset import RuleSet

#: Texts of fewer characters load within a few turns; then nothing has to be different.
LARGE_CHARACTERS = 200_000
#: How long a thread keeps the lock while another one waits for it, during a large load.
TURN_SECONDS = 0.0005

_ONE_AT_A_TIME = Lock()
Loaded = TypeVar("Loaded")


async def load_quietly(load: Callable[[], Loaded], files: Mapping[str, str]) -> Loaded:
    """What `load` makes of these files; pages go on meanwhile."""
    import asyncio  # noqa: PLC0415  # a command that only looks at files has no use for it

    if sum(map(len, files.values())) < LARGE_CHARACTERS:
        return await asyncio.to_thread(load)
    return await asyncio.to_thread(_load, load)


def _load(load: Callable[[], Loaded]) -> Loaded:
    with _ONE_AT_A_TIME, _short_turns(), no_collections():
        return load()


@contextmanager
def _short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, TURN_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def no_collections() -> Iterator[None]:
    """No garbage is looked for within the block, nor later among what it made: for work whose results last."""
    is_usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_usual:
            gc.enable()


def pieces_of(rule_set: RuleSet) -> list[object]:
    """What makes most of a rule set, for `let_go`."""
    rules: list[object] = [rule for slot in rule_set.slots.values() for rule in slot.rules]
    return [*rules, *rule_set.segments.values(), *map(rule_set.index.fact, rule_set.facts)]


async def let_go(pieces: list[object]) -> None:
    """Free a rule set that nobody else holds any longer, piece by piece, so that pages have their turn in between."""
    import asyncio  # noqa: PLC0415  # as above

    await asyncio.to_thread(_let_go, pieces)


def _let_go(pieces: list[object]) -> None:
    while pieces:
        pieces.pop()
