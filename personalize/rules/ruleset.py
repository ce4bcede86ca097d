"""The rule set: all that the files of a site say, checked, compiled and never changed again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinja2 import BaseLoader

from personalize.content.library import Library, load_library
from personalize.events.schema import Schema
from personalize.problems import Problems
from personalize.profiles.counters import Counter
from personalize.rules.check import check_definitions
from personalize.rules.conditions import Condition, leaves
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions, Persona, Segment, Slot
from personalize.rules.facts import Fact
from personalize.rules.index import Index, Reach
from personalize.rules.load import read_definitions

#: The fact roots that are the same for everybody who asks at the same moment.
_FOR_EVERYBODY = frozenset({"now"})


@dataclass(frozen=True, slots=True)
class Page:
    """Slots that are decided together, in their order, and what they can depend on.

    `personal` slots may show something else to somebody else; a page that shows one belongs in no shared cache.
    `stored` slots depend on the profile, so they can't be decided where it can't be read.
    """

    name: str
    slots: tuple[Slot, ...]
    reach: Reach
    personal: frozenset[str]
    stored: frozenset[str]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of everything that editors write, ready to be asked.

    `facts` are those that any condition reads, by name. `pages` are by slot: each slot's page. Conditions of
    rules are in the index under `(slot_id, rule_id)`.
    """

    version: str
    schema: Schema
    segments: Mapping[str, Segment]
    slots: Mapping[str, Slot]
    personas: Mapping[str, Persona]
    counters: tuple[Counter, ...]
    facts: Mapping[str, Fact]
    pages: Mapping[str, Page]
    index: Index
    library: Library
    conventions: Conventions

    @property
    def purposes(self) -> Mapping[str, str]:
        """The purpose of each declared attribute."""
        return {name: attribute.purpose for name, attribute in self.schema.attributes.items()}


def version_of(files: Mapping[str, str]) -> str:
    """The name of a rule set: a hash of its files' paths and texts, 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path, files[path]):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def load_rule_set(
    rules: Mapping[str, str],
    content: Mapping[str, str],
    *,
    templates: BaseLoader,
    conventions: Conventions,
    problems: Problems,
) -> RuleSet | None:
    """The rule set of these files (path -> text), or None where `problems` holds an error afterwards."""
    definitions = read_definitions(rules, conventions, problems)
    library = load_library(
        content,
        templates=templates,
        zone=conventions.zone,
        currency=conventions.currency,
        currency_digits=conventions.currency_digits,
        attributes=tuple(definitions.schema.attributes),
        problems=problems,
    )
    check_definitions(definitions, library, problems)
    if problems.has_errors:
        return None
    return compile_rule_set(version_of({**rules, **content}), definitions, library, conventions)


def compile_rule_set(version: str, definitions: Definitions, library: Library, conventions: Conventions) -> RuleSet:
    """The rule set of checked definitions."""
    conditions: dict[object, Condition] = {
        (slot.slot_id, rule.rule_id): rule.condition for slot in definitions.slots.values() for rule in slot.rules
    }
    segments = {segment_id: segment.who for segment_id, segment in definitions.segments.items()}
    index = Index(conditions, segments)
    facts = {leaf.fact.name: leaf.fact for tree in (*conditions.values(), *segments.values()) for leaf in leaves(tree)}
    return RuleSet(
        version=version,
        schema=definitions.schema,
        segments=definitions.segments,
        slots=definitions.slots,
        personas=definitions.personas,
        counters=definitions.counters,
        facts=MappingProxyType(facts),
        pages=MappingProxyType(_pages(definitions.slots, index, facts, library)),
        index=index,
        library=library,
        conventions=conventions,
    )


def _pages(slots: Mapping[str, Slot], index: Index, facts: Mapping[str, Fact], library: Library) -> dict[str, Page]:
    """The page of each slot; a slot that names none is a page of one."""
    together: dict[str, list[Slot]] = {}
    for slot in slots.values():
        together.setdefault(f"page {slot.page}" if slot.page else f"slot {slot.slot_id}", []).append(slot)
    pages: dict[str, Page] = {}
    for name, members in together.items():
        ids = [(slot.slot_id, rule.rule_id) for slot in members for rule in slot.rules]
        named = {slot.slot_id for slot in members if _shows_visitor(slot, library)}
        stored = named | {slot.slot_id for slot in members if _reads(slot, index, facts, stored=True)}
        personal = named | {slot.slot_id for slot in members if _reads(slot, index, facts, stored=False)}
        reach = index.reach(ids)
        page = Page(name, tuple(members), reach, _and_after(members, personal), _and_after(members, stored))
        pages.update(dict.fromkeys((slot.slot_id for slot in members), page))
    return pages


def _reads(slot: Slot, index: Index, facts: Mapping[str, Fact], *, stored: bool) -> bool:
    """Whether a slot depends on a stored fact, or on any that is not the same for everybody."""
    reach = index.reach([(slot.slot_id, rule.rule_id) for rule in slot.rules])
    read = [facts[name] for name in reach.fact_names]
    return any(fact.stored if stored else fact.root not in _FOR_EVERYBODY for fact in read)


def _shows_visitor(slot: Slot, library: Library) -> bool:
    return any(library.items[item_id].rendering.is_personal for item_id in _items_of(slot, library))


def _items_of(slot: Slot, library: Library) -> list[str]:
    found = [named.text for rule in slot.rules for named in rule.show.items]
    for rule in slot.rules:
        if rule.show.collection is not None:
            found += library.tagged(rule.show.collection.text, rule.show.tagged)
    if slot.otherwise is not None:
        found.append(slot.otherwise.text)
    return found


def _and_after(members: list[Slot], found: set[str]) -> frozenset[str]:
    """The slots found and those behind them: no item stands twice on a page, so what the first of them shows
    decides what is left for the others."""
    ids = [slot.slot_id for slot in members]
    firsts = [number for number, slot_id in enumerate(ids) if slot_id in found]
    return frozenset(ids[firsts[0] :]) if firsts else frozenset()
