"""The address of a page, told by a request for a part of it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

#: How long an address may be in characters; a longer one is not believed.
LONGEST_ADDRESS: Final = 4_000


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page of this site as its visitor asked for it: `path` decoded, `query` as it stood there, both without host.

    `referrer` is where the visitor came from, empty for nowhere; None where the request itself tells.
    """

    path: str
    query: bytes = b""
    referrer: str | None = None


def read_page_address(text: str, referrer: str | None = None) -> PageAddress | None:
    """The page that a path with or without a query names; None for anything else, such as another site's."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text or len(text) > LONGEST_ADDRESS:
        return None
    if not text.isprintable():
        return None
    parts = urlsplit(text)
    path = unquote(parts.path)
    if parts.netloc or not path.isprintable():
        return None
    return PageAddress(path, parts.query.encode("utf-8"), None if referrer is None else referrer[:LONGEST_ADDRESS])
