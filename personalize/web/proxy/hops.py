"""Headers from one hop to the next: those that are about a connection end with it (RFC 9110, 7.6)."""

import re

from personalize.web.headers import RawHeaders

_OF_A_CONNECTION = frozenset(
    {
        *(b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"),
        # No header of HTTP at all: programs behind CGI would read it as their own outgoing proxy ("httpoxy").
        b"proxy",
    }
)
#: Naming these in `Connection` would change what the next server understands by the message.
_NOT_TO_BE_NAMED = frozenset({b"host", b"content-length"})
#: Answered by the server that the visitor speaks to, when the body is first asked for.
_ANSWERED_HERE = frozenset({b"expect"})
_WITHOUT_BODY = frozenset({204, 304})
#: What no header may hold (RFC 9110, 5.5). Servers refuse to send one that does, and the visitor would get nothing.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def request_onward(headers: RawHeaders) -> RawHeaders:
    """The headers of a request as they go on; a length that a `Transfer-Encoding` overrules is gone, too."""
    dropped = _dropped(headers) | _ANSWERED_HERE
    if _is_encoded(headers):
        dropped |= {b"content-length"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def response_onward(headers: RawHeaders, status: int) -> RawHeaders:
    """The headers of a response as they go on, their names in small letters, as ASGI wants them.

    A length that no body will have is left out: where a `Transfer-Encoding` overrules it, and where the status
    allows no body. So is a header that could not be sent.
    """
    dropped = _dropped(headers)
    if status in _WITHOUT_BODY or _is_encoded(headers):
        dropped |= {b"content-length"}
    small = ((name.lower(), value) for name, value in headers)
    return [(name, value) for name, value in small if name not in dropped and not _CONTROL.search(value)]


def _dropped(headers: RawHeaders) -> frozenset[bytes]:
    """The names that stay behind: the usual ones, and those that `Connection` names."""
    named = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
    }
    return _OF_A_CONNECTION | (named - _NOT_TO_BE_NAMED) if named else _OF_A_CONNECTION


def _is_encoded(headers: RawHeaders) -> bool:
    return any(name.lower() == b"transfer-encoding" for name, _ in headers)
