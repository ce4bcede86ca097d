"""What a site declares: the attributes of a profile and the types of events, with the type of every value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

#: The purpose that an attribute or event serves where its declaration names none.
DEFAULT_PURPOSE = "personalize"


class ValueType(StrEnum):
    """The types a declared value may have. `any` is whatever JSON can hold."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    CHOICE = "choice"
    VERSION = "version"
    ANY = "any"
    LIST = "list"
    MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of one value. A list has the shape of its elements in `of`; a mapping names its `fields`."""

    type: ValueType
    of: "Shape | None" = None
    fields: Mapping[str, "Shape"] = field(default_factory=lambda: MappingProxyType({}))
    choices: tuple[str, ...] = ()
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """A declared attribute of a profile: what it holds, what for, and whether a browser may send it. One that
    `tells_zone` holds the name of the visitor's time zone, such as Europe/Oslo. Visitors are found by one that is
    `searchable`."""

    name: str
    shape: Shape
    title: str = ""
    purpose: str = DEFAULT_PURPOSE
    private: bool = False
    from_browser: bool = False
    tells_zone: bool = False
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class EventType:
    """A declared type of event. `value` names the property that totals add up; `interest` is the dotted path to the
    texts that tell what whoever does it likes. `keep` is for how long single events are kept, None for as long as the
    settings say; where it `keeps_totals`, what they added up to stays."""

    name: str
    properties: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""
    value: str | None = None
    purpose: str = DEFAULT_PURPOSE
    from_browser: bool = False
    interest: str | None = None
    keep: timedelta | None = None
    keeps_totals: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationType:
    """What profiles may belong to, such as a company. The attribute `by` of a profile names the one it belongs to;
    `shares` are the types of events that are added up over all members; `attributes` are its own."""

    by: str
    title: str = "Organization"
    shares: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a site declares of its profiles and events.

    `currency_digits` is how many digits of the currency stand behind the point (2 for cents). `zone_attribute` names
    the attribute that tells the visitor's time zone, if one does. `organization` is None where visitors belong to none.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))
    events: Mapping[str, EventType] = field(default_factory=lambda: MappingProxyType({}))
    currency_digits: int = 2
    organization: OrganizationType | None = None
    zone_attribute: str | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        tells_zone = (name for name, attribute in self.attributes.items() if attribute.tells_zone)
        object.__setattr__(self, "zone_attribute", next(tells_zone, None))

    def title_of_attribute(self, name: str) -> str:
        """What people call an attribute; its name where it has no title, or is not declared any more."""
        declared = self.attributes.get(name)
        return name if declared is None else declared.title or name

    def title_of_event(self, type_: str) -> str:
        """What people call events of a type; as for attributes."""
        declared = self.events.get(type_)
        return type_ if declared is None else declared.title or type_

    @property
    def searchable(self) -> frozenset[str]:
        """The attributes that visitors are found by."""
        return frozenset(name for name, attribute in self.attributes.items() if attribute.searchable)

    @property
    def teaches_interests(self) -> bool:
        """Whether some event tells what visitors like."""
        return any(event.interest is not None for event in self.events.values())
