"""Whether a request that changes something comes from the site's own pages.

Browsers say so themselves (`Sec-Fetch-Site`, and `Origin` in older ones), which no other site can forge; this
replaces tokens in forms, after Datasette's and Go's cross-origin protection.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the browser says that one of the site's own pages sent this. No word at all is a no."""
    found = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in headers}
    site = found.get(b"sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = found.get(b"origin")
    host = found.get(b"host", "")
    return bool(host) and _host_of(origin or "") == host.lower()


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
