"""The facts that a condition may name, with the type of each and the consent it needs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from personalize.events.schema import DEFAULT_PURPOSE, OrganizationType, Schema, Shape, ValueType
from personalize.guesses import Guess
from personalize.problems import did_you_mean
from personalize.profiles.interests import tag_of
from personalize.rules.own_facts import NO_OWN_FACTS, OwnFact
from personalize.rules.paths import split_path


class FactValues(Protocol):
    """The values of facts by name, None where one is missing: a mapping, or what works them out for whoever asks."""

    def __getitem__(self, name: str, /) -> object:
        """The value."""

    def get(self, name: str, default: Any = None, /) -> Any:
        """The value as far as it is known by now, else the default."""


class FactType(StrEnum):
    """What a fact's value is, and so which operators it takes.

    `mapping` is several values together, in a list of such; `clock` is a time of day, `times` the latest times of a
    counter, `instant` the moment that is now, `pair` the values of two facts together.
    """

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    CHOICE = "choice"
    VERSION = "version"
    ANY = "any"
    MAPPING = "mapping"
    CLOCK = "clock"
    TIMES = "times"
    INSTANT = "instant"
    PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a condition can ask about.

    `root` and `key` say where it comes from (`purchase.total`: root `purchase`, key `total`). `many` facts hold a
    list. `path` leads on into a value of the type `any`; `fields` are those of a mapping in a list. `purpose` is the
    consent it needs, None for what needs none (a visit is known without a profile, too). `stored` facts need the
    profile to be read. `parts` are the facts that it is worked out from. A condition of the site's own `takes` an
    argument; each that a rule writes makes a fact of its own, true or false, that carries it.
    One that is not `personal` is the same for everybody who asks at the same moment. `event` is the type of the events
    that tell it, empty where none do.
    """

    name: str
    root: str
    key: str
    type: FactType
    many: bool = False
    fold: bool = False
    choices: tuple[str, ...] = ()
    purpose: str | None = None
    stored: bool = False
    title: str = ""
    path: tuple[str, ...] = ()
    fields: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    parts: tuple["Fact", ...] = ()
    takes: FactType | None = None
    argument: object = None
    personal: bool = True
    event: str = ""


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STATES = ("new", "active", "cooling", "lapsed", "returned")
DEVICES = ("desktop", "mobile", "tablet", "bot", "other")

_SHAPES = {
    ValueType.TEXT: FactType.TEXT,
    ValueType.NUMBER: FactType.NUMBER,
    ValueType.MONEY: FactType.MONEY,
    ValueType.BOOL: FactType.BOOL,
    ValueType.DATE: FactType.DATE,
    ValueType.TIME: FactType.TIME,
    ValueType.CHOICE: FactType.CHOICE,
    ValueType.VERSION: FactType.VERSION,
    ValueType.ANY: FactType.ANY,
    ValueType.MAPPING: FactType.MAPPING,
}

