"""Cookies: found among whatever else a browser sends, and written so that only this site's server sees them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

#: What browsers accept, in bytes of one cookie, and what we read of one header and of one name.
LONGEST_VALUE: Final = 4096
LONGEST_HEADER: Final = 65_536
MOST_VALUES: Final = 20
LONGEST_AGE_SECONDS: Final = 400 * 86_400
#: What was found in longer headers is not remembered, so that the memory has a bound in bytes, too.
LONGEST_REMEMBERED = 2_048

_HOST_PREFIX: Final = "__Host-"
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[A-Za-z0-9!#$%&'()*+./:<=>?@\[\]^_`{|}~-]*")
_PATH: Final = re.compile(r"/[A-Za-z0-9!$%&'()*+,./:=@_~-]*")


def cookie_values(headers: Iterable[tuple[bytes, bytes]], name: str) -> Sequence[str]:
    """Every value that the request's cookie headers give for a name, in order; never raises.

    Other cookies do not matter, however broken. One pair of quotes around a value is taken off. Values longer
    than a browser keeps are left out, and only the first 20 values of a name are read.
    """
    contents = [content for header, content in headers if len(header) == 6 and header.lower() == b"cookie"]
    return values_in(contents[0] if len(contents) == 1 else b"; ".join(contents), name)


def values_in(cookies: bytes, name: str) -> Sequence[str]:
    """The same of all the cookies of a request, as they stand in one header."""
    wanted = name.encode("latin-1", "replace")
    if wanted not in cookies:
        return ()
    return tuple(islice(_found(cookies[:LONGEST_HEADER], wanted), MOST_VALUES))


def _found(content: bytes, wanted: bytes) -> Iterator[str]:
    for part in content.split(b";"):
        name, equals, value = part.partition(b"=")
        if equals and name.strip() == wanted and len(value) <= LONGEST_VALUE:
            plain = value.strip()
            quoted = len(plain) >= 2 and plain[:1] == plain[-1:] == b'"'
            yield (plain[1:-1] if quoted else plain).decode("latin-1")


class CookieNames(NamedTuple):
    """What our cookies are called: that of the visitor's id, that of what they have decided, and that of an arm."""

    visitor: str
    consent: str
    arm: str


@lru_cache(maxsize=64)
def cookie_name(name: str, *, secure: bool) -> str:
    """The name under which a cookie is kept: on https with `__Host-`, so that no neighbouring host can plant it."""
    return f"{_HOST_PREFIX}{name}" if secure else name


def set_cookie(name: str, value: str, *, secure: bool, max_age_seconds: int, path: str = "/") -> str:
    """The `Set-Cookie` value that keeps a cookie, for at most the 400 days that browsers allow.

    `name` is as `cookie_name` gives it. Scripts cannot read the cookie, other sites' pages cannot send it along
    with what they post or embed. Raises ValueError for a name, value or path that a header cannot carry, and
    for a `__Host-` cookie that is not secure or not for `/`, which browsers would silently drop.
    """
    _check(name, value, secure=secure, path=path)
    age = min(max_age_seconds, LONGEST_AGE_SECONDS)
    ending = "; Secure" if secure else ""
    return f"{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{ending}"


def delete_cookie(name: str, *, secure: bool, path: str = "/") -> str:
    """The `Set-Cookie` value that makes the browser forget a cookie set with the same name and path."""
    return set_cookie(name, "", secure=secure, max_age_seconds=0, path=path)


def _check(name: str, value: str, *, secure: bool, path: str) -> None:
    for what, text, allowed in (("name", name, _NAME), ("value", value, _VALUE), ("path", path, _PATH)):
        if not allowed.fullmatch(text):
            raise ValueError(f"a cookie cannot have this {what}: {text[:100]!r}")
    if name.startswith(_HOST_PREFIX) and not (secure and path == "/"):
        raise ValueError(f"the cookie {name} has to be secure and for the path /")
