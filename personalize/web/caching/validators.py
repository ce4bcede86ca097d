"""Our own validator of a filled page, and the answer to a browser that has these very bytes already (RFC 9110, 13)."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from personalize.web.headers import Pairs, RawHeaders

_HASH_BYTES: Final = 16
#: One entity tag of a list; what stands in quotes may hold commas.
_TAG: Final = re.compile(rb'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
#: What a 304 says nothing of, since it has no body; that of the stored page goes on to be true. Where it told how a
#: body ends, servers would send that end, and it would be read as the beginning of the next answer.
_OF_BODY: Final = frozenset(
    {
        *(b"content-length", b"content-type", b"content-encoding", b"content-language", b"content-range"),
        b"transfer-encoding",
    }
)


def etag_of(page: bytes) -> bytes:
    """The entity tag of a page as it leaves here. It is a weak one, since who compresses pages on their way changes
    their bytes and not what they say."""
    digest = urlsafe_b64encode(blake2b(page, digest_size=_HASH_BYTES).digest()).rstrip(b"=")
    return b'W/"' + digest + b'"'


def has_already(asked: Sequence[bytes], etag: bytes) -> bool:
    """Whether the values of `If-None-Match` say that the client has the page with this tag: one of a list, weak or
    not, or `*`."""
    if [value.strip() for value in asked] == [b"*"]:
        return True
    opaque = etag.removeprefix(b"W/").strip(b'"')
    return any(opaque == tag for value in asked for tag in _TAG.findall(value))


def not_modified(headers: Pairs) -> RawHeaders:
    """The headers of the 304 in place of a page with these headers: cookies and caching count for it, too."""
    return [pair for pair in headers if pair[0].lower() not in _OF_BODY]
