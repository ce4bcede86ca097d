"""What is different between two rule sets, in words: what is new, changed, moved and gone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TypeVar

from personalize.content.collection import Collection
from personalize.content.item import ContentItem
from personalize.events.schema import Attribute, EventType, OrganizationType, Shape
from personalize.rules.conditions import All, Any, Leaf, Not, segments_named
from personalize.rules.definitions import Named, Persona, Rule, Segment, Show, Slot
from personalize.rules.describe import Describer, listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.ruleset import RuleSet
from personalize.rules.sentences import Sentences

#: Where something is written, which changes nothing of what it means.
_WHEREABOUTS = frozenset({"place", "file", "line"})
Thing = TypeVar("Thing")
_ANYWHEN = Fact("", "", "", FactType.TIME)


class Kind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is different. `thing` is what it is (`rule`, `segment`, `item`…), `name` what it is called,
    a rule with its slot in front: `home-hero/welcome`.

    `before` and `after` say it in a sentence, where it has one and that has changed; `details` is what else changed.
    """

    kind: Kind
    thing: str
    name: str
    before: str | None = None
    after: str | None = None
    details: tuple[str, ...] = ()


def revision(before: RuleSet | None, after: RuleSet) -> tuple[Edit, ...]:
    """All that is different, slots and their rules first; without a rule set before, everything is new."""
    return tuple(_Revision(before, after).edits())


