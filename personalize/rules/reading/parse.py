"""Reads conditions: what an editor wrote under `who:`, `to:` and `where:` becomes a tree of questions."""

import re
from datetime import timedelta

from personalize.durations import parse_duration
from personalize.events.schema import EventType, Schema
from personalize.guesses import Guess
from personalize.problems import did_you_mean, quoted
from personalize.profiles.counters import MOST_TIMES, Counter, room_for
from personalize.rules.arguments import ArgumentError
from personalize.rules.conditions import Any, Condition, InSegment, Leaf, Not, everything
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, Facts, counter_fact
from personalize.rules.filters import EVERY_EVENT, Filter
from personalize.rules.id_lists import IdLists
from personalize.rules.operators import HAPPENED, NEGATIVES, OPERATORS
from personalize.rules.reading.gaps import Gaps, Kind
from personalize.rules.reading.looking_back import LookingBack
from personalize.rules.reading.operators_meant import order_meant, pair_meant
from personalize.rules.reading.questions import UNREADABLE, FieldParser, QuestionParser, group_meant
from personalize.rules.reading.reading import Reading, shown
from personalize.rules.reading.splits import read_split
from personalize.rules.spoken import Spoken
from personalize.rules.times import Times
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

GROUPS = ("any", "all", "not", "segment", "did", "percentage")
DID_KEYS = ("did", "where", "times", "within")
_RANGE = re.compile(r"([0-9]+) ?(?:-|–|\.\.|to) ?([0-9]+)")
_OFTEN = {"once": 1, "twice": 2, "thrice": 3}
DID_ORDER = ("at_least", "more_than", "at_most", "less_than", "is", "between")


