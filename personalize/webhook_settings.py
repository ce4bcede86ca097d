"""Which other systems are told that visitors enter and leave segments: the section `[webhooks]` of the settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from personalize.problems import did_you_mean, quoted
from personalize.setting_kinds import DURATION, SWITCH, Kind, number, of_kind

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
#: The purpose that counts where none is named, as of attributes and events.
_USUAL_PURPOSE = "personalize"
_KEYS = ("url", "segments", "purpose", "secret_file")


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """One system that is told. Nothing of a visitor goes there who has not agreed to the `purpose`; each line of the
    `secret_file`, which lies beside the settings, is a key that signs, oldest to newest."""

    name: str
    url: str
    segments: tuple[str, ...]
    secret_file: str
    purpose: str = _USUAL_PURPOSE


def _endpoints(value: object) -> tuple[WebhookEndpoint, ...]:
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise ValueError('it takes a table for each webhook, such as [webhooks.endpoints.crm] with url = "https://…"')
    return tuple(_endpoint(str(name), told) for name, told in value.items())


def _endpoint(name: str, told: Mapping[str, object]) -> WebhookEndpoint:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{quoted(name)} is no name of a webhook: it has small letters, digits, - and _")
    for key in told:
        if key not in _KEYS:
            guess = did_you_mean(key, _KEYS) or f"it has {', '.join(_KEYS)}"
            raise ValueError(f"{quoted(name)} has no {quoted(key)}; {guess}")
    for key in ("url", "segments", "secret_file"):
        if key not in told:
            raise ValueError(f"{quoted(name)} needs `{key}`")
    purpose = told.get("purpose", _USUAL_PURPOSE)
    if not isinstance(purpose, str) or not _PURPOSE.fullmatch(purpose):
        raise ValueError(f"{quoted(name)}: {quoted(str(purpose))} is no purpose, such as personalize or mail")
    return WebhookEndpoint(
        name=name,
        url=_url(name, told["url"]),
        segments=_segments(name, told["segments"]),
        secret_file=_text(name, "secret_file", told["secret_file"]),
        purpose=purpose,
    )


def _url(name: str, value: object) -> str:
    """An address without a login in it, which would end up in logs."""
    parts = urlsplit(value) if isinstance(value, str) and value.isascii() and value.isprintable() else None
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or " " in str(value):
        raise ValueError(f"{quoted(name)}: `url` takes a whole address, such as https://crm.example/hooks/segments")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError(f"{quoted(name)}: `url` takes neither a login nor a fragment")
    return str(value)


def _segments(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) for one in value):
        raise ValueError(f'{quoted(name)}: `segments` takes a list of names, such as ["lapsed-buyers"]')
    return tuple(dict.fromkeys(value))


def _text(name: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{quoted(name)}: `{key}` takes a path, such as var/crm.secret")
    return value


def _read_endpoints(text: str) -> object:
    """Webhooks in a variable, as JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


ENDPOINTS = Kind("webhooks by name", _endpoints, _read_endpoints)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Whom the site tells that a visitor has entered or left a segment, and how long it tries."""

    endpoints: tuple[WebhookEndpoint, ...] = field(
        default=(), metadata=of_kind(ENDPOINTS, "The systems that are told, each with its address and segments.")
    )
    give_up_after: timedelta = field(
        default=timedelta(days=3), metadata=of_kind(DURATION, "How long a message is tried, before it is given up.")
    )
    timeout_seconds: float = field(
        default=15.0, metadata=of_kind(number(0.1, 120), "How long one try may take, at most.")
    )
    allow_http: bool = field(
        default=False, metadata=of_kind(SWITCH, "Send to addresses with http, too; nothing hides it on the way then.")
    )
    allow_private: bool = field(
        default=False, metadata=of_kind(SWITCH, "Send to private addresses, such as those of this machine, too.")
    )

    @property
    def segments(self) -> tuple[str, ...]:
        """All segments that any of them is told of."""
        return tuple(dict.fromkeys(one for endpoint in self.endpoints for one in endpoint.segments))

    @property
    def hooks(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the webhooks that are told of each segment."""
        return {
            segment: tuple(one.name for one in self.endpoints if segment in one.segments) for segment in self.segments
        }

    def endpoint(self, name: str) -> WebhookEndpoint | None:
        """The webhook of this name, None where there is none any more."""
        return next((one for one in self.endpoints if one.name == name), None)

    def contradiction(self) -> str | None:
        """A sentence on settings that don't go together; None where all do."""
        for one in self.endpoints:
            if one.url.startswith("http:") and not self.allow_http:
                return f"webhooks: {quoted(one.name)} would be told over http, where anybody on the way can read it"
        return None
