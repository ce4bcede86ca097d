"""Signed visitor ids: what our cookie carries, and how it is read without ever trusting it."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from itsdangerous import Signer

#: The first letter of an id: a browser nobody has logged in with, and one where a login was seen.
ANONYMOUS: Final = "v"
KNOWN: Final = "k"

RANDOM_BYTES: Final = 16
LONGEST_TOKEN: Final = 512

_ID_LENGTH: Final = 23
_REMEMBERED: Final = 4_096
_VISITOR_ID: Final = re.compile(r"[vk][A-Za-z0-9_-]{22}")


def visitor_id_from(chance: bytes, kind: str = ANONYMOUS) -> str:
    """A visitor id of 16 random bytes: `v` or `k`, then 22 URL-safe characters."""
    if len(chance) != RANDOM_BYTES or kind not in (ANONYMOUS, KNOWN):
        raise ValueError(f"a visitor id takes {RANDOM_BYTES} random bytes and a kind, {ANONYMOUS} or {KNOWN}")
    return kind + urlsafe_b64encode(chance).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A visitor id that we signed. `outdated` says with an older key: sign it again."""

    visitor_id: str
    outdated: bool


class Tokens:
    """Signs visitor ids and reads them back.

    `keys` are secret, oldest to newest: all are accepted, the newest signs, so a key is replaced by adding one
    and dropping the oldest when its cookies have run out. What was signed for another `purpose` is not
    accepted. HMAC with SHA-256, by itsdangerous. Raises ValueError where there is no key.
    """

    def __init__(self, keys: Sequence[str], purpose: str = "visitor") -> None:
        if isinstance(keys, str) or not keys or not all(keys):
            raise ValueError("signing takes a list of keys, none of them empty")
        #: The id in a text that `sign` made, or None for any other text; never raises. A page view after the first
        #: costs a look-up.
        self.read = lru_cache(maxsize=_REMEMBERED)(self._read)
        # What signs is derived of each key once: itsdangerous would do it for every text.
        signers = (Signer(key, salt=purpose, digest_method=hashlib.sha256) for key in reversed(keys))
        self._keys = tuple(signer.derive_key() for signer in signers)

    def sign(self, visitor_id: str) -> str:
        """The id and its signature as one cookie-safe text of 67 characters."""
        return _signed(self._keys[0], visitor_id)

    def _read(self, text: str) -> TokenReading | None:
        if len(text) > LONGEST_TOKEN or not text.isascii():
            return None
        visitor_id = text[:_ID_LENGTH]
        if not _VISITOR_ID.fullmatch(visitor_id):
            return None
        # Compared as text: decoding a signature first would let several texts stand for one.
        for place, key in enumerate(self._keys):
            if hmac.compare_digest(_signed(key, visitor_id), text):
                return TokenReading(visitor_id, outdated=place > 0)
        return None


def _signed(key: bytes, visitor_id: str) -> str:
    """What `Signer.sign` of itsdangerous gives."""
    signature = hmac.digest(key, visitor_id.encode(), "sha256")
    return f"{visitor_id}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"
