"""How the values of facts are worked out from all that a rule can see: one by one, or many of a kind at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from personalize.events.schema import DEFAULT_PURPOSE
from personalize.hashing import share
from personalize.profiles.encoding import kept_value, own, totals_reader
from personalize.profiles.lifecycle import is_new, state_of
from personalize.profiles.profile import Profile, SharedTotals, Totals, Visit
from personalize.profiles.stated import favourite, interest_in
from personalize.profiles.stored_part import rows_of
from personalize.profiles.unit import unit_of
from personalize.rules.beside import pairs
from personalize.rules.fact_values import reader_of_type
from personalize.rules.facts import (
    INTEREST_ROOT,
    LOCAL_NOW,
    ORGANIZATION_ROOT,
    OWN_ROOT,
    PAIR_ROOT,
    SPLIT_ROOT,
    Fact,
    FactType,
)
from personalize.rules.index.index import Reach
from personalize.rules.now_facts import now_value
from personalize.rules.paths import follow
from personalize.rules.unanswerable import Unanswerable

if TYPE_CHECKING:
    from personalize.decisions.context import Context

#: What reads one fact.
Reader: TypeAlias = Callable[["Context", Fact], object]
#: What reads the facts of a group, in their order.
GroupReader: TypeAlias = Callable[["Context"], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to work out what some conditions ask: the readers of facts of one kind, one after the other, and the `reach`
    of the conditions with its facts in the order in which they come so."""

    groups: tuple[GroupReader, ...]
    reach: Reach


def plan_of(reach: Reach, granted: frozenset[str]) -> Plan:
    """How to work out the facts of a reach for all who have granted these purposes."""
    kinds: dict[tuple[_Grouping, str], list[int]] = {}
    for place, fact in enumerate(reach.facts):
        kinds.setdefault(_grouping(fact, granted), []).append(place)
    groups = tuple(group([reach.facts[place] for place in places]) for (group, _), places in kinds.items())
    return Plan(groups, reach.in_order([place for places in kinds.values() for place in places]))


def reader_of(fact: Fact, granted: frozenset[str]) -> Reader:
    """What works out one fact; nothing does where its purpose is not granted."""
    return _READERS.get(fact.root, _event_value) if _is_granted(fact, granted) else _nothing


def _is_granted(fact: Fact, granted: frozenset[str]) -> bool:
    return fact.purpose is None or fact.purpose in granted


# Many at once ------------------------------------------------------------------------------------------

_Grouping: TypeAlias = Callable[[Sequence[Fact]], GroupReader]


def _grouping(fact: Fact, granted: frozenset[str]) -> tuple[_Grouping, str]:
    """What makes a reader of many facts like this one, and what they have to have in common with it."""
    if not _is_granted(fact, granted):
        return _withheld, ""
    if fact.root == "page" and "." not in fact.key:
        return _page_fields, ""
    if fact.root == "visit":
        return (_origin_fields if fact.key in _PAGE_FIELDS else _visit_fields), ""
    if fact.root == "profile":
        return (_attributes if _usual_class(fact) is None else _plain_attributes), ""
    if fact.root not in _READERS and fact.key in _TOTAL_FIELDS:
        return _event_fields, fact.root
    return _one_by_one, ""


def _withheld(facts: Sequence[Fact]) -> GroupReader:
    return lambda context: repeat(None, len(facts))


def _page_fields(facts: Sequence[Fact]) -> GroupReader:
    keys = [fact.key for fact in facts]
    fields = _fields(keys)

    def read(context: "Context") -> Iterable[object]:
        page = context.facts
        if page is None:
            return repeat(None, len(keys))
        if page.unanswerable:
            return [Unanswerable.RAISED if key in page.unanswerable else getattr(page, key) for key in keys]
        return fields(page)

    return read


def _visit_fields(facts: Sequence[Fact]) -> GroupReader:
    fields = _fields([_VISIT_FIELDS.get(fact.key, fact.key) for fact in facts])

    def read(context: "Context") -> Iterable[object]:
        visit = context.visit
        return repeat(None, len(facts)) if visit is None else fields(visit)

    return read


def _origin_fields(facts: Sequence[Fact]) -> GroupReader:
    """Where a visit comes from, which the page that it begins with tells as well."""
    of_visit = _fields([fact.key for fact in facts])
    of_page = _fields([_PAGE_FIELDS[fact.key] for fact in facts])

    def read(context: "Context") -> Iterable[object]:
        origin = context.origin
        if origin is None:
            return repeat(None, len(facts))
        return of_visit(origin) if type(origin) is Visit else of_page(origin)

    return read