class _Revision:
    """Two rule sets side by side."""

    def __init__(self, before: RuleSet | None, after: RuleSet) -> None:
        self._before = before
        self._after = after
        self._said_before = before.sentences() if before is not None else None
        self._said_after = after.sentences()
        self._describer = Describer(after.conventions)

    def edits(self) -> Iterator[Edit]:
        """Each thing that is different, once."""
        before, after = self._before, self._after
        old_slots = before.slots if before is not None else {}
        for slot_id in dict.fromkeys((*after.slots, *old_slots)):
            yield from self._slot(old_slots.get(slot_id), after.slots.get(slot_id))
        for segment_id, old, new in _pairs(before.segments if before is not None else {}, after.segments):
            yield from self._segment(segment_id, old, new)
        for name, item, other in _pairs(before.library.items if before is not None else {}, after.library.items):
            yield from self._told("item", name, item, other, self._of_item)
        old_schema = before.schema if before is not None else None
        for name, one, another in _pairs(old_schema.attributes if old_schema else {}, after.schema.attributes):
            yield from self._told("attribute", name, one, another, _of_attribute)
        for name, event, later in _pairs(old_schema.events if old_schema else {}, after.schema.events):
            yield from self._told("event", name, event, later, _of_event)
        was, now = (old_schema.organization if old_schema else None), after.schema.organization
        if was != now:
            yield from self._told("organization", "organization", was, now, _of_organization)
        yield from self._others()

    # Slots and rules -----------------------------------------------------------------------------------

    def _slot(self, old: Slot | None, new: Slot | None) -> Iterator[Edit]:
        if old is None or new is None:
            slot = new or old
            assert slot is not None
            kind = Kind.ADDED if new is not None else Kind.REMOVED
            yield Edit(kind, "slot", slot.slot_id, self._slot_text(old, new=False), self._slot_text(new, new=True))
        elif _meaning(old, but=("rules",)) != _meaning(new, but=("rules",)):
            texts = _changed(self._slot_text(old, new=False), self._slot_text(new, new=True))
            yield Edit(Kind.CHANGED, "slot", new.slot_id, *texts)
        yield from self._rules(old, new)

    def _slot_text(self, slot: Slot | None, *, new: bool) -> str | None:
        sentences = self._said_after if new else self._said_before
        return None if slot is None or sentences is None else f"{sentences.slot(slot)} {sentences.otherwise(slot)}"

    def _rules(self, old: Slot | None, new: Slot | None) -> Iterator[Edit]:
        slot_id = (new or old).slot_id  # type: ignore[union-attr]  # one of the two is there
        before = {rule.rule_id: rule for rule in (old.rules if old is not None else ())}
        after = {rule.rule_id: rule for rule in (new.rules if new is not None else ())}
        names = _renamed(before, after)
        before = {names.get(rule_id, rule_id): rule for rule_id, rule in before.items()}
        moved = _moved(list(before), list(after))
        for rule_id, was, now in _pairs(before, after):
            texts = self._rule_text(was, old, self._said_before), self._rule_text(now, new, self._said_after)
            name = f"{slot_id}/{rule_id}"
            if was is None or now is None:
                yield Edit(Kind.ADDED if was is None else Kind.REMOVED, "rule", name, *texts)
                continue
            if _meaning(was) != _meaning(now):
                yield Edit(Kind.CHANGED, "rule", name, *_changed(*texts), tuple(_named_anew(was, now)))
            if rule_id in moved:
                places = (list(before).index(rule_id) + 1, list(after).index(rule_id) + 1)
                yield Edit(Kind.MOVED, "rule", name, details=(f"from place {places[0]} to place {places[1]}",))

    @staticmethod
    def _rule_text(rule: Rule | None, slot: Slot | None, sentences: Sentences | None) -> str | None:
        return None if rule is None or slot is None or sentences is None else sentences.rule(rule, slot)

    # Segments, and what needs no sentence --------------------------------------------------------------

    def _segment(self, segment_id: str, old: Segment | None, new: Segment | None) -> Iterator[Edit]:
        before = self._said_before.segment(old) if old is not None and self._said_before is not None else None
        after = self._said_after.segment(new) if new is not None else None
        if old is None or new is None:
            yield Edit(Kind.ADDED if old is None else Kind.REMOVED, "segment", segment_id, before, after)
        elif _meaning(old) != _meaning(new):
            rules = [f"{slot_id}/{rule_id}" for slot_id, rule_id in rules_reading(segment_id, self._after)]
            details = (f"read by {listed(rules)}",) if rules else ()
            yield Edit(Kind.CHANGED, "segment", segment_id, *_changed(before, after), details)

    def _told(
        self,
        thing: str,
        name: str,
        old: Thing | None,
        new: Thing | None,
        tell: Callable[[Thing], Mapping[str, str]],
    ) -> Iterator[Edit]:
        """A thing that is told by its parts."""
        if old is None or new is None:
            yield Edit(Kind.ADDED if old is None else Kind.REMOVED, thing, name)
        elif _meaning(old) != _meaning(new):
            parts = _pairs(tell(old), tell(new))
            details = [f"{part}: {was or 'none'} -> {now or 'none'}" for part, was, now in parts if was != now]
            yield Edit(Kind.CHANGED, thing, name, details=tuple(details) or ("its text",))

    def _of_item(self, item: ContentItem) -> Mapping[str, str]:
        told = {"title": f'"{item.title}"', "tags": ", ".join(sorted(item.tags)), "priority": str(item.priority)}
        for name, moment in (("from", item.from_at), ("until", item.until_at)):
            told[name] = "" if moment is None else self._describer.value(_ANYWHEN, moment)
        return told | {name: str(value) for name, value in item.fields.items()}

    def _others(self) -> Iterator[Edit]:
        """Collections and personas by name, and what is counted."""
        before, after = self._before, self._after
        known = before.library.collections if before is not None else {}
        for name, one, another in _pairs(known, after.library.collections):
            if one is None or another is None or _meaning(one) != _meaning(another):
                yield Edit(_kind(one, another), "collection", name)
        for name, was, now in _pairs(before.personas if before is not None else {}, after.personas):
            if was is None or now is None or _meaning(was) != _meaning(now):
                yield Edit(_kind(was, now), "persona", name)
        old, new = _counted(before), _counted(after)
        for name, limit, later in _pairs(old, new):
            if limit != later:
                details = () if limit is None or later is None else (f"the latest {limit} times -> {later} times",)
                yield Edit(_kind(limit, later), "counter", name, details=details)


def rules_reading(segment_id: str, rule_set: RuleSet) -> list[tuple[str, str]]:
    """The slots and rules that name the segment themselves, or through others."""
    readers = {segment_id}
    segments = rule_set.segments.values()
    for _ in segments:
        readers |= {one.segment_id for one in segments if readers & {n.segment_id for n in segments_named(one.who)}}
    return [
        (slot.slot_id, rule.rule_id)
        for slot in rule_set.slots.values()
        for rule in slot.rules
        if readers & {named.segment_id for named in segments_named(rule.to)}
    ]


