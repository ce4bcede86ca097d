"""Seals: what stays of an id when everything else of a person is gone."""

import hashlib
import hmac
from collections.abc import Sequence

from personalize.errors import StoreError

_PURPOSE = b"erased profile:"


class Seals:
    """Tells an erased id when it comes again, and nobody without the site's secret whose it was.

    `keys` are those that sign cookies, oldest to newest: the newest seals, all recognise. So a key may go when the
    cookies that it signed have run out, and whose seals nobody asks for any more. HMAC with SHA-256, cut to 16 bytes.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(key.encode() for key in reversed(keys))

    def require(self) -> None:
        """Raises `StoreError` for a store that was made without keys: it could neither seal nor recognise anybody."""
        if not self._keys:
            raise StoreError("where visitors are erased, a store takes the keys of the site: SqliteStore(path, keys=…)")

    def seal(self, profile_id: str) -> bytes:
        """The seal to keep of an id. Raises `StoreError` for a store that was made without keys."""
        self.require()
        return _sealed(self._keys[0], profile_id)

    def all_of(self, profile_id: str) -> tuple[bytes, ...]:
        """Every seal that may stand for this id."""
        return tuple(_sealed(key, profile_id) for key in self._keys)


def _sealed(key: bytes, profile_id: str) -> bytes:
    return hmac.digest(key, _PURPOSE + profile_id.encode("utf-8", "surrogatepass"), hashlib.sha256)[:16]