def _plain_attributes(facts: Sequence[Fact]) -> GroupReader:
    """Attributes that are mostly read as they are kept: whether somebody has asked for it or not, a row begins with the
    value."""
    read_alone = _attributes(facts)
    choices = [frozenset({*fact.choices, None}) if fact.choices else None for fact in facts]
    asked = list(zip([fact.key for fact in facts], map(_usual_class, facts), choices, strict=True))

    def read(context: "Context") -> Iterable[object]:
        if context.profile is None:
            return repeat(None, len(asked))
        rows, values = rows_of(context.profile.attributes), list[object]()
        for key, usual, allowed in asked:  # several `map` would cost twice as much
            row = rows.get(key)
            value = None if row is None else row[0]
            if (value is not None and type(value) is not usual) or (allowed is not None and value not in allowed):
                return read_alone(context)
            values.append(value)
        return values

    return read


def _attributes(facts: Sequence[Fact]) -> GroupReader:
    reads = [(fact.key, _as_declared(fact)) for fact in facts]

    def read(context: "Context") -> Iterable[object]:
        if context.profile is None:
            return repeat(None, len(reads))
        attributes, zone = context.profile.attributes, context.ground.zone
        values: list[object] = []
        for name, declared in reads:  # no comprehension, which would cost as much again for one or two
            values.append(declared(kept_value(attributes, name), zone))
        return values

    return read


def _one_by_one(facts: Sequence[Fact]) -> GroupReader:
    names = [fact.name for fact in facts]
    return lambda context: [context[name] for name in names]


def _event_fields(facts: Sequence[Fact]) -> GroupReader:
    fields, type_ = totals_reader([_TOTAL_FIELDS[fact.key] for fact in facts]), facts[0].root
    never = [_NEVER.get(fact.key) for fact in facts]

    def read(context: "Context") -> Iterable[object]:
        if context.profile is None:
            return repeat(None, len(facts))
        return fields(context.profile.totals, type_) or never

    return read