def _counted(rule_set: RuleSet | None) -> Mapping[str, int]:
    """What is counted for `did`, in words, with how many of the latest times are kept."""
    if rule_set is None:
        return {}
    facts = rule_set.facts
    words = ((facts.get(f"did.{counter.key}"), counter) for counter in rule_set.counters)
    return {(fact.title.rstrip(",") if fact is not None else one.event_type): one.limit for fact, one in words}


def _pairs(before: Mapping[str, Thing], after: Mapping[str, Thing]) -> Iterator[tuple[str, Thing | None, Thing | None]]:
    """Each name with what stands under it on either side, in the order of what is new, then of what is gone."""
    for name in dict.fromkeys((*after, *before)):
        yield name, before.get(name), after.get(name)


def _kind(old: object | None, new: object | None) -> Kind:
    return Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED


def _changed(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Two sentences, or none where they are the same."""
    return (before, after) if before != after else (None, None)


def _renamed(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Mapping[str, str]:
    """The new names of rules that have gone, where one is new that says the same; each is found once."""
    gone = [rule for rule_id, rule in before.items() if rule_id not in after]
    names: dict[str, str] = {}
    for rule_id, rule in after.items():
        meaning = None if rule_id in before else _nameless(rule)
        old = next((one for one in gone if _nameless(one) == meaning), None)
        if old is not None:
            gone.remove(old)
            names[old.rule_id] = rule_id
    return names


def _nameless(rule: Rule) -> object:
    """What a rule means, whatever it is called; one without a title has its name for one."""
    return _meaning(rule, but=("rule_id", "title")), _own_title(rule)


def _own_title(rule: Rule) -> str | None:
    return rule.title if rule.title != rule.rule_id else None


def _named_anew(old: Rule, new: Rule) -> Iterator[str]:
    if old.rule_id != new.rule_id:
        yield f"its name: {old.rule_id} -> {new.rule_id}"
    if old.title != new.title and (_own_title(old), _own_title(new)) != (None, None):
        yield f'title: "{old.title}" -> "{new.title}"'


def _moved(before: Sequence[str], after: Sequence[str]) -> frozenset[str]:
    """What stands elsewhere among what is on both sides; as few as possible."""
    kept = [one for one in before if one in after]
    now = [one for one in after if one in before]
    blocks = SequenceMatcher(None, kept, now, autojunk=False).get_matching_blocks()
    return frozenset(now).difference(*(now[block.b : block.b + block.size] for block in blocks))


def _meaning(value: object, but: Sequence[str] = ()) -> object:
    """A value that is equal for things that mean the same, wherever they are written."""
    match value:
        case Named():
            return value.text
        case Leaf():
            # How its fact is declared is told of the declaration.
            return value.fact.name, value.word, value.argument
        case Not(part):
            return "not", _meaning(part)
        case All(parts) | Any(parts):
            return type(value).__name__, _meaning(parts)
        case tuple():
            return tuple(map(_meaning, value))
        case Slot() | Rule() | Show() | Segment() | Persona() | ContentItem() | Collection():
            names = [one.name for one in fields(value) if one.name not in (*_WHEREABOUTS, *but)]
            return tuple(_meaning(getattr(value, name)) for name in names)
    return value


def _of_attribute(attribute: Attribute) -> Mapping[str, str]:
    return {
        "title": f'"{attribute.title}"',
        "purpose": attribute.purpose,
        "private": str(attribute.private).lower(),
        "from_browser": str(attribute.from_browser).lower(),
        "searchable": str(attribute.searchable).lower(),
        **_of_shape(attribute.shape),
    }


def _of_event(event: EventType) -> Mapping[str, str]:
    return {
        "title": f'"{event.title}"',
        "purpose": event.purpose,
        "value": event.value or "",
        "interest": event.interest or "",
        "from_browser": str(event.from_browser).lower(),
        **{f"property {name}": _of_shape(shape)["type"] for name, shape in event.properties.items()},
    }


def _of_organization(organization: OrganizationType) -> Mapping[str, str]:
    return {
        "title": f'"{organization.title}"',
        "by": organization.by,
        "shares": ", ".join(organization.shares),
        **{f"attribute {name}": _of_shape(one.shape)["type"] for name, one in organization.attributes.items()},
    }


def _of_shape(shape: Shape) -> Mapping[str, str]:
    of = f" of {_of_shape(shape.of)['type']}" if shape.of is not None else ""
    return {"type": f"{shape.type}{of}", "choices": ", ".join(shape.choices), "fold": str(shape.fold).lower()}
