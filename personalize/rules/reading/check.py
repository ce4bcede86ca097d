"""What can only be seen once all files are read: names that lead nowhere, circles, items that do not fit."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from personalize.content.library import Library
from personalize.guesses import Guess
from personalize.problems import Problems, did_you_mean, nearest, quoted
from personalize.rules.conditions import All, Condition, Leaf, Not, questions, segments_named
from personalize.rules.definitions import Definitions, Expected, Named, Rule, Segment, Show, Slot
from personalize.rules.facts import SPLIT_ROOT, FactType
from personalize.rules.operators import NEGATIVES
from personalize.rules.reading.gaps import Kind
from personalize.rules.window import Window
from personalize.yaml_tree import Place

#: Who has seen so many circles takes one out and looks again; each costs a walk over all segments.
_MOST_CIRCLES = 20
_MOST_NAMED = 10
#: What `otherwise` is given by who wants nothing of ours to stand in a slot.
_NOTHING = frozenset({"nothing", "none", "nobody", "default", "empty"})
_MARKUP_STAYS = "take the line out: without it, the site's own markup stays"
_NEGATIVE_WORDS = {positive: negative for negative, positive in NEGATIVES.items()}
#: How many questions one condition may ask, those of the segments that it names not counted.
MOST_QUESTIONS = 500
#: What is answered of everybody of whom anything is stored, as it is 0 where nothing happened.
_ANSWERED_OF_VISITORS = ("count", "total")


def check_definitions(definitions: Definitions, library: Library, problems: Problems) -> None:
    """Collect what is wrong between the definitions, and between them and the content."""
    for segment in definitions.segments.values():
        what = f"the segment {quoted(segment.segment_id)}"
        _check_size(segment.who, what, segment.place, problems)
        _check_segments(segment.who, definitions, problems)
        _check_negatives(segment.who, what, problems)
    _check_circles(definitions.segments, problems)
    for slot in definitions.slots.values():
        _SlotCheck(slot, library, problems).run()
        for rule in slot.rules:
            what = f"the rule {quoted(rule.rule_id)}"
            _check_size(rule.to, what, rule.place, problems)
            _check_segments(rule.to, definitions, problems)
            _check_negatives(rule.to, what, problems)
    for persona in definitions.personas.values():
        for expected in persona.sees:
            _check_expected(expected, definitions, library, problems)


def _check_expected(expected: Expected, definitions: Definitions, library: Library, problems: Problems) -> None:
    """What a persona must see is in a slot that there is, and of a kind that fits in."""
    slot = definitions.slots.get(expected.slot.text)
    if slot is not None:
        for named in expected.items:
            _SlotCheck(slot, library, problems).check_item(named)
    elif not definitions.gaps.may_define(Kind.SLOT, expected.slot.text):
        hint = did_you_mean(expected.slot.text, definitions.slots) or "define it under `slots:`"
        problems.error("E282", f"there is no slot {quoted(expected.slot.text)}", expected.slot.place, hint)


def _check_size(condition: Condition, what: str, place: Place, problems: Problems) -> None:
    """So many questions, asked of one visitor after another, would keep pages waiting."""
    count = sum(1 for _ in questions(condition))
    if count > MOST_QUESTIONS:
        hint = "write values of one fact as a list, in brackets, or give parts a name as segments of their own"
        problems.error("E244", f"{what} asks {count:,} questions, and may ask {MOST_QUESTIONS}", place, hint)


def _check_segments(condition: Condition, definitions: Definitions, problems: Problems) -> None:
    segments = definitions.segments
    for named in segments_named(condition):
        name = named.segment_id
        if name not in segments and not definitions.gaps.may_define(Kind.SEGMENT, name):
            problems.error(
                "E222",
                f"there is no segment {quoted(named.segment_id)}",
                named.place,
                did_you_mean(named.segment_id, tuple(segments)) or "define it under `segments:`",
            )


def _check_circles(segments: Mapping[str, Segment], problems: Problems) -> None:
    """A segment that names itself, perhaps through others, could never be decided."""
    named = {
        segment_id: dict.fromkeys(one.segment_id for one in segments_named(segment.who) if one.segment_id in segments)
        for segment_id, segment in segments.items()
    }
    for _ in range(_MOST_CIRCLES):
        circle = _circle(named)
        if circle is None:
            return
        path = " -> ".join((*_shortened(circle), circle[0]))
        problems.error(
            "E223",
            f"these segments go in a circle: {path}",
            segments[circle[0]].place,
            "take one of the references out",
        )
        del named[circle[-1]][circle[0]]


def _shortened(circle: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a circle, the middle of a long one left out."""
    if len(circle) <= _MOST_NAMED:
        return circle
    half = _MOST_NAMED // 2
    return (*circle[:half], "…", *circle[-half:])


