"""Where a site tells us who is logged in and what was agreed to: small protocols, with the usual answers."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from personalize.settings import CookieSettings
from personalize.visitors.consent import REFUSED, UNKNOWN, Consent, parse_consent, stricter
from personalize.visitors.cookies import CookieNames, cookie_name, values_in
from personalize.visitors.sent_headers import SentHeaders

#: An ASGI connection scope.
Scope: TypeAlias = MutableMapping[str, Any]
#: A function of the site that reads from the scope who is logged in.
LoginFunction: TypeAlias = Callable[[Scope], str | None]


class LoginSource(Protocol):
    """Says who is logged in, as the site itself knows it, on every page view."""

    def user_id(self, scope: Scope) -> str | None:
        """The site's own id of the person, or None where nobody is logged in."""


class Authorizer(Protocol):
    """Says who of the staff may look at visitors, by the site's own login and roles."""

    def may_serve(self, scope: Scope) -> str | None:
        """The name of who asks, as it is to be written down; None for whoever may not."""


class ConsentSource(Protocol):
    """Says what the visitor has agreed to."""

    def read(self, scope: Scope) -> Consent:
        """The visitor's decision, or that there is none yet."""


class FactSource(Protocol):
    """Knows more of a request than we read from it, such as the country of an address."""

    def facts(self, scope: Scope) -> Mapping[str, Any]:
        """Fields of `RequestFacts` by name, in place of ours: `{"country": "NO"}`."""


class ScopeLogin:
    """The login that Starlette's AuthenticationMiddleware, or one like it, puts into `scope["user"]`.

    It is read after the site has run, so it does not matter which of the two wraps the other.
    """

    def user_id(self, scope: Scope) -> str | None:
        """The `identity` or `username` of an authenticated user. A display name is none: two people may share it."""
        user = scope.get("user")
        if user is None or not getattr(user, "is_authenticated", False):
            return None
        for name in ("identity", "username"):
            try:
                found = getattr(user, name, None)
            except NotImplementedError:  # Starlette's BaseUser.identity where a site leaves it out
                continue
            if found:
                return str(found)
        return None


@dataclass(frozen=True, slots=True)
class HeaderLogin:
    """A login that a proxy in front has checked and put into a header; the proxy must drop what clients send."""

    header: str

    def user_id(self, scope: Scope) -> str | None:
        """The header's value, or None where it is missing or empty."""
        wanted = self.header.lower().encode("latin-1")
        for name, value in scope.get("headers", ()):
            if bytes(name).lower() == wanted:
                return bytes(value).decode("latin-1").strip() or None
        return None


@dataclass(frozen=True, slots=True)
class CallableLogin:
    """A login that a function of the site reads from the scope."""

    read: LoginFunction

    def user_id(self, scope: Scope) -> str | None:
        """What the function says."""
        return self.read(scope)


@dataclass(frozen=True, slots=True)
class CallableAuthorizer:
    """Who may look, as a function of the site reads it from the scope."""

    read: LoginFunction

    def may_serve(self, scope: Scope) -> str | None:
        """What the function says."""
        return self.read(scope)


@dataclass(frozen=True, slots=True)
class CookieConsent:
    """Consent as our own form keeps it: one cookie with the purposes granted, the same text for all who refuse.

    Without a decision, `Sec-GPC: 1` counts as a refusal where `gpc_refuses` says so.
    """

    cookie_name: str
    purposes: Sequence[str]
    gpc_refuses: bool = True

    def read(self, scope: Scope) -> Consent:
        """The decision in the cookie, the strictest of several, else that of the browser's privacy signal."""
        sent = SentHeaders(list(scope.get("headers", ())))
        return self.or_signal(self.decided(sent.cookies, scope.get("scheme") == "https"), sent)

    def decided(self, cookies: bytes, is_secure: bool) -> Consent:
        """The strictest of the decisions in the cookies of a request, which `is_secure` where it came by https."""
        decided = UNKNOWN
        for text in values_in(cookies, cookie_name(self.cookie_name, secure=is_secure)):
            decided = stricter(decided, parse_consent(text, self.purposes))
        return decided

    def or_signal(self, decided: Consent, sent: SentHeaders) -> Consent:
        """What was decided; where nothing was, what the browser's privacy signal says."""
        if decided.granted is not None:
            return decided
        return REFUSED if self.gpc_refuses and has_privacy_signal(sent) else UNKNOWN


def cookie_names(settings: CookieSettings) -> Sequence[CookieNames]:
    """What our cookies are called, by whether a request came by https."""
    names = (settings.name, settings.consent_name, settings.arm_name)
    return tuple(CookieNames(*(cookie_name(name, secure=secure) for name in names)) for secure in (False, True))


def decided_by(source: ConsentSource) -> Callable[[bytes, bool], Consent]:
    """What reads a decision from cookies alone: that of our own form, where a site goes by it."""
    return source.decided if isinstance(source, CookieConsent) else lambda cookies, is_secure: UNKNOWN


def has_privacy_signal(sent: SentHeaders) -> bool:
    """Whether the browser sends `Sec-GPC: 1` (Global Privacy Control): do not follow me."""
    return (b"sec-gpc", b"1") in sent.pairs