_VISITOR = (
    Fact("visitor.known", "visitor", "known", FactType.BOOL, title="we know the visitor"),
    Fact("visitor.new", "visitor", "new", FactType.BOOL, title="this is the first visit"),
    Fact("visitor.visits", "visitor", "visits", FactType.NUMBER, title="number of visits"),
    Fact("visitor.first_seen", "visitor", "first_seen", FactType.TIME, title="first seen"),
    Fact("visitor.last_seen", "visitor", "last_seen", FactType.TIME, title="last seen"),
    Fact("visitor.state", "visitor", "state", FactType.CHOICE, choices=STATES, title="state of the visitor"),
)
_PAGE = (
    Fact("page.path", "page", "path", FactType.TEXT, title="path of the page"),
    Fact("page.host", "page", "host", FactType.TEXT, fold=True, title="host name"),
    Fact("page.referrer", "page", "referrer", FactType.TEXT, title="referring page"),
    Fact("page.language", "page", "language", FactType.TEXT, fold=True, title="language of the browser"),
    Fact("page.device", "page", "device", FactType.CHOICE, fold=True, choices=DEVICES, title="kind of device"),
    Fact("page.browser", "page", "browser", FactType.TEXT, fold=True, title="browser"),
    Fact("page.os", "page", "os", FactType.TEXT, fold=True, title="operating system"),
    Fact("page.country", "page", "country", FactType.TEXT, fold=True, title="country"),
    Fact("page.region", "page", "region", FactType.TEXT, fold=True, title="region"),
    Fact("page.city", "page", "city", FactType.TEXT, fold=True, title="city"),
    Fact("page.channel", "page", "channel", FactType.TEXT, fold=True, personal=False, title="channel"),
    Fact("page.bot", "page", "bot", FactType.BOOL, title="a robot asks"),
)
_VISIT = (
    Fact("visit.source", "visit", "source", FactType.TEXT, fold=True, title="source of the visit"),
    Fact("visit.medium", "visit", "medium", FactType.TEXT, fold=True, title="medium of the visit"),
    Fact("visit.campaign", "visit", "campaign", FactType.TEXT, fold=True, title="campaign of the visit"),
    Fact("visit.landing_path", "visit", "landing_path", FactType.TEXT, title="first page of the visit"),
    Fact("visit.pages", "visit", "pages", FactType.NUMBER, title="pages seen in this visit"),
    Fact("visit.started", "visit", "started", FactType.TIME, title="start of the visit"),
)
_NOW = (
    Fact("now.time", "now", "time", FactType.CLOCK, personal=False, title="time of day"),
    Fact("now.weekday", "now", "weekday", FactType.CHOICE, choices=WEEKDAYS, personal=False, title="day of the week"),
    Fact("now.date", "now", "date", FactType.DATE, personal=False, title="today's date"),
    Fact("now.month", "now", "month", FactType.NUMBER, personal=False, title="month"),
    Fact("now.hour", "now", "hour", FactType.NUMBER, personal=False, title="hour"),
)
#: The moment itself, for the time window of a rule in the site's zone, and for one in the visitor's; editors write
#: `when` instead of naming it.
NOW_INSTANT = Fact("now.instant", "now", "instant", FactType.INSTANT, personal=False, title="now")
#: The name under which the moment by the visitor's clock stands; without it, the moment of asking is taken for it.
LOCAL_NOW = "now.local"
_LOCAL_INSTANT = Fact(LOCAL_NOW, "now", "local", FactType.INSTANT, title="now")

#: What facts of the language itself begin with, now or soon, so that no event may be called like it.
BUILT_IN_ROOTS = frozenset({"profile", "organization", "visitor", "page", "visit", "now", "interest", "did"})
#: The root of the facts of a site's own code, whatever they are called; no event can be called like it.
OWN_ROOT = "(own)"
#: The root of facts that say where somebody stands in a split.
SPLIT_ROOT = "(split)"
#: The root of facts that are two others together.
PAIR_ROOT = "(pair)"
#: What is known of every type of event, and of those with a value.
EVENT_KEYS = ("count", "first", "last", "total", "average", "first_value", "last_value")
#: Those that follow from the declared value of the events.
ADDED_UP_KEYS = frozenset({"total", "average", "first_value", "last_value"})
#: What is known of somebody's taste: `interest.top`, and `interest.` before any tag.
INTEREST_ROOT = "interest"
INTEREST_FAMILY = "interest."
_INTEREST_TOP = Fact(
    "interest.top",
    INTEREST_ROOT,
    "top",
    FactType.TEXT,
    fold=True,
    purpose=DEFAULT_PURPOSE,
    stored=True,
    title="what they like best",
)
#: The root of what is known of the organization that a visitor belongs to.
ORGANIZATION_ROOT = "organization"
#: What is known of every organization, so that no attribute of one can be called like it.
ORGANIZATION_KEYS = ("known", "members")
#: What is known of an event that members share.
SHARED_KEYS = ("count", "total", "average")
_FACTS_BEGIN = "facts begin with profile., visitor., page., visit., now., or the name of an event"
OPEN_FAMILIES = ("page.query.", "page.header.", "page.cookie.")


