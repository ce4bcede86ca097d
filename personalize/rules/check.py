"""What can only be seen once all files are read: names that lead nowhere, circles, items that do not fit."""

from collections.abc import Mapping

from personalize.content.library import Library
from personalize.problems import Problems, did_you_mean
from personalize.rules.conditions import Condition, Leaf, Not, segments_named
from personalize.rules.definitions import Definitions, Named, Rule, Segment, Show, Slot


def check_definitions(definitions: Definitions, library: Library, problems: Problems) -> None:
    """Collect what is wrong between the definitions, and between them and the content."""
    for segment in definitions.segments.values():
        _check_segments(segment.who, definitions.segments, problems)
    _check_circles(definitions.segments, problems)
    for slot in definitions.slots.values():
        _SlotCheck(slot, library, problems).run()
        for rule in slot.rules:
            _check_segments(rule.to, definitions.segments, problems)
            _check_lone_negative(rule, problems)


def _check_segments(condition: Condition, segments: Mapping[str, Segment], problems: Problems) -> None:
    for named in segments_named(condition):
        if named.segment_id not in segments:
            problems.error(
                "E222",
                f'there is no segment "{named.segment_id}"',
                named.place,
                did_you_mean(named.segment_id, tuple(segments)) or "define it under `segments:`",
            )


def _check_circles(segments: Mapping[str, Segment], problems: Problems) -> None:
    """A segment that names itself, perhaps through others, could never be decided."""
    safe: set[str] = set()
    for start in segments:
        circle = _circle_from(start, segments, safe, ())
        if circle:
            path = " -> ".join((*circle, circle[0]))
            problems.error(
                "E223",
                f"these segments go in a circle: {path}",
                segments[circle[0]].place,
                "take one of the references out",
            )


def _circle_from(
    segment_id: str, segments: Mapping[str, Segment], safe: set[str], path: tuple[str, ...]
) -> tuple[str, ...]:
    if segment_id in path:
        return path[path.index(segment_id) :]
    if segment_id in safe or segment_id not in segments:
        return ()
    for named in segments_named(segments[segment_id].who):
        circle = _circle_from(named.segment_id, segments, safe, (*path, segment_id))
        if circle:
            safe.update(circle)
            return circle
    safe.add(segment_id)
    return ()


def _check_lone_negative(rule: Rule, problems: Problems) -> None:
    """`is_not` holds for whom nothing is known, which is seldom what a rule is for."""
    match rule.to:
        case Not(part=Leaf() as leaf) if leaf.fact.stored and leaf.word != "exists":
            problems.warning(
                "W201",
                f'the rule "{rule.rule_id}" also reaches everybody of whom `{leaf.fact.name}` is not known',
                leaf.place,
                f"add `{leaf.fact.name}: {{exists: true}}` if only known ones are meant",
            )


class _SlotCheck:
    """The items of one slot: there, and of a kind that it accepts."""

    def __init__(self, slot: Slot, library: Library, problems: Problems) -> None:
        self._slot = slot
        self._library = library
        self._problems = problems
        self._kinds = frozenset(collection.kind for collection in library.collections.values())
        self._accepts = frozenset(named.text for named in slot.accepts)

    def run(self) -> None:
        """Collect what is wrong."""
        for named in self._slot.accepts:
            if named.text not in self._kinds:
                hint = did_you_mean(named.text, tuple(self._kinds))
                self._problems.error("E224", f'no collection has the kind "{named.text}"', named.place, hint)
        for rule in self._slot.rules:
            self._check_show(rule.show, rule)
        if self._slot.otherwise is not None:
            self._check_item(self._slot.otherwise)

    def _check_show(self, show: Show, rule: Rule) -> None:
        for named in show.items:
            self._check_item(named)
        if show.collection is not None:
            self._check_collection(show.collection, show.tagged, rule)

    def _check_item(self, named: Named) -> None:
        if self._library.item(named.text) is None:
            self._problems.error(
                "E225",
                f'there is no content item "{named.text}"',
                named.place,
                did_you_mean(named.text, tuple(self._library.items)) or "write it in the content folder first",
            )
        else:
            self._check_kind(named.text, named)

    def _check_kind(self, item_id: str, named: Named) -> None:
        kind = self._library.items[item_id].kind
        if self._accepts and kind not in self._accepts:
            self._problems.error(
                "E226",
                f'"{item_id}" is of the kind "{kind}", which this slot does not accept',
                named.place,
                f"it accepts {', '.join(sorted(self._accepts))}",
            )

    def _check_collection(self, collection: Named, tagged: tuple[str, ...], rule: Rule) -> None:
        if collection.text not in self._library.collections:
            self._problems.error(
                "E227",
                f'there is no collection "{collection.text}"',
                collection.place,
                did_you_mean(collection.text, tuple(self._library.collections)) or "see content/collections.yaml",
            )
            return
        found = self._library.tagged(collection.text, tagged)
        if not found:
            self._problems.warning(
                "W202",
                f'the rule "{rule.rule_id}" finds no item in "{collection.text}"{_with_tags(tagged)}',
                collection.place,
            )
        else:
            self._check_kind(found[0], collection)


def _with_tags(tagged: tuple[str, ...]) -> str:
    return f" tagged {', '.join(tagged)}" if tagged else ""
