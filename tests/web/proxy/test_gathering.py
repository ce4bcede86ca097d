"""Parts of a page, gathered for a moment."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.web.proxy.gathering import gathered

SHORT_SECONDS = 0.05


async def coming(*parts: bytes | Exception | float) -> AsyncGenerator[bytes]:
    """Parts; a number is a pause in seconds, an exception is raised."""
    for part in parts:
        if isinstance(part, Exception):
            raise part
        if isinstance(part, float):
            await asyncio.sleep(part)
        else:
            yield part


async def all_of(pieces: AsyncGenerator[tuple[bytes, bool]], seen: list[tuple[bytes, bool]]) -> None:
    async with aclosing(pieces):
        async for piece in pieces:
            seen.append(piece)


def pieces_of(*parts: bytes | Exception | float, most_bytes: int = 100) -> list[tuple[bytes, bool]]:
    seen: list[tuple[bytes, bool]] = []
    asyncio.run(all_of(gathered(coming(*parts), seconds=SHORT_SECONDS, most_bytes=most_bytes), seen))
    return seen


@pytest.mark.parametrize(
    ("parts", "pieces"),
    [
        ([], [(b"", True)]),
        ([b"a", b"b", b"c"], [(b"abc", True)]),
        ([b"a", 0.001, b"b"], [(b"ab", True)]),
        ([b"a", 0.3, b"b", b"c"], [(b"a", False), (b"b", False), (b"c", False), (b"", True)]),
        ([0.3, b"a"], [(b"a", False), (b"", True)]),
        ([b"a" * 60, b"b" * 60, b"c"], [(b"a" * 60 + b"b" * 60, False), (b"c", False), (b"", True)]),
    ],
)
def test_what_comes_soon_is_one_piece_and_what_comes_later_goes_on_as_it_comes(
    parts: Sequence[bytes | float], pieces: list[tuple[bytes, bool]]
) -> None:
    assert pieces_of(*parts) == pieces


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 50))
def test_no_byte_is_lost_and_the_last_piece_alone_says_so(parts: list[bytes], most_bytes: int) -> None:
    pieces = pieces_of(*parts, most_bytes=most_bytes)
    assert b"".join(piece for piece, _ in pieces) == b"".join(parts)
    assert [is_last for _, is_last in pieces] == [False] * (len(pieces) - 1) + [True]


def test_what_came_before_a_fault_is_given_and_nothing_is_called_the_last() -> None:
    seen: list[tuple[bytes, bool]] = []
    with pytest.raises(ZeroDivisionError):
        asyncio.run(all_of(gathered(coming(b"a", ZeroDivisionError()), seconds=1, most_bytes=100), seen))
    assert seen == [(b"a", False)]


def test_whoever_stops_listening_stops_the_waiting() -> None:
    stopped: list[str] = []

    async def endless() -> AsyncGenerator[bytes]:
        try:
            await asyncio.sleep(60)
            yield b"never"
        except asyncio.CancelledError:
            stopped.append("stopped")
            raise

    async def test() -> None:
        async with asyncio.timeout(SHORT_SECONDS):
            await all_of(gathered(endless(), seconds=60, most_bytes=100), [])

    with pytest.raises(TimeoutError):
        asyncio.run(test())
    assert stopped == ["stopped"]
