"""One operation of the API, declared: its address, who may call it, what it takes, what it answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope

from personalize.api.allowance import Allowance
from personalize.api.payloads import JSONSchema, Kind
from personalize.runtime.access import AccessScope, Caller
from personalize.runtime.visitor import Visitor

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer


class Role(Enum):
    """Who may call an operation that no scope of a token stands for."""

    #: Whoever shows a valid token, whatever it is for.
    ANY_TOKEN = "any token"
    #: A page of the site itself, for the visitor of the browser's cookie.
    BROWSER = "the site's own pages"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers when it went well."""

    status: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: by whom, and what its body holds.

    `values` are those of the declared fields; a stream is read by the operation itself. `visitor` is that of a browser.
    `misses` is how often a caller may ask for visitors of whom nothing is stored.
    """

    personalizer: "Personalizer"
    caller: Caller
    scope: Scope
    receive: Receive
    misses: Allowance
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    visitor: Visitor | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `who` is the scope of a token that it takes, or another role.

    `takes` is what its body holds, None for none; one that `streams` takes lines of it and reads them itself.
    `outcomes` are what it can answer when it went well: by status, in words, and the schema of it.
    """

    name: str
    method: str
    path: str
    who: AccessScope | Role
    words: str
    answer: Callable[[Call], Awaitable[Answer]]
    outcomes: Mapping[int, tuple[str, JSONSchema]]
    takes: Kind | None = None
    streams: bool = False
