"""Events for tests of profiles, and a store in miniature that projects them the way real ones do."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from personalize.events.event import Event, JSONValue
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.profiles.counters import Counter
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.stores import projecting

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

SCHEMA = Schema(
    events={
        "purchase": EventType("purchase", {"amount": Shape(ValueType.MONEY)}, value="amount"),
        "rating": EventType("rating", {"stars": Shape(ValueType.NUMBER)}, value="stars"),
        "search": EventType("search"),
    }
)


def is_large(properties: Mapping[str, JSONValue]) -> bool:
    """A filter as a rule's `where` makes one: purchases of 5000 or more."""
    amount = properties.get("amount")
    return isinstance(amount, int) and amount >= 5000


COUNTERS = (
    Counter("purchase-any", "purchase", 3, lambda _properties: True),
    Counter("purchase-large", "purchase", 2, is_large),
    Counter("page", "page_view", 4, lambda _properties: True),
)


def minutes(number: float) -> datetime:
    """The moment so many minutes after the start of the test's history."""
    return START + timedelta(minutes=number)


def event(type_: str, profile_id: str, at: datetime, properties: Mapping[str, JSONValue] | None = None) -> Event:
    """An event as the log keeps it; its id is made of what it says."""
    event_id = f"{type_}-{profile_id}-{at.isoformat()}-{properties}"
    return Event(event_id, "test", type_, profile_id, at, at, properties or {})


def join(anonymous_id: str, known_id: str, at: datetime) -> Event:
    """A join of an anonymous profile into a known one."""
    return event("join", known_id, at, {"from": anonymous_id})


def projector() -> ProfileProjector:
    """A projector with the schema and counters of this file."""
    return ProfileProjector(SCHEMA, COUNTERS)


class Rows:
    """Rows kept as bytes, beside the log that they are projected from: a store's write in miniature."""

    def __init__(self, projector: ProfileProjector) -> None:
        self._projector = projector
        self._log: list[Event] = []
        self._kept: dict[str, bytes | None] = {}

    def apply(self, events: Iterable[Event]) -> None:
        """Project a batch, reading each row once and writing each at the end."""
        rows, batch = projecting.Rows(self._projector), list(events)
        self._log += batch
        projecting.read_by(self._kept.get, rows.project(batch))
        projecting.settle_by(self._kept.get, self._part, rows.settle())
        self._kept.update(rows.changes())

    def profiles(self) -> Mapping[str, Profile]:
        """All rows by profile id."""
        return {key: self._projector.decode(data) for key, data in sorted(self._kept.items()) if data is not None}

    def _part(self, asked: projecting.Part) -> projecting.Found:
        """The next two of the events that are asked for."""
        found = [
            (number, one)
            for number, one in enumerate(self._log, start=1)
            if number > asked.after
            and one.profile_id in asked.profile_ids
            and (asked.types is None or one.type in asked.types)
        ]
        return [one for _, one in found[:2]], found[:2][-1][0] if found else asked.after


def projected(events: Sequence[Event], batch: int = 1) -> Mapping[str, Profile]:
    """The profiles after all events, applied in batches of this size."""
    rows = Rows(projector())
    for begin in range(0, len(events), batch):
        rows.apply(events[begin : begin + batch])
    return rows.profiles()


_PATHS = st.sampled_from(["/", "/tents", "/cart"])
_SOURCES = st.sampled_from([None, "google", "mail"])
_AMOUNTS = st.none() | st.integers(-10_000, 10_000)
_STARS = st.decimals(-5, 5, places=2) | st.integers(-5, 5)

#: What may happen, as (type, properties), but for consent and joins.
HAPPENINGS = st.one_of(
    st.tuples(st.just("page_view"), st.fixed_dictionaries({"path": _PATHS, "source": _SOURCES})),
    st.tuples(st.just("purchase"), st.fixed_dictionaries({"amount": _AMOUNTS})),
    st.tuples(st.just("rating"), st.fixed_dictionaries({"stars": _STARS})),
    st.tuples(st.sampled_from(["impression", "click", "search", "undeclared"]), st.just({})),
    st.tuples(
        st.just("set"),
        st.dictionaries(st.sampled_from(["country", "tier"]), st.sampled_from([None, "NO", "SE", Decimal("1.5")])),
    ),
)
