"""Floors: how far back the log reaches, so that nothing which was removed for its age is counted twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from personalize.events.event import Event
from personalize.profiles.kept_totals import type_of


@dataclass(frozen=True, slots=True)
class Floors:
    """The moments before which the log takes nothing any more, since it may have lost what occurred then: `of_all` for
    any event, `of_types` by the type of what an event tells of. Without one the log has everything."""

    of_all: datetime | None = None
    of_types: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return self.of_all is not None or bool(self.of_types)

    def refuse(self, event: Event) -> bool:
        """Whether the log takes an event no more."""
        if self.of_all is not None and event.occurred_at < self.of_all:
            return True
        floor = self.of_types.get(type_of(event)) if self.of_types else None
        return floor is not None and event.occurred_at < floor

    def raised(self, others: "Floors") -> "Floors":
        """The higher of both, each by itself."""
        types = {*self.of_types, *others.of_types}
        of_types = {type_: _higher(self.of_types.get(type_), others.of_types.get(type_)) for type_ in sorted(types)}
        return floors_from([(None, _higher(self.of_all, others.of_all)), *of_types.items()])


NO_FLOORS = Floors()


def floors_from(rows: Iterable[tuple[str | None, datetime | None]]) -> Floors:
    """The floors of these types, None being all; those that are None are none."""
    found = {type_: at for type_, at in rows if at is not None}
    of_all = found.pop(None, None)
    return Floors(of_all, MappingProxyType({type_: at for type_, at in found.items() if type_ is not None}))


def _higher(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)
