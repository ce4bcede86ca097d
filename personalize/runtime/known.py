"""What is known of one visitor, in words for themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from personalize.content.item import ContentItem
from personalize.events.event import CONSENT, IMPRESSION, MARK, Event, JSONValue, from_micros
from personalize.events.schema import Shape, ValueType
from personalize.profiles.in_force import corrected_by, name_of
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import Profile, Visit
from personalize.profiles.stated import interest_in, likes
from personalize.rules.addressed import Addressed
from personalize.rules.facts import INTEREST_ROOT, Fact, Facts, FactType, shape_fact
from personalize.rules.ruleset import RuleSet

#: How many of the latest events, and of the latest pages with something chosen, are told one by one.
MOST_EVENTS = 50
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class KnownAttribute:
    """An attribute as it was last set. `shape` is None where it is no longer declared; `is_theirs` says that visitors
    may put it right themselves."""

    name: str
    title: str
    value: str
    set_at: datetime
    shape: Shape | None
    is_theirs: bool


@dataclass(frozen=True, slots=True)
class KnownTotals:
    """What all events of one type add up to; `total` is the sum in words, where the type has a value."""

    title: str
    count: int
    total: str | None
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class KnownInterest:
    """One tag: how strong the interest is, 0 to 1, and what they said of it themselves, if they did."""

    tag: str
    strength: Decimal
    said: bool | None


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """Something that happened. `says` are its properties in words. `teaches` says whether taste is learned from such
    events, `is_theirs` that they did not say it was not about them."""

    event: Event
    title: str
    says: Mapping[str, str]
    teaches: bool
    is_theirs: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision on consent: when, what was `granted`, which `text` was agreed to, and whether the browser asked, by
    its privacy signal, not to be followed."""

    at: datetime
    granted: tuple[str, ...]
    text: str | None
    signalled: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What a slot showed on a page. `because` are the conditions that held: none where it is for everybody, None where
    the rule is not in use any more. `tags` are what the items are about."""

    at: datetime
    slot: str
    items: tuple[str, ...]
    because: tuple[str, ...] | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """All that is told to a visitor of themselves; the latest comes first in `events`, `choices` and `shown`."""

    first_seen_at: datetime | None
    visit: Visit | None
    attributes: tuple[KnownAttribute, ...]
    totals: tuple[KnownTotals, ...]
    interests: tuple[KnownInterest, ...]
    events: tuple[KnownEvent, ...]
    choices: tuple[Choice, ...]
    shown: tuple[Shown, ...]


def known_of(
    profile: Profile, events: Sequence[Event], rule_set: RuleSet, *, now: datetime, lifecycle: Lifecycle
) -> Known:
    """What is known of the visitor with this profile, whose latest events these are, newest first."""
    words = _Words(rule_set)
    return Known(
        first_seen_at=profile.first_seen_at,
        visit=profile.visit,
        attributes=tuple(words.attributes(profile)),
        totals=tuple(words.totals(profile)),
        interests=tuple(_interests(profile, rule_set, now, lifecycle)),
        events=tuple(words.events(events))[:MOST_EVENTS],
        choices=tuple(map(_choice, (event for event in events if event.type == CONSENT))),
        shown=tuple(words.shown(events))[:MOST_SHOWN],
    )


class _Words:
    """Says values, events and rules of one site."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set
        self._schema = rule_set.schema
        self._facts = Facts(rule_set.schema)
        self._addressed = Addressed(rule_set.conventions, rule_set.segments)
        self._rules = {(slot.slot_id, rule.rule_id): rule for slot in rule_set.slots.values() for rule in slot.rules}

    def attributes(self, profile: Profile) -> Iterator[KnownAttribute]:
        """The attributes that have a value, by name."""
        for name, stored in sorted(profile.attributes.items()):
            if stored.value is None:
                continue
            declared, fact = self._schema.attributes.get(name), self._facts.get(f"profile.{name}")
            yield KnownAttribute(
                name,
                self._schema.title_of_attribute(name),
                str(stored.value) if fact is None else self._value(fact, stored.value),
                from_micros(stored.set_at_micros),
                None if declared is None else declared.shape,
                declared is not None and declared.from_browser,
            )

    def totals(self, profile: Profile) -> Iterator[KnownTotals]:
        """The declared types of events that happened, by name."""
        for type_ in sorted(self._schema.events):
            totals, fact = profile.totals.get(type_), self._facts.get(f"{type_}.total")
            if totals is not None:
                total = None if fact is None else self._value(fact, totals.sum)
                title = self._schema.title_of_event(type_)
                yield KnownTotals(title, totals.count, total, totals.first_at, totals.last_at)

    def events(self, events: Sequence[Event]) -> Iterator[KnownEvent]:
        """The events of declared types."""
        marked = {corrected_by(event) for event in events if event.type == MARK}
        for event in events:
            declared = self._schema.events.get(event.type)
            if declared is not None:
                title = self._schema.title_of_event(event.type)
                names = [*declared.properties, *(event.properties.keys() - declared.properties.keys())]
                says = {
                    _plain(name): self._in_words(event.properties[name], declared.properties.get(name))
                    for name in names
                    if name in event.properties
                }
                yield KnownEvent(event, title, says, declared.interest is not None, name_of(event) not in marked)

    def shown(self, events: Iterable[Event]) -> Iterator[Shown]:
        """What slots have shown, the same items in the same slot once, at the latest."""
        told: set[str] = set()
        for event in events:
            slots = event.properties.get("slots") if event.type == IMPRESSION else None
            for one in slots if isinstance(slots, list) else ():
                if isinstance(one, dict) and (what := f"{one.get('slot')} {one.get('items')}") not in told:
                    told.add(what)
                    yield self._shown(event.occurred_at, one)

    def _shown(self, at: datetime, told: Mapping[str, JSONValue]) -> Shown:
        slot_id, rule_id, item_ids = str(told.get("slot")), told.get("rule"), told.get("items")
        slot = self._rule_set.slots.get(slot_id)
        shown = [str(one) for one in item_ids] if isinstance(item_ids, list) else []
        known = [item for one in shown if (item := self._rule_set.library.items.get(one)) is not None]
        rule = self._rules.get((slot_id, str(rule_id)))
        because = () if rule_id is None and slot is not None else None
        return Shown(
            at,
            (slot.title if slot is not None else "") or _plain(slot_id),
            tuple(item.title for item in known),
            because if rule is None else self._addressed.reasons(rule),
            _tags(known),
        )

    def _in_words(self, value: JSONValue, shape: Shape | None) -> str:
        """A property of an event; one of a type that is not declared any more as it is kept."""
        if isinstance(value, list):
            return "; ".join(self._in_words(one, None if shape is None else shape.of) for one in value)
        if isinstance(value, dict):
            fields = {} if shape is None else shape.fields
            return ", ".join(self._in_words(one, fields.get(name)) for name, one in value.items())
        if shape is None or shape.type is ValueType.LIST:
            return str(value)
        return self._value(shape_fact("", shape, root="event", key=""), value)

    def _value(self, fact: Fact, value: object) -> str:
        """A value as people write it: text stands for itself."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        is_text = isinstance(value, str) and fact.type is not FactType.TIME
        return str(value) if is_text else self._addressed.value(fact, value)


def _interests(profile: Profile, rule_set: RuleSet, now: datetime, lifecycle: Lifecycle) -> Iterator[KnownInterest]:
    """The interests that are known, and those that rules ask for, so that they may be said; the strongest first."""
    asked = {
        fact.key for fact in rule_set.facts.values() if fact.root == INTEREST_ROOT and fact.type is FactType.NUMBER
    }
    found = (
        KnownInterest(
            tag,
            interest_in(tag, profile.interests, profile.stated, now, lifecycle.interest_half_life),
            likes(profile.stated, tag),
        )
        for tag in {*profile.interests, *profile.stated, *asked}
    )
    return iter(sorted(found, key=lambda one: (-one.strength, one.tag)))


def _choice(event: Event) -> Choice:
    granted, text = event.properties.get("granted"), event.properties.get("text")
    purposes = tuple(str(one) for one in granted) if isinstance(granted, list) else ()
    return Choice(
        event.occurred_at, purposes, text if isinstance(text, str) else None, event.properties.get("gpc") is True
    )


def _tags(items: Iterable[ContentItem]) -> tuple[str, ...]:
    return tuple(sorted({tag for item in items for tag in item.tags}))


def _plain(name: str) -> str:
    """A name as a title."""
    return name.replace("_", " ").replace("-", " ").capitalize()