class Facts:
    """The facts of one site: the built-in ones, those that its schema declares, and those of its own code.

    `local_now` is the moment in the visitor's zone, None where nothing tells that zone. `open_families` are the
    beginnings behind which any name is a fact.
    """

    def __init__(self, schema: Schema, own: Mapping[str, OwnFact] = NO_OWN_FACTS) -> None:
        self._named: dict[str, Fact] = {fact.name: fact for fact in _all_facts(schema)}
        self.open_families = (*OPEN_FAMILIES, INTEREST_FAMILY) if schema.teaches_interests else OPEN_FAMILIES
        knows_zone = schema.zone_attribute is not None
        self.local_now = _in_visitors_zone(_LOCAL_INSTANT, schema) if knows_zone else None
        for declared in own.values():
            self._named[declared.name] = self._own_fact(declared)

    def get(self, name: str) -> Fact | None:
        """The fact of this name, or None where there is none."""
        known = self._named.get(name)
        return known or self._open_fact(name) or self._inside(name)

    def _open_fact(self, name: str) -> Fact | None:
        family = next((one for one in self.open_families if name.startswith(one) and len(name) > len(one)), None)
        if family is None:
            return None
        if family == INTEREST_FAMILY:
            return _interest_fact(name.removeprefix(family))
        return Fact(name, "page", name.removeprefix("page."), FactType.TEXT, many=True, title=name)

    def _inside(self, name: str) -> Fact | None:
        """What a path leads to inside a fact of the type `any`: `profile.family.father.age`."""
        steps = split_path(name)
        known = self._named.get(".".join(steps[:2])) if steps is not None and len(steps) > 2 else None
        if known is None or steps is None or known.type is not FactType.ANY or known.many:
            return None
        return replace(known, name=name, path=steps[2:], title=" ".join((known.title, *steps[2:])))

    def _own_fact(self, declared: OwnFact) -> Fact:
        parts = tuple(part for name in declared.reads if (part := self.get(name)) is not None)
        fact = shape_fact(declared.name, declared.shape, root=OWN_ROOT, key=declared.name)
        return replace(
            fact,
            purpose=declared.purpose,
            stored=any(part.stored for part in parts),
            title=declared.title,
            parts=parts,
            takes=None if declared.takes is None else _SHAPES[declared.takes],
        )

    def names(self) -> tuple[str, ...]:
        """Every name that can be listed; query parameters, headers, cookies and tags stand as `page.query.<name>`."""
        return (*self._named, *(f"{family}<name>" for family in self.open_families))

    def hint(self, name: str, also: Collection[str] = ()) -> str:
        """What may have been meant by a name that is no fact; `also` are other words that could stand there."""
        root, _, key = name.partition(".")
        keys = [known.removeprefix(f"{root}.") for known in self.names() if known.startswith(f"{root}.")]
        if not key and f"profile.{root}" in self._named:
            meant = f"profile.{root}"
            return Guess(f"did you mean `{meant}`?", name, None if f"page.{root}" in self._named else meant)
        outer = self._named.get(".".join(name.split(".")[:2]))
        if outer is not None:
            return f"`{outer.name}` is of the type {outer.type}, and paths lead into values of the type any alone"
        if name == "country":
            return (
                "`page.country` is where they are, if the developers have connected it; `profile.country` an attribute"
            )
        if (guess := did_you_mean(key, keys, before=f"{root}.")) is not None:
            return guess
        if root == INTEREST_ROOT:
            return "say in an event what tells their taste, as in interest: items.category"
        if root == "profile":
            return "declare it under `attributes:`"
        if root == ORGANIZATION_ROOT and not keys:
            return "declare what visitors belong to under `organization:`"
        if keys:
            return f"`{root}` has {', '.join(keys)}"
        return did_you_mean(name, (*self.names(), *also)) or _FACTS_BEGIN


def is_of_event(fact: Fact) -> bool:
    """Whether it is told by the events of a declared type, as `purchase.count` is."""
    return fact.root not in BUILT_IN_ROOTS and fact.key in EVENT_KEYS


def counter_fact(key: str, event: str, purpose: str, title: str) -> Fact:
    """The fact behind a `did` condition: the latest times of the counter of such events with this key."""
    return Fact(f"did.{key}", "did", key, FactType.TIMES, purpose=purpose, stored=True, title=title, event=event)


def with_parts(fact: Fact) -> Iterator[Fact]:
    """The fact, and all that it is worked out from."""
    yield fact
    for part in fact.parts:
        yield from with_parts(part)


