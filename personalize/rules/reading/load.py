"""From the texts of rule files to what they define, with every problem of all of them at once."""

import hashlib
from collections.abc import Callable
from collections.abc import Mapping as Table
from types import MappingProxyType
from typing import TypeVar

from personalize.events.schema import Schema
from personalize.problems import Problems, quoted
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions, Source
from personalize.rules.facts import Facts
from personalize.rules.id_lists import id_lists, is_list
from personalize.rules.own_facts import NO_OWN_FACTS, OwnFact
from personalize.rules.reading.declarations import DeclarationReader
from personalize.rules.reading.gaps import Gaps, Kind
from personalize.rules.reading.own_names import check_own_names
from personalize.rules.reading.parse import ConditionParser
from personalize.rules.reading.personas import PersonaReader
from personalize.rules.reading.reading import Reading
from personalize.rules.reading.slots import SlotReader
from personalize.yaml_tree import Node, Scalar, parse_yaml

_ARTICLES = {"attribute": "an", "event": "an"}
#: What conditions anywhere may name.
DECLARING = ("attributes", "events", "organization")
SECTIONS = (*DECLARING, "segments", "slots", "personas")

Defined = TypeVar("Defined")
Entries = list[tuple[Scalar, Node]]


def read_definitions(
    files: Table[str, str],
    conventions: Conventions,
    problems: Problems,
    own_facts: Table[str, OwnFact] | None = NO_OWN_FACTS,
    declared: Schema | None = None,
) -> Definitions:
    """What all rule files (path -> text) define together, in the order of their paths. `own_facts` are those that
    the site's code adds to the language; None where they can't be loaded, so that no name of a fact is refused. Where
    these are some of a site's files, `declared` is what the others declare."""
    reading, gaps = Reading(problems), Gaps(misses_own_facts=own_facts is None)
    own_facts = own_facts or NO_OWN_FACTS
    sections: dict[str, Entries] = {name: [] for name in SECTIONS}
    sources = {file: Source(digest_of(files[file]), declares=True) for file in files if is_list(file)}
    for file in sorted(file for file in files if not is_list(file)):
        found = Problems()
        tree = parse_yaml(files[file], file, found)
        if found.has_errors:
            gaps.add_file(file)
        problems.extend(found.list)
        before = _count_declared(sections)
        _collect(tree, sections, reading)
        sources[file] = Source(digest_of(files[file]), declares=_count_declared(sections) > before)
    reader = DeclarationReader(reading, conventions.currency_digits, gaps)
    attributes = _once(sections["attributes"], "attribute", reading)
    organization = _once(sections["organization"], "key of `organization`", reading)
    schema = reader.schema(attributes, _once(sections["events"], "event", reading), organization)
    schema = schema if declared is None else declared
    check_own_names(own_facts, Facts(schema), gaps, problems)
    facts = Facts(schema, own_facts)
    conditions = ConditionParser(schema, conventions, reading, gaps, facts, id_lists(files, problems))
    personas = PersonaReader(facts, conventions, reading, gaps)
    slots = SlotReader(conventions, reading, conditions, personas)
    return Definitions(
        schema=schema,
        segments=_defined(sections["segments"], "segment", slots.segment, reading, gaps),
        slots=_defined(sections["slots"], "slot", slots.slot, reading, gaps),
        personas=_defined(sections["personas"], "persona", personas.persona, reading),
        counters=conditions.counters,
        gaps=gaps,
        sources=MappingProxyType(sources),
    )


def digest_of(text: str) -> str:
    """Tells a text apart from all others."""
    return hashlib.sha256(text.encode()).hexdigest()


def _count_declared(sections: Table[str, Entries]) -> int:
    return sum(len(sections[name]) for name in DECLARING)


def _collect(tree: Node | None, sections: dict[str, Entries], reading: Reading) -> None:
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return
    mapping = reading.mapping(tree, "a rule file")
    if mapping is None:
        return
    reading.only(mapping, SECTIONS, "a rule file")
    for name in SECTIONS:
        sections[name] += reading.entries(mapping.get(name), f"`{name}`")


def _once(entries: Entries, kind: str, reading: Reading) -> Entries:
    """The entries without those whose id another file has used already."""
    first: dict[str, tuple[Scalar, Node]] = {}
    for key, node in entries:
        known = first.setdefault(key.text, (key, node))
        if known[0] is not key:
            place = known[0].place
            reading.problems.error(
                "E206",
                f"there is {_ARTICLES.get(kind, 'a')} {kind} {quoted(key.text)} already",
                key,
                f"the first stands at {place.file}:{place.line}",
            )
    return list(first.values())


def _defined(
    entries: Entries,
    kind: str,
    read: Callable[[str, Scalar, Node], Defined | None],
    reading: Reading,
    gaps: Gaps | None = None,
) -> Table[str, Defined]:
    found: dict[str, Defined] = {}
    waiting = _once(entries, kind, reading)[::-1]
    entries.clear()
    while waiting:  # each tree is let go as soon as it is read: all at once would hold up who is served meanwhile
        key, node = waiting.pop()
        name = reading.identifier(key, f"a {kind}")
        one = read(key.text, key, node)
        if name is not None and one is not None:
            found[name] = one
        elif gaps is not None:
            gaps.add(Kind(kind), key.text)
    return MappingProxyType(found)
