"""What one request tells of itself: page, source, device, language; read once, when something first asks."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from personalize.decisions.context import RequestFacts
from personalize.visitors.sent_headers import SentHeaders
from personalize.web.headers import is_prefetch
from personalize.web.request.agents import Agent, agent_of

_LONGEST_TEXT: Final = 2_000
_LONGEST_LANGUAGES: Final = 1_000
_MOST_LANGUAGES: Final = 30
_MOST_PARAMETERS: Final = 100
_REMEMBERED: Final = 2_000
_NOTHING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:-[a-z0-9]{1,8})*", re.ASCII)
_SEARCH_ENGINES = ("google.", "bing.", "duckduckgo.", "yahoo.", "ecosia.", "qwant.", "startpage.", "baidu.", "yandex.")


def request_facts(query_string: bytes, path: str, headers: SentHeaders) -> RequestFacts:
    """The facts of an HTTP request, as far as it tells them; `path` is as the site itself knows it, `headers` are as
    they were sent.

    Nothing is taken from headers that any client could use to pass for another address; where they are is told by
    a fact source of the site, or by its GeoIP database.
    """
    raw = headers.raw
    sent = raw.get
    query = _query(query_string) if query_string else _NOTHING
    host, agent, language = _client(
        sent(b"host", b"")[:_LONGEST_TEXT],
        sent(b"user-agent", b"")[:_LONGEST_TEXT],
        sent(b"accept-language", b"")[:_LONGEST_TEXT],
    )
    referrer = sent(b"referer", b"")[:_LONGEST_TEXT]
    source, medium = _origin(query, referrer, host) if query or referrer else (None, None)
    return RequestFacts(  # by place: with names it would take more than twice as long
        path,
        host,
        query,
        referrer.decode("latin-1") or None,
        source,
        medium,
        _first(query, "utm_campaign") if query else None,
        agent.device,
        agent.browser,
        agent.os,
        language,
        None,  # country, region and city, which no header tells
        None,
        None,
        agent.is_bot,
        is_prefetch(raw),
        headers,
        SiteCookies(headers.cookies),
    )


@lru_cache(maxsize=_REMEMBERED)
def _client(host: bytes, user_agent: bytes, accept_language: bytes) -> tuple[str | None, Agent, str | None]:
    """The host that was asked, what the client is, and the language it likes best: the same for page after page. What
    is remembered has a bound in bytes, too: so nothing long is given."""
    return _host_of(b"//" + host), agent_of(user_agent), best_language(accept_language)


def _query(query_string: bytes) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    text = query_string[: 8 * _LONGEST_TEXT].decode("latin-1")
    for name, value in parse_qsl(text.replace(";", "%3B"), keep_blank_values=True)[:_MOST_PARAMETERS]:
        found[name] = (*found.get(name, ()), value[:_LONGEST_TEXT])
    return MappingProxyType(found)


def _first(query: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = query.get(name)
    return values[0] or None if values else None


def _origin(query: Mapping[str, tuple[str, ...]], referrer: bytes, host: str | None) -> tuple[str | None, str | None]:
    """Source and medium: what the link says of itself, else the site that referred, else nothing.

    A search engine's medium is `organic`, another site's `referral`; the site itself is no source.
    """
    source, medium = _first(query, "utm_source"), _first(query, "utm_medium")
    if source is not None or medium is not None or not referrer:
        return source, medium
    site = (_host_of(referrer) or "").removeprefix("www.")
    if not site or site == (host or "").removeprefix("www."):
        return None, None
    is_search = any(site.startswith(engine) or f".{engine}" in site for engine in _SEARCH_ENGINES)
    return site, "organic" if is_search else "referral"


@lru_cache(maxsize=_REMEMBERED)
def _host_of(url: bytes) -> str | None:
    try:
        return urlsplit(url.decode("latin-1")).hostname
    except ValueError:
        return None


@lru_cache(maxsize=_REMEMBERED)
def best_language(header: bytes) -> str | None:
    """The language that an `Accept-Language` header likes best, as its primary tag in small letters.

    Of equally liked ones the first; `*`, what has quality 0, and what is no language at all are left out.
    """
    best: tuple[float, str] | None = None
    for part in header[:_LONGEST_LANGUAGES].decode("latin-1").lower().split(",")[:_MOST_LANGUAGES]:
        tag, _, parameters = part.partition(";")
        language = _LANGUAGE.fullmatch(tag.strip())
        quality = _quality(parameters)
        if language is not None and quality and (best is None or quality > best[0]):
            best = (quality, language[1])
    return best[1] if best is not None else None


def _quality(parameters: str) -> float:
    if not parameters.strip():
        return 1.0
    found = _QUALITY.fullmatch(parameters.strip())
    return float(found[1]) if found is not None else 0.0


class SiteCookies(Mapping[str, str]):
    """The cookies of a request, for rules that read one; broken neighbours don't matter, the first of a name counts.
    They are told apart when somebody asks, which few rules do."""

    __slots__ = ("_found", "_header")

    def __init__(self, header: bytes) -> None:
        self._header = header
        self._found: Mapping[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> Mapping[str, str]:
        if self._found is None:
            found: dict[str, str] = {}
            for part in self._header.decode("latin-1").split(";"):
                key, equals, text = part.strip().partition("=")
                if equals:
                    found.setdefault(key, text.strip('"')[:_LONGEST_TEXT])
            self._found = found
        return self._found