def _circle(named: Mapping[str, Mapping[str, None]]) -> tuple[str, ...] | None:
    """Segments of which each names the next and the last one the first, from the one defined first; or None."""
    try:
        TopologicalSorter(named).prepare()
    except CycleError as error:
        backwards: list[str] = error.args[1]
        circle = backwards[:0:-1]
        order = {segment_id: number for number, segment_id in enumerate(named)}
        first = min(range(len(circle)), key=lambda at: order[circle[at]])
        return (*circle[first:], *circle[:first])
    return None


def _check_negatives(condition: Condition, what: str, problems: Problems) -> None:
    """`is_not` holds for whom nothing is known, which is seldom what an editor means."""
    parts = tuple(_all_needed(condition))
    known = {part.fact.name for part in parts if isinstance(part, Leaf)}
    is_visitor_known = any(isinstance(part, Leaf) and part.fact.stored and part.fact.root != "now" for part in parts)
    for part in parts:
        if not (isinstance(part, Not) and isinstance(part.part, Leaf)):
            continue
        leaf = part.part
        is_answered = leaf.fact.name in known or (is_visitor_known and leaf.fact.key in _ANSWERED_OF_VISITORS)
        if leaf.fact.stored and _may_be_asked_for(leaf) and not is_answered:
            problems.warning(
                "W201",
                f"{what} also reaches everybody of whom `{leaf.fact.name}` is not known",
                leaf.place,
                _ways_out(leaf),
            )


