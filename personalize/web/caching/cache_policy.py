"""What a response tells caches: nothing to keep, or for how long and for whom, whatever they believe most."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from personalize.web.headers import Pairs, RawHeaders

_CONTROL: Final = b"cache-control"
#: What one cache or another obeys before `Cache-Control`.
_IN_FRONT: Final = frozenset({b"surrogate-control", b"x-accel-expires", b"edge-control"})
#: The end of the names of all that is meant for one kind of cache (RFC 9213).
_TARGETED_CONTROL: Final = b"-cache-control"
_HEADERS: Final = frozenset({_CONTROL, b"expires", b"pragma", b"age"}) | _IN_FRONT
_NOT_SHARED: Final = frozenset({b"private", b"no-store", b"no-cache"})
_NOT_WITHOUT_LEAVE: Final = frozenset({b"*", b"cookie", b"authorization"})
#: A length of time: some edges write it with a unit (`1h`), some with how long it may be shown beyond (`600+60`). So
#: many of its digits are read that none is taken for a shorter one.
_AGE: Final = re.compile(
    rb"\b(s-maxage|max-age|cache-maxage|downstream-ttl|stale-while-revalidate|stale-if-error)"
    rb'(\s*=\s*"?)0*([0-9]{1,15})[0-9]*([smhd]?)(?:\+0*([0-9]{1,15})[0-9]*)?',
    re.IGNORECASE,
)
_UNITS: Final = {b"": 1, b"s": 1, b"m": 60, b"h": 3_600, b"d": 86_400}
#: In bytes; a longer list would cost a site's own headers their room.
_LONGEST_KEYS: Final = 2_000

KEEPS_NOTHING = b"private, no-store"
ASKS_EACH_TIME = b"private, no-cache"


def is_obeyed_first(name: bytes) -> bool:
    """Whether some cache obeys this header, its name in small letters, before `Cache-Control`."""
    return name in _IN_FRONT or name.endswith(_TARGETED_CONTROL)


def is_for_caches(name: bytes) -> bool:
    """Whether a header, its name in small letters, tells a cache how long or for whom it may keep a response."""
    return name in _HEADERS or name.endswith(_TARGETED_CONTROL)


def with_control(headers: Pairs, control: bytes) -> RawHeaders:
    """The headers with this `Cache-Control` alone, nothing that any cache would obey before it."""
    return [*_for_people(headers), (_CONTROL, control)]


def _for_people(headers: Pairs) -> RawHeaders:
    return [pair for pair in headers if not is_for_caches(pair[0].lower())]


def may_be_shared(headers: Pairs, *, is_known: bool) -> bool:
    """Whether the site leaves it to us to have a page shared: it says nothing against it and sets no cookie.

    Where it made the page for somebody it knows (`is_known`), or by what cookies say, it has to say itself that others
    may see it.
    """
    said: set[bytes] = set()
    varies: set[bytes] = set()
    for name, value in headers:
        key = name.lower()
        if key == b"set-cookie":
            return False
        if key == b"vary":
            varies |= _words(value)
        elif is_for_caches(key):
            said |= {word.partition(b"=")[0].strip() for word in _words(value)}
    if not said.isdisjoint(_NOT_SHARED) or b"*" in varies:
        return False
    leaves = not said.isdisjoint({b"public", b"s-maxage"})
    return leaves or not (is_known or not varies.isdisjoint(_NOT_WITHOUT_LEAVE))


def shared(
    headers: Pairs, *, seconds: int, now: datetime, vary: Sequence[str] = (), keys: Sequence[str] = ()
) -> RawHeaders:
    """The headers of a page that shared caches may keep for so long, or for less if the site says so.

    `vary` are the request headers that tell its variants apart, `keys` what it can be purged by; both are added to
    what the site has there. Browsers ask each time.
    """
    kept = _for_people(headers)
    lifetime = _lifetime(headers, now)
    seconds = seconds if lifetime is None else min(seconds, lifetime)
    kept = merged(kept, b"vary", vary) if vary else kept
    if keys:
        own = (
            list(keys) if len(" ".join(keys)) <= _LONGEST_KEYS else [key for key in keys if not key.startswith("item-")]
        )
        kept = _with_keys(kept, own)
    kept.append((_CONTROL, b"public, s-maxage=%d, max-age=0" % max(seconds, 0)))
    return kept


def capped(headers: Pairs, seconds: int, now: datetime) -> RawHeaders:
    """The headers with nothing that would have any cache keep the response for longer than so many seconds."""
    seconds = max(seconds, 0)
    return [(name, _capped(name.lower(), value, seconds, now)) for name, value in headers]


def _capped(name: bytes, value: bytes, seconds: int, now: datetime) -> bytes:
    if name == b"x-accel-expires":
        until = value.strip()
        if until.startswith(b"@") and until[1:].isdigit():
            return b"@%d" % min(int(until[1:]), int(now.timestamp()) + seconds)
        return b"%d" % min(int(until), seconds) if until.isdigit() else value
    if name == b"expires":
        at = _moment(value)
        latest = now + timedelta(seconds=seconds)
        return value if at is None or at <= latest else _http_date(latest)
    return _shortened(value, seconds) if is_for_caches(name) else value


def _shortened(value: bytes, seconds: int) -> bytes:
    """The lengths of time in a value cut to so many seconds, with those for which it may be shown beyond its own."""
    ages = [_seconds(found) for found in _AGE.finditer(value) if not _is_stale(found[1])]
    beyond = seconds - min(max(ages, default=0), seconds)

    def shorter(found: re.Match[bytes]) -> bytes:
        age, most = _seconds(found), beyond if _is_stale(found[1]) else seconds
        return found[0] if age + int(found[5] or 0) <= most else found[1] + found[2] + b"%d" % min(age, most)

    return _AGE.sub(shorter, value)


def _seconds(found: re.Match[bytes]) -> int:
    return int(found[3]) * _UNITS[found[4].lower()]


def _is_stale(name: bytes) -> bool:
    return name.lower().startswith(b"stale")


def merged(headers: Pairs, name: bytes, words: Iterable[str]) -> RawHeaders:
    """The headers with these words in a list such as `Vary`, each once; a `*` stays alone."""
    there = [value for key, value in headers if key.lower() == name]
    known = {word for value in there for word in _words(value)}
    new = [word.encode("ascii") for word in words if word.lower().encode("ascii") not in known]
    if b"*" in known or not new:
        return list(headers)
    value = b", ".join([*(one.strip().rstrip(b",") for one in there if one.strip()), *new])
    return [*(pair for pair in headers if pair[0].lower() != name), (name, value)]


def _with_keys(headers: Pairs, keys: Sequence[str]) -> RawHeaders:
    there = [key for name, value in headers if name.lower() == b"surrogate-key" for key in value.split()]
    own = [key.encode("utf-8") for key in keys]
    kept = [pair for pair in headers if pair[0].lower() != b"surrogate-key"]
    return [*kept, (b"surrogate-key", b" ".join(dict.fromkeys([*there, *own])))]


def _lifetime(headers: Pairs, now: datetime) -> int | None:
    """How many seconds shared caches may keep the page by what the site says; None where it says nothing of it."""
    ages: dict[bytes, int] = {}
    expires: int | None = None
    for name, value in headers:
        key = name.lower()
        if key == b"expires":
            at = _moment(value)
            expires = 0 if at is None else int((at - now).total_seconds())
        elif key == b"x-accel-expires" and value.strip().isdigit():
            ages[b"s-maxage"] = min(int(value), ages.get(b"s-maxage", int(value)))
        elif is_for_caches(key):
            for found in _AGE.finditer(value):
                age, seconds = found[1].lower().replace(b"cache-maxage", b"s-maxage"), _seconds(found)
                ages[age] = min(seconds, ages.get(age, seconds))
    return ages.get(b"s-maxage", ages.get(b"max-age", expires))


def _words(value: bytes) -> set[bytes]:
    return {word.strip().lower() for word in value.split(b",") if word.strip()}


def _moment(value: bytes) -> datetime | None:
    """The moment that a header names; one without a zone, as HTTP had them first, is in UTC."""
    try:
        at = parsedate_to_datetime(value.decode("latin-1"))
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _http_date(at: datetime) -> bytes:
    return format_datetime(at.replace(microsecond=0), usegmt=True).encode("ascii")
