"""Tokens of the API: known by their hash, refused when they are over, read seldom."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.runtime import access
from personalize.runtime.access import SCOPE_WORDS, AccessScope, TokenBook, digest_of, minted_token
from personalize.runtime.clock import FixedClock
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import AccessToken

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = minted_token(bytes(range(32)))
KEPT = AccessToken(digest_of(TOKEN), "till", frozenset({"decide"}), NOW - timedelta(days=1))


class Counting(MemoryStore):
    """Counts how often it is asked; fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0
        self.is_locked = False

    async def tokens(self) -> list[AccessToken]:  # type: ignore[override]
        self.reads += 1
        return list(await super().tokens())

    async def keep_token(self, token: AccessToken) -> None:
        if self.is_locked:
            raise StoreBusy
        self.writes += 1
        await super().keep_token(token)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the worker's clock for waiting says; the last value counts."""
    said = [100.0]
    monkeypatch.setattr(access, "monotonic", lambda: said[-1])
    return said


def test_a_token_has_256_bits_and_a_beginning_that_scanners_find() -> None:
    assert re.fullmatch(r"pzt_[A-Za-z0-9_-]{43}", TOKEN)
    with pytest.raises(ValueError, match="32 random bytes"):
        minted_token(b"short")


def test_what_is_kept_is_the_hash_alone() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", KEPT.digest)
    assert TOKEN not in repr(KEPT) and TOKEN.removeprefix("pzt_") not in repr(KEPT)


def test_every_scope_is_said_in_words() -> None:
    assert list(SCOPE_WORDS) == list(AccessScope)


@pytest.mark.parametrize("shown", ["", "pzt_", TOKEN[:-1], TOKEN + "A", TOKEN.upper(), "pzt_\udcff", "x" * 10_000])
def test_what_is_not_the_token_is_nobodys(shown: str) -> None:
    async def scene() -> None:
        store = MemoryStore()
        await store.keep_token(KEPT)
        assert await TokenBook(store, FixedClock(NOW)).caller(shown) is None

    asyncio.run(scene())


def test_who_shows_it_may_what_it_is_for() -> None:
    async def scene() -> None:
        store = MemoryStore()
        await store.keep_token(KEPT)
        caller = await TokenBook(store, FixedClock(NOW)).caller(TOKEN)
        assert caller is not None and caller.name == "till"
        assert caller.may(AccessScope.DECIDE) and not caller.may(AccessScope.PRIVACY)

    asyncio.run(scene())


def test_one_that_has_expired_is_nobodys() -> None:
    async def scene() -> None:
        store = MemoryStore()
        await store.keep_token(replace(KEPT, expires_at=NOW))
        assert await TokenBook(store, FixedClock(NOW - timedelta(seconds=1))).caller(TOKEN) is not None
        assert await TokenBook(store, FixedClock(NOW)).caller(TOKEN) is None

    asyncio.run(scene())


def test_a_revoked_one_is_refused_after_a_second_and_the_store_is_asked_no_oftener(seconds: list[float]) -> None:
    async def scene() -> None:
        store = Counting()
        await store.keep_token(KEPT)
        book = TokenBook(store, FixedClock(NOW))
        for _ in range(50):
            assert await book.caller(TOKEN) is not None
            assert await book.caller("pzt_guess") is None
        assert store.reads == 1
        await store.keep_token(replace(KEPT, revoked_at=NOW))
        seconds.append(101.0)
        assert await book.caller(TOKEN) is None

    asyncio.run(scene())


def test_a_use_is_noted_once_an_hour_and_never_in_the_way(seconds: list[float]) -> None:
    async def scene() -> None:
        store = Counting()
        await store.keep_token(KEPT)
        store.is_locked = True
        book = TokenBook(store, FixedClock(NOW))
        assert await book.caller(TOKEN) is not None
        store.is_locked, store.writes = False, 0
        for minutes in range(180):
            seconds.append(seconds[-1] + 60)
            book = TokenBook(store, FixedClock(NOW + timedelta(minutes=minutes)))
            assert await book.caller(TOKEN) is not None
        assert store.writes == 3
        (kept,) = await store.tokens()
        assert kept.used_at == NOW + timedelta(hours=2)

    asyncio.run(scene())


def test_where_the_store_does_not_answer_nobody_is_believed_on_old_news(seconds: list[float]) -> None:
    class Gone(MemoryStore):
        async def tokens(self) -> list[AccessToken]:  # type: ignore[override]
            raise StoreUnavailable

    async def scene() -> None:
        with pytest.raises(StoreUnavailable):
            await TokenBook(Gone(), FixedClock(NOW)).caller(TOKEN)

    asyncio.run(scene())
