"""The rule set: all that the files of a site say, checked, compiled and never changed again."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from jinja2 import BaseLoader

from personalize.content.library import Library, load_library
from personalize.events.schema import Schema
from personalize.problems import Problems, TooManyProblems
from personalize.profiles.counters import Counter
from personalize.profiles.holding import Holding, holding_for
from personalize.profiles.organization import Belonging, belonging_of
from personalize.rules.conditions import Condition, leaves
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions, Persona, Placement, Segment, Slot, Source
from personalize.rules.facts import ORGANIZATION_ROOT, Fact, Facts, with_parts
from personalize.rules.ground import Ground
from personalize.rules.index.index import Index, Row
from personalize.rules.own_facts import NO_OWN_FACTS, OwnFact
from personalize.rules.pages import Candidates, Page, RuleKey, candidates_of, pages_of, rule_keys
from personalize.rules.reading.check import check_definitions
from personalize.rules.reading.inputs import check_inputs, input_values
from personalize.rules.reading.load import read_definitions
from personalize.rules.sentences import Sentences
from personalize.rules.sharing import Sharing
from personalize.rules.variants import check_variants

#: Who has so much to mend looks at the first of it.
MOST_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of everything that editors write, ready to be asked.

    `needed` is what stored profiles have to hold for it. `facts` are those that any condition reads, and what they
    are worked out from, by name. `pages` are by slot: each slot's page. The conditions of rules are in the index
    under their keys; `rule_keys` are those of each slot in order, `rows` the same as the index is asked for them,
    `candidates` what each rule may show. `placements` are of the slots that a selector finds. `ground` is what all
    contexts stand on, `sources` the rule files by their paths. `sharing` tells what caches have to know of its pages.
    `belonging` tells what a visitor belongs to, None where no condition asks for it.
    """

    version: str
    schema: Schema
    segments: Mapping[str, Segment]
    slots: Mapping[str, Slot]
    personas: Mapping[str, Persona]
    counters: tuple[Counter, ...]
    needed: Holding
    facts: Mapping[str, Fact]
    pages: dict[str, Page]
    rule_keys: Mapping[str, tuple[RuleKey, ...]]
    rows: Mapping[str, Row[RuleKey]]
    candidates: Mapping[RuleKey, Candidates]
    placements: Mapping[str, Placement]
    ground: Ground
    index: Index
    library: Library
    conventions: Conventions
    sources: Mapping[str, Source]
    sharing: Sharing = field(compare=False, repr=False)
    belonging: Belonging | None = field(compare=False, repr=False)

    def sentences(self) -> Sentences:
        """What says its rules in words."""
        return Sentences(self.conventions, self.titles)

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of its segments, by their id."""
        return {segment_id: segment.title for segment_id, segment in self.segments.items()}


def version_of(files: Mapping[str, str]) -> str:
    """The name of a rule set: a hash of its files' paths and texts, 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path, files[path]):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def read_checked(
    rules: Mapping[str, str],
    content: Mapping[str, str],
    *,
    templates: BaseLoader,
    conventions: Conventions,
    problems: Problems,
    own_facts: Mapping[str, OwnFact] | None = NO_OWN_FACTS,
    declared: Schema | None = None,
) -> tuple[Definitions, Library] | None:
    """All that these files (path -> text) say, for `compile_rule_set`; None where `problems` holds an error afterwards.

    `own_facts` are those that the site's code adds to the language, None where they can't be loaded. Where these are
    some of a site's rule files, `declared` is what the others declare, and what goes between files is not checked:
    `check_together` does that.
    """
    found = Problems(most=MOST_ERRORS)
    try:
        read = read_all(rules, content, templates, conventions, found, own_facts, declared)
    except TooManyProblems:
        file = found.list[-1].file
        problems.extend(found.list)
        message = f"there are more than {MOST_ERRORS:,} errors, and the rest was not looked at"
        problems.error("E283", message, None, "mend the first ones, and check again", file=file)
        return None
    problems.extend(found.list)
    return None if problems.has_errors else read