class ConditionParser(QuestionParser):
    """Reads the conditions of one rule set on visitors, and remembers the counters that they need.

    `facts` are those of the schema, unless the site's own code adds some. `lists` are the lists of ids.
    """

    def __init__(
        self,
        schema: Schema,
        conventions: Conventions,
        reading: Reading,
        gaps: Gaps,
        facts: Facts | None = None,
        lists: IdLists | None = None,
    ) -> None:
        super().__init__(conventions, reading, lists or IdLists({}))
        self._schema = schema
        self._facts = facts if facts is not None else Facts(schema)
        self._gaps = gaps
        self._describer = Spoken(conventions)
        self._looking_back = LookingBack(schema, conventions, reading.problems)
        self._counters: dict[str, Counter] = {}
        self._owner = ""

    @property
    def local_now(self) -> Fact | None:
        """The moment in the visitor's zone, as a fact of this site; None where nothing tells that zone."""
        return self._facts.local_now

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters of all conditions read so far, each with room for the largest number of times asked for."""
        return tuple(self._counters.values())

    def _block(self, mapping: Mapping, what: str) -> list[Condition]:
        if mapping.get("did") is None:
            return super()._block(mapping, what)
        beside = [(key, value) for key, value in mapping.entries if key.text not in DID_KEYS]
        return [self._did(mapping), *(self._entry(key, value) for key, value in beside)]

    def _entry(self, key: Scalar, value: Node) -> Condition:
        match key.text:
            case "segment":
                return self._segments(value)
            case "percentage":
                return self._split(value)
        return super()._entry(key, value)

    def condition_of(self, owner: str, node: Node, what: str) -> Condition:
        """The condition of a rule or segment, whose id `owner` is the key of the splits in it that name none."""
        self._owner = owner
        return self.condition(node, what)

    def _split(self, value: Node) -> Condition:
        try:
            split = read_split(value, self._owner, self._facts)
        except ArgumentError as error:
            self._problems.error("E255", f"`percentage`: {error}", value, error.hint)
            return UNREADABLE
        if not split.argument:
            said = "`percentage`: 0% of all visitors is nobody"
            self._problems.warning("W243", said, value, "open it a little, or take it out of the rules")
        return split

    def _fact(self, key: Scalar, value: Node) -> Fact | None:
        fact = self._facts.get(key.text)
        if fact is None and not self._gaps.may_define_fact(key.text):
            hint = _other_word_meant(key.text, value) or self._facts.hint(key.text, GROUPS)
            self._problems.error("E211", f"{quoted(key.text)} is not a fact we know", key, hint)
        return fact

    def _other_facts(self) -> Facts:
        return self._facts

    def _leaf_of(self, leaf: Leaf, node: Node) -> Leaf:
        self._looking_back.at_moment(leaf.fact, leaf.argument, node)
        return leaf

    def _segments(self, value: Node) -> Condition:
        named = self._reading.scalars(value, "`segment`")
        if isinstance(value, Sequence) and not value.items:
            self._problems.error("E212", "`segment` names none", value, "write the name of a segment behind it")
        parts = tuple(InSegment(scalar.text, scalar.place) for scalar in named)
        return parts[0] if len(parts) == 1 else Any(parts)

    # Behaviour -----------------------------------------------------------------------------------------

    def _did(self, mapping: Mapping) -> Condition:
        event = self._event(mapping)
        if event is None:
            return UNREADABLE
        chosen = self._filter(event, mapping.get("where"))
        within = self._within(mapping.get("within"))
        self._looking_back.at_times(event, within, mapping.get("within") or mapping)
        times = mapping.get("times")
        key = chosen.counter_key(event.name)
        where = "" if chosen == EVERY_EVENT else f", where {self._describer.condition(chosen.condition)},"
        fact = counter_fact(key, event.name, event.purpose, f"{quoted(event.title or event.name)}{where}")
        bounds = self._bounds(times) if times is not None else [(1, True)]
        parts: list[Condition] = []
        for count, wanted in bounds:
            self._remember(key, event, count, chosen)
            leaf = Leaf(fact, HAPPENED, HAPPENED.word, Times(count, within), place=mapping.place)
            parts.append(leaf if wanted else Not(leaf))
        return everything(*parts)

    def _event(self, mapping: Mapping) -> EventType | None:
        name = self._reading.text(mapping, "did", "a condition")
        event = self._schema.events.get(name)
        if event is None and name and not self._gaps.may_define(Kind.EVENT, name):
            self._problems.error(
                "E216",
                f"{quoted(name)} is not an event we know",
                mapping.get("did"),
                did_you_mean(name, tuple(self._schema.events)) or "declare it under `events:`",
            )
        return event

    def _filter(self, event: EventType, node: Node | None) -> Filter:
        if not self._reading.entries(node, "`where`"):
            return EVERY_EVENT
        assert node is not None
        parser = FieldParser(
            event.properties,
            event.name,
            self._conventions,
            self._reading,
            self._lists,
            wanted=self._wanted,
            may_lack=self._gaps.is_broken(Kind.EVENT, event.name),
        )
        chosen = Filter(parser.condition(node, "`where`"))
        self._refuse_ages(chosen)
        return chosen

    def _refuse_ages(self, chosen: Filter) -> None:
        """An event counts or doesn't when it is recorded, so a filter can't look at the clock of later on."""
        for leaf in chosen.leaves():
            if leaf.uses_now:
                self._problems.error(
                    "E219",
                    f"`{leaf.word}` does not fit `where`, which looks at the event alone, whatever time it is",
                    leaf.place,
                    "write `within` beside `did` to say how long ago it happened, or `before` and `after` a date",
                )

    def _within(self, node: Node | None) -> timedelta | None:
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self._reading.wrong_kind(node, "`within`", "a length of time, such as 30 days")
            return None
        try:
            return parse_duration(node.text)
        except ValueError as error:
            self._problems.error("E215", f"`within`: {error}", node)
            return None

    def _bounds(self, node: Node) -> list[tuple[int, bool]]:
        """The `times` of a behaviour as (count, wanted): at least so often, or not."""
        if isinstance(node, Scalar):
            exactly = self._count(node, is_alone=True)
            return _from_to(exactly, exactly)
        bounds: list[tuple[int, bool]] = []
        for key, value in self._reading.entries(node, "`times`"):
            if key.text not in DID_ORDER:
                self._problems.error(
                    "E214",
                    f"{quoted(key.text)} does not fit `times`",
                    key,
                    did_you_mean(key.text, DID_ORDER) or f"it takes {', '.join(DID_ORDER)}",
                )
                continue
            bounds += self._bound(key.text, value)
        if isinstance(node, Mapping) and not node.entries:
            self._problems.error("E213", "`times` asks nothing", node, "add an operator such as `at_least: 2`")
        return bounds

    def _bound(self, word: str, value: Node) -> list[tuple[int, bool]]:
        match word:
            case "between":
                return self._between(value)
            case "is":
                count = self._count(value)
                return _from_to(count, count)
            case "at_least":
                return [(self._count(value, least=1), True)]
            case "more_than":
                return [(self._count(value) + 1, True)]
            case "at_most":
                return [(self._count(value) + 1, False)]
            case _:
                return [(self._count(value, least=1), False)]

    def _between(self, value: Node) -> list[tuple[int, bool]]:
        ends = value.items if isinstance(value, Sequence) else ()
        if len(ends) != 2:
            self._problems.error("E215", "`between` expects two numbers", value, "write them as [2, 5]")
            return []
        low, high = map(self._count, ends)
        if low > high:
            self._problems.error("E215", "`between` goes from the smaller to the larger", value, "swap the two values")
        return _from_to(low, high)

    def _count(self, node: Node, *, least: int = 0, is_alone: bool = False) -> int:
        value = node.value if isinstance(node, Scalar) else None
        # To know that it was not more often, a counter has to keep one more.
        most = MOST_TIMES if least else MOST_TIMES - 1
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        allowed = f"a whole number from {least} to {most}"
        hint = _times_meant(node.text) if isinstance(node, Scalar) else None
        hint = hint if is_alone or hint is None else str(hint)
        self._problems.error("E218", f"a number of times is {allowed} here, not {shown(node)}", node, hint)
        return 1

    def _remember(self, key: str, event: EventType, count: int, chosen: Filter) -> None:
        known = self._counters.get(key)
        limit = max(room_for(count), known.limit if known is not None else 1)
        self._counters[key] = Counter(key=key, event_type=event.name, limit=limit, matches=chosen.matches)


def _other_word_meant(word: str, value: Node) -> str | None:
    """A hint at what a word that is no fact does here, where it has a meaning elsewhere in the language."""
    if word in DID_KEYS:
        return f"`{word}` stands beside `did`, which names an event"
    if word in OPERATORS or word in NEGATIVES:
        return f"`{word}` stands behind a fact, in braces: a.fact: {{{word}: …}}"
    is_alone = isinstance(value, Scalar) and value.value is None
    return group_meant(word, value) or pair_meant(word, form="{}" if is_alone else None)


def _times_meant(text: str) -> str | None:
    """How to write what was likely meant by a number of times in other words."""
    if (ends := _RANGE.fullmatch(text)) is not None:
        meant = f"{{between: [{ends[1]}, {ends[2]}]}}"
        return Guess(f"write {meant}", text, meant)
    if (least := _OFTEN.get(text.casefold())) is not None:
        return f"write {{at_least: {least}}}, or {least} for exactly so often"
    return order_meant(text)


def _from_to(low: int, high: int) -> list[tuple[int, bool]]:
    """At least `low` times and not more than `high`; at least 0 times says nothing."""
    return [(low, True), (high + 1, False)] if low else [(high + 1, False)]
