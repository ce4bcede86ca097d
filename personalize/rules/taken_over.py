"""What rule files define that are as they were: taken over from the rule set that they made then, and not read again.

A definition depends on its own file, on all that is declared, and on lists of ids; on other definitions only by name.
So while nothing is declared otherwise, those of unchanged files are what reading them would give.
"""

from collections.abc import Mapping, Set
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from personalize.profiles.counters import Counter, room_for
from personalize.rules.conditions import leaves
from personalize.rules.definitions import Definitions, Persona, Segment, Slot
from personalize.rules.facts import FactType
from personalize.rules.reading.load import digest_of
from personalize.rules.ruleset import RuleSet
from personalize.rules.times import Times

Defined = TypeVar("Defined", bound=Segment | Slot | Persona)


def unchanged_files(earlier: RuleSet, files: Mapping[str, str]) -> Set[str]:
    """The rule files of an earlier rule set that are as they were among these (path -> text); none where one that
    declares anything is not."""
    kept = {
        file for file, source in earlier.sources.items() if file in files and digest_of(files[file]) == source.digest
    }
    return kept if all(not earlier.sources[file].declares for file in earlier.sources.keys() - kept) else frozenset()


def take_over(came: Definitions, earlier: RuleSet, kept: Set[str]) -> Definitions | None:
    """What all files define, of which some are `kept` as they were and the others define what `came`.

    None where that can't be told so: they declare anything, or define again what is defined.
    """
    sources = {file: earlier.sources[file] for file in kept} | dict(came.sources)
    segments = _together(came.segments, earlier.segments, kept)
    slots = _together(came.slots, earlier.slots, kept)
    personas = _together(came.personas, earlier.personas, kept)
    if any(source.declares for file, source in came.sources.items() if file not in kept):
        return None
    if segments is None or slots is None or personas is None:
        return None
    known = {counter.key: counter for counter in (*earlier.counters, *came.counters)}
    return replace(
        came,
        schema=earlier.schema,
        segments=segments,
        slots=slots,
        personas=personas,
        counters=_counters(segments, slots, known),
        sources=MappingProxyType(sources),
    )


def _together(
    came: Mapping[str, Defined], earlier: Mapping[str, Defined], kept: Set[str]
) -> Mapping[str, Defined] | None:
    """In the order in which reading finds them; None where two have one id."""
    found = [*came.items(), *((name, one) for name, one in earlier.items() if one.place.file in kept)]
    found.sort(key=lambda named: (named[1].place.file, named[1].place.start))
    by_name = MappingProxyType(dict(found))
    return by_name if len(by_name) == len(found) else None


def _counters(
    segments: Mapping[str, Segment], slots: Mapping[str, Slot], known: Mapping[str, Counter]
) -> tuple[Counter, ...]:
    """The counters that these conditions need, each with room for the largest number of times asked for."""
    limits: dict[str, int] = {}
    trees = [segment.who for segment in segments.values()]
    trees += [rule.to for slot in slots.values() for rule in slot.rules]
    for tree in trees:
        for leaf in leaves(tree):
            if leaf.fact.type is FactType.TIMES:
                assert isinstance(leaf.argument, Times)
                limits[leaf.fact.key] = max(room_for(leaf.argument.count), limits.get(leaf.fact.key, 1))
    return tuple(replace(known[key], limit=limit) for key, limit in limits.items())
