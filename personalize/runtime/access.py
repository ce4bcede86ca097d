"""Who may use the API, and for what: tokens with scopes, of which the store knows only the hash."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from types import MappingProxyType

from personalize.errors import StoreError
from personalize.runtime.clock import Clock
from personalize.runtime.page_events import WEB_SENDER
from personalize.stores.protocols import AccessToken, Store

#: What every token begins with, so that scanners of secrets find one that has slipped into a repository.
TOKEN_PREFIX = "pzt_"
TOKEN_BYTES = 32
LONGEST_TOKEN_NAME = 60
#: Senders of events that come by no token.
BROWSER_SENDER = "browser"
RESERVED_NAMES = frozenset({WEB_SENDER, "site", "import", BROWSER_SENDER})
#: For how long a worker believes what it has read of tokens: a revoked one is refused everywhere after so long.
BELIEVED_SECONDS = 1.0
#: A use is noted so seldom that it costs a token one write an hour and worker.
_USES_ARE_NOTED_EVERY = timedelta(hours=1)


class AccessScope(StrEnum):
    """What a token may be for; `SCOPE_WORDS` says each in words."""

    EVENTS_WRITE = "events:write"
    PROFILES_READ = "profiles:read"
    PROFILES_WRITE = "profiles:write"
    SEARCH = "search"
    DECIDE = "decide"
    EXPLAIN = "explain"
    CONSENT = "consent"
    PRIVACY = "privacy"
    SERVE = "serve"


SCOPE_WORDS: Mapping[AccessScope, str] = MappingProxyType(
    {
        AccessScope.EVENTS_WRITE: "record what happened, and take it back",
        AccessScope.PROFILES_READ: "read what is known of a visitor",
        AccessScope.PROFILES_WRITE: "set attributes of a visitor",
        AccessScope.SEARCH: "find a visitor by what is known of them",
        AccessScope.DECIDE: "ask what slots show to a visitor",
        AccessScope.EXPLAIN: "ask why; rules and values are told",
        AccessScope.CONSENT: "read and set what a visitor has agreed to",
        AccessScope.PRIVACY: "hand out and erase all that is stored of a visitor",
        AccessScope.SERVE: "see what somebody who serves a visitor may see; each look is written down",
    }
)


def minted_token(chance: bytes) -> str:
    """A new token of 32 random bytes: the prefix, and 43 letters that may stand in any header or variable."""
    if len(chance) != TOKEN_BYTES:
        raise ValueError(f"a token takes {TOKEN_BYTES} random bytes")
    return TOKEN_PREFIX + urlsafe_b64encode(chance).rstrip(b"=").decode("ascii")


def digest_of(token: str) -> str:
    """What is kept of a token: its SHA-256, in hex.

    A slow hash, as for passwords, guards what people choose against guessing; 256 random bits can't be guessed, and
    are hashed with every request.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks something of the API. `name` is the sender of the events that they bring."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: AccessScope) -> bool:
        """Whether they may do what is done under this scope."""
        return scope in self.scopes


class TokenBook:
    """The tokens of a store, as one worker knows them; read anew once a second at most, while somebody asks.

    They are looked up by hash, so how long it takes tells nothing of the tokens there are: who guesses can't choose
    with what the hash of a guess begins.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, AccessToken] = {}
        self._read_at = float("-inf")

    async def caller(self, token: str) -> Caller | None:
        """Who shows this token; None where it is none of ours, has expired or was revoked. Raises `StoreError`."""
        if monotonic() - self._read_at >= BELIEVED_SECONDS:
            read_at = monotonic()
            self._known = {one.digest: one for one in await self._store.tokens() if one.revoked_at is None}
            self._read_at = read_at
        kept, now = self._known.get(digest_of(token)), self._clock.now()
        if kept is None or (kept.expires_at is not None and kept.expires_at <= now):
            return None
        if kept.used_at is None or now - kept.used_at >= _USES_ARE_NOTED_EVERY:
            await self._note_use(kept, now)
        return Caller(kept.name, kept.scopes)

    async def _note_use(self, token: AccessToken, now: datetime) -> None:
        """Keep that it is in use; whoever shows it is served, whether that can be written now or not."""
        used = self._known[token.digest] = replace(token, used_at=now)
        with suppress(StoreError):
            await self._store.keep_token(used)
