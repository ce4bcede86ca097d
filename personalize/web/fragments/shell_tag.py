"""Validators of pages that are the same for everybody, but not what the site sent: their ETag says so.

So a cache can ask whether its copy is still good, and the site answers that about its own bytes. Whoever holds a copy
from before, without our mark or with another one, is given the whole page.
"""

import hashlib
import re
from collections.abc import Iterable

from personalize.web.headers import Pairs, RawHeaders

#: Changes when the same page is written in another way than before.
_WRITING = "1"
_DIGITS = 10
_ENTITY_TAG = re.compile(rb'(?:W/)?"([^"]*)\.pz-([0-9a-f]{%d})"' % _DIGITS)


class ShellTag:
    """The mark of pages into which these parts went, beside the site's own bytes."""

    def __init__(self, parts: Iterable[str]) -> None:
        digest = hashlib.sha256("\n".join((_WRITING, *parts)).encode()).hexdigest()
        self._mark = digest[:_DIGITS].encode("ascii")

    def outward(self, etag: bytes) -> bytes:
        """The ETag of the page, by the one that the site gave to its bytes. It is weak."""
        opaque = etag.strip().removeprefix(b"W/").strip(b'"')
        return b'W/"%b.pz-%b"' % (opaque, self._mark)

    def inward(self, headers: Pairs) -> RawHeaders:
        """What to ask the site of its bytes where a request names pages of ours by their ETags; nothing where not.

        The site may compare strongly or weakly, so it is given both forms.
        """
        named = [value for name, value in headers if name.lower() == b"if-none-match"]
        known = [tag for tag, mark in _ENTITY_TAG.findall(b",".join(named)) if mark == self._mark]
        return [(b"if-none-match", b", ".join(b'"%b", W/"%b"' % (tag, tag) for tag in known))] if known else []
