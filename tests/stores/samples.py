"""Events to fill stores with: by hand, and drawn at random."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any, TypeVar

from hypothesis import strategies as st

from personalize.events.event import CONSENT, JOIN, MARK, PAGE_VIEW, RETRACT, SET, UNDO, Event, JSONValue
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.profiles.counters import Counter
from personalize.profiles.project import ProfileProjector
from personalize.stores.protocols import Projector

T = TypeVar("T")

BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMA = Schema(
    events=MappingProxyType(
        {"purchase": EventType("purchase", MappingProxyType({"amount": Shape(ValueType.MONEY)}), value="amount")}
    )
)
PROFILES = ("v:ann", "v:bob", "u:1", "u:2")

_ids = count()


def projectors(counters: tuple[Counter, ...] = ()) -> list[ProfileProjector]:
    """The projectors of a site that sells something."""
    return [ProfileProjector(SCHEMA, counters)]


class Refuses:
    """Projects as another one does, but for one event."""

    def __init__(self, event_id: str, projector: Projector | None = None) -> None:
        self._event_id = event_id
        self._projector = projector or ProfileProjector(SCHEMA)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._projector, name)

    def project(self, event: Event, rows: Mapping[str, Any]) -> Mapping[str, Any]:
        if event.event_id == self._event_id:
            raise ZeroDivisionError("a bug of ours")
        return self._projector.project(event, rows)


def at(minutes: float) -> datetime:
    """A moment, in minutes since the tests' own beginning of time."""
    return BEGIN + timedelta(minutes=minutes)


def purchase(profile_id: str = "v:ann", amount: int = 100, minutes: float = 0, event_id: str = "") -> Event:
    """Somebody bought something; with an id of its own where none is given."""
    return event("purchase", profile_id, {"amount": amount}, minutes, event_id)


def event(
    type_: str,
    profile_id: str = "v:ann",
    properties: Mapping[str, JSONValue] = MappingProxyType({}),
    minutes: float = 0,
    event_id: str = "",
    sender: str = "till",
) -> Event:
    """An event that was received a second after it occurred."""
    return Event(
        event_id=event_id or f"e{next(_ids):08d}",
        sender=sender,
        type=type_,
        profile_id=profile_id,
        occurred_at=at(minutes),
        received_at=at(minutes) + timedelta(seconds=1),
        properties=properties,
    )


async def all_of(items: AsyncIterator[T]) -> list[T]:
    """What an asynchronous iterator gives, as a list."""
    return [item async for item in items]


def _numbered(
    type_: str, profile_id: str, properties: Mapping[str, JSONValue], minutes: float, event_id: str, sender: str
) -> Event:
    """An event of a visitor with one of few ids; that of another visitor's event is another one, as stores may count
    an id once for each of them or once for all."""
    return event(type_, profile_id, properties, minutes, f"{profile_id}-{event_id}", sender)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
#: Whatever a JSON value can be: decimals of any precision, whole numbers of any size, text of any language.
any_properties = st.dictionaries(st.text(max_size=8), _values, max_size=4)

_event_ids = st.integers(0, 12).map(lambda number: f"e{number}")
_senders = st.sampled_from(["web", "till"])
_corrected = st.fixed_dictionaries(
    {"event_id": st.builds("{}-{}".format, st.sampled_from(PROFILES), _event_ids), "sender": _senders}
)
_properties = {
    PAGE_VIEW: st.fixed_dictionaries(
        {"path": st.sampled_from(["/", "/tents", "/søk"])}, optional={"source": st.sampled_from(["mail", "ads"])}
    ),
    "purchase": st.fixed_dictionaries({"amount": st.integers(0, 10**6)}),
    SET: st.dictionaries(
        st.sampled_from(["country", "tier"]), st.sampled_from(["NO", "gold"]) | st.integers(0, 9), min_size=1
    ),
    CONSENT: st.fixed_dictionaries(
        {"granted": st.lists(st.sampled_from(["measure", "personalize"]), unique=True, max_size=2)}
    ),
    JOIN: st.fixed_dictionaries({"from": st.sampled_from(["v:ann", "v:bob"])}),
    UNDO: st.fixed_dictionaries({"from": st.sampled_from(["v:ann", "v:bob"])}),
    RETRACT: _corrected,
    MARK: _corrected,
}
#: Events as a shop has them: few people, some joins, some that come late, some that come twice; some corrections of
#: others, by those they are of and by strangers, before and after these arrive.
events = st.sampled_from(sorted(_properties)).flatmap(
    lambda type_: st.builds(
        _numbered,
        st.just(type_),
        st.sampled_from(("u:1", "u:2") if type_ in (JOIN, UNDO) else PROFILES),
        _properties[type_],
        st.integers(0, 600),
        _event_ids,
        _senders,
    )
)
batches = st.lists(st.lists(events, max_size=12), max_size=6)