def _fields(names: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
    """What reads these attributes of an object."""
    read: Any = attrgetter(*names)  # a tuple, but for one name
    return read if len(names) > 1 else lambda of: (read(of),)


_VISIT_FIELDS: Final = {"started": "started_at"}
#: What of a visit the page tells with which it begins, and as what.
_PAGE_FIELDS: Final = {"source": "source", "medium": "medium", "campaign": "campaign", "landing_path": "path"}
_TOTAL_FIELDS: Final = {
    "count": "count",
    "total": "sum",
    "first": "first_at",
    "last": "last_at",
    "first_value": "first_value",
    "last_value": "last_value",
}
#: What is said of an event that never happened.
_NEVER: Final = {"count": 0, "total": 0}

# One by one --------------------------------------------------------------------------------------------


def _nothing(context: "Context", fact: Fact) -> None:
    """What is known of a fact whose purpose is not granted."""


def _profile_value(context: "Context", fact: Fact) -> object:
    if context.profile is None:
        return None
    return _as_declared(fact)(kept_value(context.profile.attributes, fact.key), context.ground.zone)


def _as_declared(fact: Fact) -> Callable[[object, tzinfo], object]:
    """What reads the kept value of an attribute as it is declared now: what is of another type, or no choice any more,
    is missing. What can be changed inside of it is copied."""
    typed = reader_of_type(fact.type)
    usual = _AS_STORED.get(fact.type)

    def read_many(value: object, zone: tzinfo) -> object:
        if not isinstance(value, list):
            return None
        for item in value:
            if type(item) is not usual:
                break
        else:
            return value.copy()
        values = [own(one) for item in value if (one := typed(item, zone)) is not None]
        return values if values or not value else None

    choices = frozenset(choice.casefold() if fact.fold else choice for choice in fact.choices)

    def read_one(value: object, zone: tzinfo) -> object:
        found = None if value is None else own(typed(follow(value, fact.path) if fact.path else value, zone))
        if not choices:
            return found
        return found if (found.casefold() if fact.fold and isinstance(found, str) else found) in choices else None

    return read_many if fact.many else read_one


def _usual_class(fact: Fact) -> type | None:
    """The class of values that are read as they are stored; None where each has to be looked at."""
    return None if fact.many or fact.path or (fact.choices and fact.fold) else _AS_STORED.get(fact.type)


_AS_STORED: Final = {
    FactType.TEXT: str,
    FactType.CHOICE: str,
    FactType.NUMBER: int,
    FactType.MONEY: int,
    FactType.BOOL: bool,
}


def _event_value(context: "Context", fact: Fact) -> object:
    if context.profile is None:
        return None
    totals = context.profile.totals.get(fact.root)
    return _NEVER.get(fact.key) if totals is None else _of_totals(totals, fact.key)


def _of_totals(totals: Totals | SharedTotals, key: str) -> object:
    if key == "average":
        return Decimal(totals.sum) / totals.count
    return getattr(totals, _TOTAL_FIELDS[key])


def _visitor_value(context: "Context", fact: Fact) -> object:
    profile = context.profile
    if fact.key == "known":
        return profile is not None and context.consent.allows(DEFAULT_PURPOSE)
    if profile is None:
        return None
    return _VISITOR[fact.key](context, profile)


_VISITOR: Final[Mapping[str, Callable[["Context", Profile], object]]] = {
    "new": lambda context, profile: is_new(profile, context.visit, context.now, context.lifecycle),
    "visits": lambda context, profile: visit.number if (visit := context.visit) is not None else 0,
    "first_seen": lambda context, profile: profile.first_seen_at,
    "last_seen": lambda context, profile: profile.last_seen_at,
    "state": lambda context, profile: state_of(profile, context.visit, context.now, context.lifecycle),
}


def _page_value(context: "Context", fact: Fact) -> object:
    facts = context.facts
    if facts is None:
        return None
    if "." not in fact.key:
        return Unanswerable.RAISED if fact.key in facts.unanswerable else getattr(facts, fact.key)
    family, _, name = fact.key.partition(".")
    if family == "query":
        return list(facts.query.get(name, ())) or None
    found = facts.headers.get(name.lower()) if family == "header" else facts.cookies.get(name)
    return None if found is None else [found]


def _visit_value(context: "Context", fact: Fact) -> object:
    visit = context.visit
    return None if visit is None else getattr(visit, _VISIT_FIELDS.get(fact.key, fact.key))


def _split_value(context: "Context", fact: Fact) -> object:
    if not fact.parts:
        unit: object = _unit(context)
    else:
        unit = context[fact.parts[0].name]
    if isinstance(unit, Unanswerable):
        return unit
    return share(fact.key, str(unit)) if isinstance(unit, str | int | Decimal) else None


def _unit(context: "Context") -> str | None:
    """By what splits place whoever is looking: their arm, where they let us measure and nothing else."""
    identity = context.identity
    if context.consent.only_measures:
        return identity.arm
    if not context.consent.allows(DEFAULT_PURPOSE):
        return None
    return unit_of(identity.profile_id, context.profile, identity.joins)


def _pair_value(context: "Context", fact: Fact) -> object:
    left, right = (context[part.name] for part in fact.parts)
    unanswerable = left if isinstance(left, Unanswerable) else right
    return unanswerable if isinstance(unanswerable, Unanswerable) else pairs(left, right, fold=fact.fold)


def _now_value(context: "Context", fact: Fact) -> object:
    if fact.type is FactType.INSTANT:
        return context.now
    local = context[LOCAL_NOW]
    assert isinstance(local, datetime)
    return now_value(fact, local)


def _counter_value(context: "Context", fact: Fact) -> object:
    return context.profile.recent.get(fact.key, ()) if context.profile is not None else None


def _interest_value(context: "Context", fact: Fact) -> object:
    profile, half_life = context.profile, context.lifecycle.interest_half_life
    if profile is None:
        return None
    if fact.type is FactType.TEXT:
        return favourite(profile.interests, profile.stated, context.now, half_life)
    return interest_in(fact.key, profile.interests, profile.stated, context.now, half_life)


def _organization_value(context: "Context", fact: Fact) -> object:
    """What is known of the organization, and of what its members share: nothing where they belong to none."""
    organization = context.organization
    if fact.key == "known":
        return organization is not None
    if organization is None:
        return None
    if fact.key == "members":
        return organization.members
    event, _, key = fact.key.rpartition(".")
    if not event or fact.path:
        stored = organization.attributes.get(fact.key)
        return None if stored is None else _as_declared(fact)(stored.value, context.ground.zone)
    shared = organization.totals.get(event)
    return _NEVER.get(key) if shared is None else _of_totals(shared, key)


def _own_value(context: "Context", fact: Fact) -> object:
    if context.own is None:
        return None
    read = {part.name: context[part.name] for part in fact.parts}
    unanswerable = [value for value in read.values() if isinstance(value, Unanswerable)]
    return unanswerable[0] if unanswerable else context.own(fact, read)


_READERS: Final[Mapping[str, Reader]] = {
    OWN_ROOT: _own_value,
    PAIR_ROOT: _pair_value,
    SPLIT_ROOT: _split_value,
    "profile": _profile_value,
    "visitor": _visitor_value,
    "page": _page_value,
    "visit": _visit_value,
    "now": _now_value,
    "did": _counter_value,
    INTEREST_ROOT: _interest_value,
    ORGANIZATION_ROOT: _organization_value,
}
