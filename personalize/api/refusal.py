"""Why the API refuses something, as RFC 9457 has it: a stable code, a sentence, a pointer, and what to do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from personalize.errors import EventRefused
from personalize.runtime.correcting import NO_SUCH_JOIN, TOO_LATE_TO_UNDO

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """One kind of refusal: its status, and its title, which is the same each time."""

    status: int
    title: str


#: Every code but those of events and attributes that are not as declared, which are E301 and on (docs/messages.md) and
#: always 422.
KINDS: Mapping[str, RefusalKind] = MappingProxyType(
    {
        "no_json": RefusalKind(400, "The body is no JSON"),
        "no_token": RefusalKind(401, "A token is needed"),
        "unknown_token": RefusalKind(401, "The token is not valid"),
        "missing_scope": RefusalKind(403, "The token is not for this"),
        "not_same_origin": RefusalKind(403, "Only the site's own pages may do this"),
        "no_visitor": RefusalKind(403, "The browser has no visitor who agreed to it"),
        "unknown_path": RefusalKind(404, "There is nothing here"),
        "unknown_visitor": RefusalKind(404, "Nothing is stored of such a visitor"),
        "unknown_slot": RefusalKind(404, "There is no such slot"),
        "no_organizations": RefusalKind(404, "The site knows no organizations"),
        NO_SUCH_JOIN: RefusalKind(404, "There is no such join"),
        "wrong_method": RefusalKind(405, "This address takes another method"),
        "too_slow": RefusalKind(408, "The body came too slowly"),
        "conflict": RefusalKind(409, "Another event has this id"),
        "erased": RefusalKind(409, "The visitor was erased"),
        "taken_over": RefusalKind(409, "The browser belongs to a login"),
        TOO_LATE_TO_UNDO: RefusalKind(409, "The join stands for too long"),
        "too_large": RefusalKind(413, "The body is too large"),
        "wrong_media_type": RefusalKind(415, "The body is of another type"),
        "invalid": RefusalKind(422, "The body does not fit"),
        "too_old": RefusalKind(422, "The event is older than the log"),
        "too_often": RefusalKind(429, "Too many requests"),
        "overloaded": RefusalKind(503, "Too much at once"),
        "store_unavailable": RefusalKind(503, "It can't be kept or read just now"),
        "nothing_live": RefusalKind(503, "No rules are published"),
        "not_yet": RefusalKind(503, "It is still being gathered"),
    }
)
#: What an event or attribute that does not fit its declaration is: its own code says more.
_UNDECLARED = RefusalKind(422, "It is not declared so")


class Refused(Exception):  # noqa: N818 - it says what happened
    """Ends a request. `pointer` leads to the part of the body at fault (RFC 6901), `retry_after_seconds` says when it
    may go well; `more` are further members of the answer."""

    def __init__(
        self,
        code: str,
        detail: str,
        pointer: str | None = None,
        hint: str | None = None,
        *,
        retry_after_seconds: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.hint = hint
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers
        self.more = more or {}

    @property
    def kind(self) -> RefusalKind:
        """What kind of refusal it is."""
        return KINDS.get(self.code, _UNDECLARED)

    def as_values(self) -> dict[str, Any]:
        """The members of a problem; those that say nothing are left out."""
        told = {
            "type": f"urn:personalize:problem:{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.code,
            "detail": self.detail,
            "pointer": self.pointer,
            "hint": self.hint,
        }
        return {name: value for name, value in told.items() if value is not None} | dict(self.more)

    def response(self) -> Response:
        """The answer. It says `close` where the rest of the body was not read."""
        response = Response(json.dumps(self.as_values()), self.kind.status, media_type=MEDIA_TYPE)
        if self.retry_after_seconds is not None:
            response.headers["retry-after"] = str(self.retry_after_seconds)
        if self.kind.status == 401:
            response.headers["www-authenticate"] = 'Bearer realm="personalize"'
        for name, value in self.headers:
            response.headers[name] = value
        return response


def not_declared(error: EventRefused, pointer: str) -> Refused:
    """The refusal of an event or attribute that does not fit what the site declares; `pointer` leads to its values."""
    field = "" if error.field is None else "/" + "/".join(map(escaped, error.field.split(".")))
    return Refused(error.code, error.reason, pointer=pointer + field)


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
