"""What stored profiles hold: the counters, added-up values, interests and organizations that rules may rely on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from personalize.events.schema import Schema
from personalize.profiles.counters import Counter


@dataclass(frozen=True, slots=True)
class Holding:
    """What profiles were projected for from the first event of the log to the last.

    `counters` says how many of the latest times each counter keeps, by its key; `values` by which property the
    events of a type are added up, as (type, property). `interests` says which events teach what somebody likes, as
    (type, path); all of them teach one thing, so it is right as a whole or not at all. So are the organizations:
    `memberships` says who belongs to one and what members share, each with its purpose. By the attributes that are
    `searchable` visitors are found.
    """

    counters: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    values: frozenset[tuple[str, str]] = frozenset()
    interests: frozenset[tuple[str, str]] = frozenset()
    memberships: frozenset[tuple[str, str]] = frozenset()
    searchable: frozenset[str] = frozenset()

    def covers(self, needed: "Holding") -> bool:
        """Whether profiles that hold this are right for whoever needs the other."""
        return (
            needed.values <= self.values
            and needed.searchable <= self.searchable
            and self.knows_interests(needed)
            and self.knows_organizations(needed)
            and all(self.counters.get(key, 0) >= limit for key, limit in needed.counters.items())
        )

    def knows_interests(self, needed: "Holding") -> bool:
        """Whether these events, and no others, have taught the interests; true where nobody asks for any."""
        return needed.interests in (frozenset(), self.interests)

    def knows_organizations(self, needed: "Holding") -> bool:
        """Whether members were counted by these declarations, and no others; true where nobody asks for any."""
        return needed.memberships in (frozenset(), self.memberships)

    def kept_under(self, other: "Holding") -> "Holding":
        """What of it stays right while events are projected for the other: nobody counts for the rest any more."""
        shared = self.counters.keys() & other.counters.keys()
        kept = {key: min(self.counters[key], other.counters[key]) for key in shared}
        interests = self.interests if self.interests == other.interests else frozenset()
        memberships = self.memberships if self.memberships == other.memberships else frozenset()
        searchable = self.searchable & other.searchable
        return Holding(MappingProxyType(kept), self.values & other.values, interests, memberships, searchable)


NOTHING_HELD = Holding()


def holding_for(schema: Schema, counters: Iterable[Counter]) -> Holding:
    """What profiles hold that are projected for these declarations and counters."""
    limits: dict[str, int] = {}
    for counter in counters:
        limits[counter.key] = max(counter.limit, limits.get(counter.key, 0))
    values = frozenset((event.name, event.value) for event in schema.events.values() if event.value is not None)
    interests = frozenset(
        (event.name, event.interest) for event in schema.events.values() if event.interest is not None
    )
    return Holding(MappingProxyType(limits), values, interests, frozenset(_memberships(schema)), schema.searchable)


def _memberships(schema: Schema) -> Iterator[tuple[str, str]]:
    declared = schema.organization
    if declared is None:
        return
    attribute = schema.attributes[declared.by]
    yield f"by {'folded ' if attribute.shape.fold else ''}{declared.by}", attribute.purpose
    yield from ((name, schema.events[name].purpose) for name in declared.shares)
