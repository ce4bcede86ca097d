"""One thing that happened: the only way in which anything stored ever changes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from personalize.light_values import light_dataclass, mypyc_attr

#: What an event's properties and a profile's attributes hold. Dates and instants are ISO 8601 text,
#: money is an int of the smallest unit, other decimal numbers are exact.
JSONValue: TypeAlias = "bool | int | Decimal | str | list[JSONValue] | dict[str, JSONValue] | None"

#: Event types that every site has; a site's own declarations may not reuse these names.
PAGE_VIEW: Final = "page_view"
IMPRESSION: Final = "impression"
#: That a slot came into view, as the script of its page tells.
SEEN: Final = "seen"
CLICK: Final = "click"
SET: Final = "set"
INTEREST: Final = "interest"
CONSENT: Final = "consent"
JOIN: Final = "join"
UNDO: Final = "undo"
RETRACT: Final = "retract"
MARK: Final = "mark"
#: That somebody has entered or left a watched segment, and what became of telling a webhook so.
SEGMENT_ENTERED: Final = "segment_entered"
SEGMENT_LEFT: Final = "segment_left"
WEBHOOK: Final = "webhook"
#: That somebody of the staff has looked at a visitor.
LOOK: Final = "staff_look"
#: What is kept of events whose time is over: what they added up to.
KEPT_TOTALS: Final = "kept_totals"
BUILT_IN_TYPES = frozenset(
    {
        *(PAGE_VIEW, IMPRESSION, SEEN, CLICK, SET, INTEREST, CONSENT, JOIN, UNDO, RETRACT, MARK),
        *(SEGMENT_ENTERED, SEGMENT_LEFT, WEBHOOK, LOOK, KEPT_TOTALS),
    }
)
#: What tells nothing new of a visitor: it follows from what is known, or is about others.
DERIVED_TYPES = frozenset({SEGMENT_ENTERED, SEGMENT_LEFT, WEBHOOK, LOOK})

#: The channel of the site's own pages.
WEB: Final = "web"
#: What names an event for ever: its sender, and its id there.
EventName: TypeAlias = tuple[str, str]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_DAY_SECONDS: Final = 86_400
_SECOND_MICROS: Final = 1_000_000
#: In front of the 14 hex digits of a moment, so that zeros which they begin with are written.
_LEADING_ONE: Final = 1 << 56


@mypyc_attr(acyclic=True)
@light_dataclass(frozen=False, slots=True)
class Event:
    """An entry of the log. `(sender, event_id)` names it for ever: the same one counts once.

    `profile_id` is the id it was sent with, never rewritten by a later join. Times are aware UTC datetimes.
    `version` is the rule set that was live, where one had a part in it.
    """

    event_id: Final[str]
    sender: Final[str]
    type: Final[str]
    profile_id: Final[str]
    occurred_at: Final[datetime]
    received_at: Final[datetime]
    properties: Final[Mapping[str, JSONValue]]
    channel: Final[str]
    version: Final[str | None]

    def __init__(
        self,
        event_id: str,
        sender: str,
        type: str,
        profile_id: str,
        occurred_at: datetime,
        received_at: datetime,
        properties: Mapping[str, JSONValue],
        channel: str = WEB,
        version: str | None = None,
    ) -> None:
        self.event_id = event_id
        self.sender = sender
        self.type = type
        self.profile_id = profile_id
        self.occurred_at = occurred_at
        self.received_at = received_at
        self.properties = properties
        self.channel = channel
        self.version = version


def minted_event_id(at: datetime, chance: bytes) -> str:
    """An event id that sorts by time: 14 hex digits of microseconds, then the given random bytes in hex.

    Time-ordered ids keep the log's unique index an append; `chance` should be at least 8 random bytes.
    """
    # Not `format`, which takes twice as long.
    return hex(_LEADING_ONE + to_micros(at))[len("0x1") :] + chance.hex()


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exact."""
    # Not `// MICROSECOND`, which divides large integers: every event that is written asks for a dozen of moments.
    since = at - EPOCH
    return (since.days * _DAY_SECONDS + since.seconds) * _SECOND_MICROS + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970, exact."""
    # A product: quicker than the constructor of timedelta, and every profile that is read has many of them.
    return EPOCH + MICROSECOND * micros