def read_all(
    rules: Mapping[str, str],
    content: Mapping[str, str],
    templates: BaseLoader,
    conventions: Conventions,
    problems: Problems,
    own_facts: Mapping[str, OwnFact] | None,
    declared: Schema | None = None,
) -> tuple[Definitions, Library]:
    """What rule files and content say, and everything that is wrong with it and between the two; see `read_checked`."""
    definitions = read_definitions(rules, conventions, problems, own_facts, declared)
    library = load_library(
        content,
        templates=templates,
        zone=conventions.zone,
        currency=conventions.currency,
        currency_digits=conventions.currency_digits,
        attributes=definitions.gaps.attribute_names(definitions.schema.attributes),
        problems=problems,
    )
    if declared is None:
        check_together(definitions, library, conventions, problems, own_facts)
    return definitions, library


def check_together(
    definitions: Definitions,
    library: Library,
    conventions: Conventions,
    problems: Problems,
    own_facts: Mapping[str, OwnFact] | None,
) -> None:
    """Say what is wrong between files: all that one names and another should define."""
    check_definitions(definitions, library, problems)
    if conventions.inputs is not None:
        facts = Facts(definitions.schema, own_facts or NO_OWN_FACTS)
        check_inputs(conventions.inputs, facts, definitions.gaps, problems)
        check_variants(conventions.inputs, definitions, library, problems)
    definitions.gaps.report(problems)


def _asks_organization(facts: Iterable[Fact]) -> bool:
    return any(fact.root == ORGANIZATION_ROOT for fact in facts)


def compile_rule_set(version: str, definitions: Definitions, library: Library, conventions: Conventions) -> RuleSet:
    """The rule set of checked definitions."""
    slots = definitions.slots
    conditions: dict[object, Condition] = {
        (slot.slot_id, rule.rule_id): rule.condition for slot in slots.values() for rule in slot.rules
    }
    segments = {segment_id: segment.who for segment_id, segment in definitions.segments.items()}
    index = Index(conditions, segments)
    read = {leaf.fact.name: leaf.fact for tree in (*conditions.values(), *segments.values()) for leaf in leaves(tree)}
    facts = {one.name: one for fact in read.values() for one in with_parts(fact)}
    told = {} if conventions.inputs is None else input_values(conventions.inputs, facts)
    schema = definitions.schema
    belonging = belonging_of(schema) if _asks_organization(facts.values()) else None
    return RuleSet(
        version=version,
        schema=schema,
        segments=definitions.segments,
        slots=slots,
        personas=definitions.personas,
        counters=definitions.counters,
        needed=holding_for(schema, definitions.counters),
        facts=MappingProxyType(facts),
        pages=pages_of(slots, index, facts, library),
        rule_keys=MappingProxyType({slot_id: rule_keys(slot) for slot_id, slot in slots.items()}),
        rows=MappingProxyType({slot_id: index.row(rule_keys(slot)) for slot_id, slot in slots.items()}),
        candidates=MappingProxyType(
            {
                key: candidates_of(rule.show, library)
                for slot in slots.values()
                for key, rule in zip(rule_keys(slot), slot.rules, strict=True)
            }
        ),
        placements=MappingProxyType(
            {slot_id: slot.placement for slot_id, slot in slots.items() if slot.placement is not None}
        ),
        ground=Ground(
            facts=MappingProxyType(facts),
            zone=conventions.zone,
            purposes=MappingProxyType({name: one.purpose for name, one in schema.attributes.items()}),
            zone_attribute=schema.zone_attribute,
            organization_attribute=None if belonging is None else belonging.attribute,
        ),
        index=index,
        library=library,
        conventions=conventions,
        sources=definitions.sources,
        sharing=Sharing(conditions, segments, library, conventions.zone, told),
        belonging=belonging,
    )
