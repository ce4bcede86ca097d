"""What rules may ask where pages are shared: only what an edge tells, so that no cache shows somebody what is
another's."""

from collections.abc import Iterator, Mapping

from personalize.content.library import Library
from personalize.problems import Problems, quoted
from personalize.rules.conditions import Condition, InSegment, Leaf, questions
from personalize.rules.definitions import Definitions, Named, Rule, Segment, Slot
from personalize.rules.facts import SPLIT_ROOT, Fact
from personalize.rules.pages import candidates_of
from personalize.rules.reading.inputs import Inputs, sources
from personalize.yaml_tree import Place


def check_variants(inputs: Inputs, definitions: Definitions, library: Library, problems: Problems) -> None:
    """Collect what keeps the slots of a site from standing on pages that are shared."""
    check = _Check(inputs, definitions, library, problems)
    for slot in definitions.slots.values():
        for rule in slot.rules:
            check.rule(rule)
        check.items(slot)
    check.pages()


class _Check:
    """Looks at one slot after the other, and at last at the pages that they make."""

    def __init__(self, inputs: Inputs, definitions: Definitions, library: Library, problems: Problems) -> None:
        self._inputs = inputs
        self._segments = definitions.segments
        self._library = library
        self._problems = problems
        self._pages: dict[str, list[Slot]] = {}
        self._read: dict[str, dict[str, None]] = {}
        for slot in definitions.slots.values():
            self._pages.setdefault(slot.page or f" {slot.slot_id}", []).append(slot)
            self._read[slot.slot_id] = dict.fromkeys(
                fact.name for rule in slot.rules for fact, _, _ in self._asked(rule.condition)
            )

    def rule(self, rule: Rule) -> None:
        """Collect what the rule reads and no edge tells, each fact once."""
        refused: set[str] = set()
        for fact, place, segment in self._asked(rule.condition):
            if fact.name in refused or self._inputs.allow(fact):
                continue
            refused.add(fact.name)
            through = "" if segment is None else f", through the segment {quoted(segment.segment_id)}"
            self._problems.error(
                "E291",
                f"the rule {quoted(rule.rule_id)} reads {_said(fact)}{through}, and pages that are shared "
                "can't depend on that",
                place,
                self._way_out(fact),
            )

    def items(self, slot: Slot) -> None:
        """Collect the items that name something of the visitor."""
        for named, item_id in self._shown(slot):
            item = self._library.item(item_id)
            if item is not None and item.rendering.is_personal:
                self._problems.error(
                    "E292",
                    f"the item {quoted(item_id)} speaks to one visitor by what is known of them, and stands on pages "
                    "that are shared",
                    named,
                    "write it for everybody, or use the mode `private` or `fragments`",
                )

    def pages(self) -> None:
        """Collect the pages that would have too many variants."""
        for slots in self._pages.values():
            names = dict.fromkeys(name for slot in slots for name in self._read[slot.slot_id])
            told = [name for name in self._inputs.texts if name in names]
            count = self._inputs.variants(told)
            if count > self._inputs.most_variants:
                first = slots[0]
                what = f"the page {quoted(first.page)}" if first.page else f"the slot {quoted(first.slot_id)}"
                factors = " × ".join(f"{len(self._inputs.texts[name]) + 1} of `{name}`" for name in told)
                self._problems.error(
                    "E293",
                    f"{what} would have {count:,} variants, and may have {self._inputs.most_variants:,}: {factors}",
                    first.place,
                    "ask about fewer inputs, give them fewer values, or raise `cache.max_variants`",
                )

    def _asked(self, condition: Condition) -> Iterator[tuple[Fact, Place | None, InSegment | None]]:
        """Every fact that a condition reads, with the place to point at, and the segment of the rule that leads to
        it, if one does."""
        for question in questions(condition):
            if isinstance(question, Leaf):
                yield from ((fact, question.place, None) for fact in sources(question.fact))
            else:
                for leaf in _inside(question.segment_id, self._segments):
                    yield from ((fact, question.place, question) for fact in sources(leaf.fact))

    def _shown(self, slot: Slot) -> Iterator[tuple[Named, str]]:
        for rule in slot.rules:
            show = rule.show
            yield from ((named, named.text) for named in show.items)
            if show.collection is not None and show.collection.text in self._library.collections:
                yield from ((show.collection, one) for one in candidates_of(show, self._library).item_ids)
        if slot.otherwise is not None:
            yield slot.otherwise, slot.otherwise.text

    def _way_out(self, fact: Fact) -> str:
        if fact.root == "now":
            return "leave `zone: visitor` out: where the visitor's clock counts, no page is the same for two of them"
        known = ", ".join(f"`{name}`" for name in self._inputs.texts)
        return (
            f"ask about an input ({known}), the path or the time; or declare this fact under [cache.inputs], if your "
            "edge can tell it"
            if known
            else "declare it under [cache.inputs] with its values, if your edge can tell it"
        )


def _inside(segment_id: str, segments: Mapping[str, Segment]) -> Iterator[Leaf]:
    """The questions of a segment and of those that it names, each segment once, circles and missing ones or not."""
    waiting, met = [segment_id], {segment_id}
    while waiting:
        segment = segments.get(waiting.pop())
        for question in questions(segment.who) if segment is not None else ():
            if isinstance(question, Leaf):
                yield question
            elif question.segment_id not in met:
                met.add(question.segment_id)
                waiting.append(question.segment_id)


def _said(fact: Fact) -> str:
    if fact.root == "did":
        return "what somebody did"
    if fact.root == SPLIT_ROOT:
        return "who somebody is, to show it to a percentage"
    return "the visitor's clock" if fact.name == "now.local" else f"`{fact.name}`"