def _all_needed(condition: Condition) -> Iterator[Condition]:
    """The questions and opposites of questions that all have to be answered with yes."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _all_needed(part)
    else:
        yield condition


def _ways_out(leaf: Leaf) -> str:
    """How to mean only those of whom it is known, and how to mean everybody."""
    name, negative = leaf.fact.name, _NEGATIVE_WORDS.get(leaf.word)
    if negative is None:
        return f"if only known ones are meant, add `{name}: {{exists: true}}` beside the `not`"
    return (
        f"if only known ones are meant, write `{name}: {{{negative}: …, exists: true}}`; "
        f"if everybody is, `any: [{{{name}: {{exists: false}}}}, {{{name}: {{{negative}: …}}}}]`"
    )


def _may_be_asked_for(leaf: Leaf) -> bool:
    """Whether `exists` could stand beside the question: not beside a `did`, nor where there is always an answer."""
    fact = leaf.fact
    if fact.root == SPLIT_ROOT:
        return False
    always_answered = fact.type in (FactType.TIMES, FactType.PAIR) or fact.root == "now" or fact.name == "visitor.known"
    return leaf.word != "exists" and not always_answered


class _SlotCheck:
    """The items of one slot: there, and of a kind that it accepts.

    Of an item or collection that is written but refused, what is wrong has been said where it stands.
    """

    def __init__(self, slot: Slot, library: Library, problems: Problems) -> None:
        self._slot = slot
        self._library = library
        self._problems = problems
        self._kinds = frozenset(collection.kind for collection in library.collections.values())
        self._accepts = frozenset(named.text for named in slot.accepts)

    def run(self) -> None:
        """Collect what is wrong."""
        for named in self._slot.accepts:
            if named.text not in self._kinds and not self._misses_collections:
                hint = did_you_mean(named.text, tuple(self._kinds)) or f"the kinds: {', '.join(sorted(self._kinds))}"
                self._problems.error("E224", f"no collection has the kind {quoted(named.text)}", named.place, hint)
        for rule in self._slot.rules:
            self._check_show(rule.show, rule)
        if self._slot.otherwise is not None:
            self.check_item(self._slot.otherwise, _MARKUP_STAYS if self._slot.otherwise.text in _NOTHING else None)

    @property
    def _misses_collections(self) -> bool:
        return any("/" not in name for name in self._library.refused)

    def _check_show(self, show: Show, rule: Rule) -> None:
        for named in show.items:
            self.check_item(named)
            self._check_validity(named, rule)
        if show.collection is not None:
            self._check_collection(show.collection, show.tagged, rule)

    def _check_validity(self, named: Named, rule: Rule) -> None:
        """Tell of an item that is valid only before its rule begins, or after it has ended."""
        window = None if rule.when is None else rule.when.argument
        item = self._library.item(named.text)
        if item is None or not isinstance(window, Window) or window.zone is None:
            return
        if _is_before(item.until_at, window.from_at) or _is_before(window.until_at, item.from_at):
            valid = Window.between(item.from_at, item.until_at, window.zone)
            self._problems.warning(
                "W204",
                f"{quoted(named.text)} is never valid while the rule {quoted(rule.rule_id)} shows it: "
                f"the item is {valid}; the rule is {window}",
                named.place,
                f"is the year right? its dates stand in {item.file}",
            )

    def check_item(self, named: Named, hint: str | None = None) -> None:
        """Collect what is wrong with an item that is to stand in the slot."""
        if not self._library.refused.isdisjoint((named.text, named.text.partition("/")[0])):
            return
        if self._library.item(named.text) is None:
            self._problems.error(
                "E225",
                f"there is no content item {quoted(named.text)}",
                named.place,
                hint or self._item_meant(named.text) or "write it in the content folder first",
            )
        else:
            self._check_kind(self._library.items[named.text].kind, f"{quoted(named.text)} is", named)

    def _item_meant(self, text: str) -> str | None:
        """A hint at the item that was meant: one that the slot accepts, by its id or by its name alone."""
        any_fits = not self._accepts or not self._accepts <= self._kinds
        fits = [one.item_id for one in self._library.items.values() if any_fits or one.kind in self._accepts]
        by_name = [item_id for item_id in fits if item_id.rpartition("/")[2] == text.rpartition("/")[2]]
        if by_name:
            return Guess(f"did you mean `{by_name[0]}`?", text, by_name[0] if len(by_name) == 1 else None)
        names = {item_id.rpartition("/")[2]: item_id for item_id in fits}
        guess = None if "/" in text else nearest(text, names)
        return did_you_mean(text, fits) if guess is None else f"did you mean `{names[guess]}`?"

    def _check_kind(self, kind: str, what_is: str, named: Named) -> None:
        if self._accepts and kind not in self._accepts:
            self._problems.error(
                "E226",
                f"{what_is} of the kind {quoted(kind)}, which this slot does not accept",
                named.place,
                f"it accepts {', '.join(sorted(self._accepts))}",
            )

    def _check_collection(self, collection: Named, tagged: tuple[str, ...], rule: Rule) -> None:
        if any(one.partition("/")[0] == collection.text for one in self._library.refused):
            return
        if collection.text not in self._library.collections:
            self._problems.error(
                "E227",
                f"there is no collection {quoted(collection.text)}",
                collection.place,
                did_you_mean(collection.text, tuple(self._library.collections)) or "see content/collections.yaml",
            )
            return
        kind = self._library.collections[collection.text].kind
        self._check_kind(kind, f"what is in {quoted(collection.text)} is", collection)
        if not self._library.tagged(collection.text, tagged):
            items = map(self._library.item, self._library.tagged(collection.text))
            known = {tag for item in items if item is not None for tag in item.tags}
            self._problems.warning(
                "W202",
                f"the rule {quoted(rule.rule_id)} finds no item in {quoted(collection.text)}{_with_tags(tagged)}",
                collection.place,
                _tags_meant(tagged) or next(filter(None, (did_you_mean(tag, known) for tag in tagged)), None),
            )


def _is_before(ends_at: datetime | None, begins_at: datetime | None) -> bool:
    """Whether something has ended before something else begins."""
    return ends_at is not None and begins_at is not None and ends_at <= begins_at


def _tags_meant(tagged: tuple[str, ...]) -> str | None:
    """A hint for several tags that stand without brackets."""
    if len(tagged) == 1 and "," in tagged[0]:
        return f"this is one tag; several stand in brackets: [{tagged[0]}]"
    return None


def _with_tags(tagged: tuple[str, ...]) -> str:
    return f" tagged {', '.join(tagged)}" if tagged else ""
