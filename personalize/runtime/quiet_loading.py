"""Loading a rule set beside a site that serves pages: in a thread that gets out of the way.

Ten thousand rules are a second of work, where what they define comes from a process of its own, and seconds where they
are read here. What would make pages wait is not that work but three things around it: turns of 5 ms at Python's lock,
the garbage collector, which would look through a million new objects again and again while all else stands still, and
freeing the earlier rule set in one go. So a large load takes short turns without the collector, and what it made is
kept out of later collections: a rule set has no circles, and is freed when the last page lets go.
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

    return await (asyncio.to_thread(quietly, load) if are_large(files) else asyncio.to_thread(load))


def are_large(files: Mapping[str, str]) -> bool:
    """Whether pages could wait for them."""
    return sum(map(len, files.values())) >= LARGE_CHARACTERS


def quietly(load: Callable[[], Loaded]) -> Loaded:
    """What `load` makes, in this thread, which gets out of the way of others."""
    with short_turns(), no_collections():
        return load()


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads of this process give way soon within the block; who asks for it meanwhile, too, waits."""
    with _ONE_AT_A_TIME:
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
    """A rule set and what makes most of it, for `let_go`."""
    rules: list[object] = [rule for slot in rule_set.slots.values() for rule in slot.rules]
    index = rule_set.index
    return [*rules, *rule_set.segments.values(), *rule_set.candidates.values(), *index.parts, index, rule_set]


async def let_go(pieces: list[object]) -> None:
    """Free a rule set that nobody else holds any longer, piece by piece, so that pages have their turn in between."""
    import asyncio  # noqa: PLC0415  # as above

    await asyncio.to_thread(_let_go, pieces)


def _let_go(pieces: list[object]) -> None:
    with short_turns():
        while pieces:
            pieces.pop()