def shape_fact(name: str, shape: Shape, *, root: str, key: str, path: tuple[str, ...] = ()) -> Fact:
    """A declared value as a fact; the elements of a list make it many."""
    many = shape.type is ValueType.LIST
    inner = shape.of if many and shape.of is not None else shape
    return Fact(
        name=name,
        root=root,
        key=key,
        type=_SHAPES[inner.type],
        many=many,
        fold=inner.fold,
        choices=inner.choices,
        title=name,
        path=path,
        fields=inner.fields,
    )


def _all_facts(schema: Schema) -> Iterator[Fact]:
    for fact in _VISITOR:
        purpose = None if fact.name == "visitor.known" else DEFAULT_PURPOSE
        yield replace(fact, stored=True, purpose=purpose)
    for fact in _VISIT:
        yield replace(fact, stored=True)
    yield from _PAGE
    yield from (_in_visitors_zone(fact, schema) for fact in _NOW)
    for attribute in schema.attributes.values():
        yield _attribute_fact(attribute.name, attribute.shape, attribute.purpose, attribute.title)
    if schema.teaches_interests:
        yield _INTEREST_TOP
    if schema.organization is not None:
        yield from _organization_facts(schema, schema.organization)
    for event in schema.events.values():
        shape = event.properties.get(event.value) if event.value else None
        yield from _event_facts(event.name, shape, event.purpose, event.title or event.name)


def _in_visitors_zone(fact: Fact, schema: Schema) -> Fact:
    """A fact of the time by the visitor's clock where an attribute tells the zone, else by the site's."""
    return fact if schema.zone_attribute is None else replace(fact, stored=True, personal=True)


def _attribute_fact(name: str, shape: Shape, purpose: str, title: str) -> Fact:
    fact = shape_fact(f"profile.{name}", shape, root="profile", key=name)
    return replace(fact, purpose=purpose, stored=True, title=title or name)


def _event_facts(name: str, value: Shape | None, purpose: str, title: str) -> Iterator[Fact]:
    amount = _SHAPES[value.type] if value is not None else FactType.NUMBER
    keys = {"count": FactType.NUMBER, "first": FactType.TIME, "last": FactType.TIME}
    if value is not None:
        keys |= {"total": amount, "average": amount, "first_value": amount, "last_value": amount}
    for key, type_ in keys.items():
        yield Fact(
            f"{name}.{key}",
            name,
            key,
            type_,
            purpose=purpose,
            stored=True,
            title=f"{title}: {key.replace('_', ' ')}",
            event=name,
        )


def _organization_facts(schema: Schema, declared: OrganizationType) -> Iterator[Fact]:
    """What is known of the organization, with the consent that belonging to it needs, or what is shared."""
    title, purpose = declared.title, schema.attributes[declared.by].purpose
    known = Fact("organization.known", ORGANIZATION_ROOT, "known", FactType.BOOL, stored=True)
    yield replace(known, title=f"they belong to one ({title})")
    yield Fact(
        "organization.members",
        ORGANIZATION_ROOT,
        "members",
        FactType.NUMBER,
        purpose=purpose,
        stored=True,
        title=f"{title}'s number of members",
    )
    for attribute in declared.attributes.values():
        name = f"organization.{attribute.name}"
        fact = shape_fact(name, attribute.shape, root=ORGANIZATION_ROOT, key=attribute.name)
        yield replace(fact, purpose=purpose, stored=True, title=f"{title}'s {attribute.title or attribute.name}")
    for shared in declared.shares:
        event = schema.events[shared]
        shape = event.properties.get(event.value) if event.value else None
        for fact in _event_facts(shared, shape, event.purpose, shared):
            if fact.key in SHARED_KEYS:
                key, said = f"{shared}.{fact.key}", f"{title}'s {shared.replace('_', ' ')} {fact.key}"
                name = f"organization.{key}"
                yield replace(fact, name=name, root=ORGANIZATION_ROOT, key=key, title=said, event="")


def _interest_fact(tag: str) -> Fact:
    """How much somebody likes what carries the tag; of however many spellings, the fact is one."""
    key = tag_of(tag)
    return replace(
        _INTEREST_TOP,
        name=f"{INTEREST_FAMILY}{key}",
        key=key,
        type=FactType.NUMBER,
        fold=False,
        title=f'interest in "{key}"',
    )
