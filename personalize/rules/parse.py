"""Reads conditions: what an editor wrote under `who:`, `to:` and `where:` becomes a tree of questions."""

import hashlib
import re
from collections.abc import Mapping as Table
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from personalize.durations import parse_duration
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.guesses import Guess
from personalize.problems import did_you_mean, quoted
from personalize.profiles.counters import MOST_TIMES, Counter, room_for
from personalize.rules.arguments import ArgumentError
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, everything, leaves
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, Facts, FactType, counter_fact, element_fact
from personalize.rules.filters import Filter
from personalize.rules.gaps import Gaps, Kind
from personalize.rules.operators import HAPPENED, NEGATIVES, OPERATORS, Operator
from personalize.rules.operators_meant import operator_meant, order_meant
from personalize.rules.own_conditions import own_condition
from personalize.rules.reading import IDENTIFIER, Reading, shown
from personalize.rules.spoken import Spoken
from personalize.rules.times import Times
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

_GROUPS = ("any", "all", "not", "segment", "did")
#: What other languages say for our groups.
_GROUPS_MEANT = {"or": "any", "and": "all", "none": "not", "nor": "not", "except": "not"}
_DID_KEYS = ("did", "where", "times", "within")
_RANGE = re.compile(r"([0-9]+) ?(?:-|–|\.\.|to) ?([0-9]+)")
_OFTEN = {"once": 1, "twice": 2, "thrice": 3}
_DID_ORDER = ("at_least", "more_than", "at_most", "less_than", "is", "between")

#: A condition that could not be read; its problem is said, and the rule set will be refused.
_UNREADABLE = Any()


class ConditionParser:
    """Reads the conditions of one rule set and remembers the counters that they need.

    `facts` are those of the schema, unless the site's own code adds some.
    """

    def __init__(
        self, schema: Schema, conventions: Conventions, reading: Reading, gaps: Gaps, facts: Facts | None = None
    ) -> None:
        self._schema = schema
        self._facts = facts if facts is not None else Facts(schema)
        self._conventions = conventions
        self._reading = reading
        self._gaps = gaps
        self._problems = reading.problems
        self._describer = Spoken(conventions)
        self._counters: dict[str, Counter] = {}

    @property
    def local_now(self) -> Fact | None:
        """The moment in the visitor's zone, as a fact of this site; None where nothing tells that zone."""
        return self._facts.local_now

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters of all conditions read so far, each with room for the largest number of times asked for."""
        return tuple(self._counters.values())

    def condition(self, node: Node, what: str) -> Condition:
        """The condition written in a block of keys: all of them."""
        if not isinstance(node, Mapping):
            self._reading.wrong_kind(node, what, "a block of `key: value` lines", self._block_meant(node, what))
            return _UNREADABLE
        mapping = node
        if not mapping.entries:
            everyone = "leave it out to mean everyone"
            hint = everyone if what == "`to`" else "write a question, such as `visitor.known: true`"
            self._problems.error("E210", f"{what} says nothing", mapping, hint)
            return _UNREADABLE
        is_did = mapping.get("did") is not None
        parts = [self._did(mapping)] if is_did else []
        for key, value in mapping.entries:
            if not (is_did and key.text in _DID_KEYS):
                parts.append(self._entry(key, value, what))
        return everything(*parts)

    def _block_meant(self, node: Node, what: str) -> str | None:
        """A hint for what stands where a block of questions is expected."""
        if isinstance(node, Sequence):
            return "begin with `any:` or `all:` above the dashes, and move them in by two blanks"
        if isinstance(node, Scalar) and node.value is None:
            return f"nothing stands below {what}: move its questions in by two blanks"
        if isinstance(node, Scalar) and IDENTIFIER.fullmatch(node.text):
            return f"write {{segment: {node.text}}} for the segment of this name"
        return None

    def _entry(self, key: Scalar, value: Node, what: str) -> Condition:
        match key.text:
            case "any":
                return Any(self._group(key, value))
            case "all":
                return All(self._group(key, value))
            case "not":
                return Not(self.condition(value, "`not`"))
            case "segment":
                return self._segments(value)
        fact = self._facts.get(key.text)
        if fact is None:
            if not self._gaps.may_define_fact(key.text):
                hint = _group_meant(key.text, value) or self._facts.hint(key.text, _GROUPS)
                self._problems.error("E211", f"{quoted(key.text)} is not a fact we know", key, hint)
            return _UNREADABLE
        return self.question(fact, value)

    def _group(self, key: Scalar, value: Node) -> tuple[Condition, ...]:
        if not isinstance(value, Sequence) or not value.items:
            self._problems.error(
                "E212",
                f"`{key.text}` needs a list of conditions",
                value,
                "begin each condition on a new line with a dash",
            )
            return (_UNREADABLE,)
        return tuple(self.condition(item, f"`{key.text}`") for item in value.items)

    def _segments(self, value: Node) -> Condition:
        named = self._reading.scalars(value, "`segment`")
        if isinstance(value, Sequence) and not value.items:
            self._problems.error("E212", "`segment` names none", value, "write the name of a segment behind it")
        parts = tuple(InSegment(scalar.text, scalar.place) for scalar in named)
        return parts[0] if len(parts) == 1 else Any(parts)

    # One fact ------------------------------------------------------------------------------------------

    def question(self, fact: Fact, node: Node) -> Condition:
        """What is asked of one fact: a value (is), a list (one of), or operators (all of them)."""
        if fact.takes is not None:
            return self._own_condition(fact, node)
        if isinstance(node, Mapping):
            return self._operators(fact, node)
        word = "one_of" if isinstance(node, Sequence) else "is"
        return self._leaf(fact, word, node, node, ignore_case=False)

    def _own_condition(self, fact: Fact, node: Node) -> Condition:
        try:
            return own_condition(fact, node, self._conventions)
        except ArgumentError as error:
            self._problems.error("E215", f"`{fact.name}`: {error}", node, error.hint)
            return _UNREADABLE

    def _operators(self, fact: Fact, mapping: Mapping) -> Condition:
        ignore_case = self._reading.flag(mapping, "ignore_case", f"`{fact.name}`")
        if self._has_comma(fact, mapping):
            return _UNREADABLE
        parts = [
            self._leaf(fact, key.text, value, key, ignore_case=ignore_case)
            for key, value in mapping.entries
            if key.text != "ignore_case"
        ]
        if not parts:
            self._problems.error(
                "E213", f"`{fact.name}` asks nothing", mapping, "add an operator such as `at_least: 1`"
            )
            return _UNREADABLE
        return everything(*parts)

    def _has_comma(self, fact: Fact, mapping: Mapping) -> bool:
        """Whether a number is written with a comma, which parts it in two between braces; said, if so."""
        for (_, before), (key, after) in pairwise(mapping.entries):
            is_rest = key.text.isdecimal() and isinstance(after, Scalar) and after.value is None
            if is_rest and isinstance(before, Scalar) and isinstance(before.value, int | float):
                written = f"{before.text},{key.text}"
                meant = before.text + key.text if len(key.text) == 3 else f"{before.text}.{key.text}"
                hint = f"write {meant}: no comma, since it parts two entries here"
                self._problems.error("E215", f"`{fact.name}`: {quoted(written)} is not a number", before, hint)
                return True
        return False

    def _leaf(self, fact: Fact, word: str, node: Node, at: Node, *, ignore_case: bool) -> Condition:
        operator = self._operator(fact, word, at)
        if operator is None:
            return _UNREADABLE
        folded = fact if not ignore_case else _folding(fact)
        try:
            argument = operator.read(node, folded, self._conventions)
        except ArgumentError as error:
            # Only what stands alone behind the fact may become operators or a list.
            is_alone = at is node and isinstance(node, Scalar)
            hint = error.hint if is_alone or _is_one_value(error.hint) else str(error.hint)
            self._problems.error("E215", f"`{fact.name}`: {error}", node, hint)
            return _UNREADABLE
        leaf = Leaf(fact, operator, operator.word, argument, folded.fold, at.place)
        if operator.word == "exists":
            known = Leaf(fact, operator, operator.word, True, place=at.place)
            return known if argument else Not(known)
        return Not(leaf) if word in NEGATIVES else leaf

    def _operator(self, fact: Fact, word: str, at: Node) -> Operator | None:
        operator = OPERATORS.get(NEGATIVES.get(word, word))
        fitting = tuple(name for name, known in OPERATORS.items() if fact.type in known.types)
        negative = tuple(name for name, positive in NEGATIVES.items() if positive in fitting)
        if operator is not None and operator.word in fitting:
            return operator
        said = "is not an operator" if operator is None else f"does not fit `{fact.name}`, which is {_article(fact)}"
        # A word that is spelled well is no slip of the pen: `more_than` is not what was meant by `older_than`.
        guess = operator_meant(word) or did_you_mean(word, (*fitting, *negative)) if operator is None else None
        allowed = f"it takes {', '.join((*fitting, *negative))}"
        self._problems.error("E214", f"{quoted(word)} {said}", at, guess or allowed)
        return None

    # Behaviour -----------------------------------------------------------------------------------------

    def _did(self, mapping: Mapping) -> Condition:
        event = self._event(mapping)
        if event is None:
            return _UNREADABLE
        chosen = self._filter(event, mapping.get("where"))
        within = self._within(mapping.get("within"))
        times = mapping.get("times")
        key = _counter_key(event.name, chosen)
        fact = counter_fact(
            key, f"{quoted(event.title or event.name)}{chosen.describe(self._describer)}", event.purpose
        )
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
        parts: list[Condition] = []
        for key, value in self._reading.entries(node, "`where`"):
            shape = _property_shape(event.properties, key.text.split("."))
            if shape is None and self._gaps.is_broken(Kind.EVENT, event.name):
                continue
            if shape is None:
                names = tuple(_property_names(event.properties))
                self._problems.error(
                    "E217",
                    f"{quoted(key.text)} is not a property of {event.name}",
                    key,
                    did_you_mean(key.text, names) or f"its properties: {', '.join(names) or 'none'}",
                )
                continue
            part = self.question(element_fact(key.text, shape), value)
            self._refuse_ages(part)
            parts.append(part)
        return Filter(everything(*parts))

    def _refuse_ages(self, condition: Condition) -> None:
        """An event counts or doesn't when it is recorded, so a filter can't look at the clock of later on."""
        for leaf in leaves(condition):
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
            if key.text not in _DID_ORDER:
                self._problems.error(
                    "E214",
                    f"{quoted(key.text)} does not fit `times`",
                    key,
                    did_you_mean(key.text, _DID_ORDER) or f"it takes {', '.join(_DID_ORDER)}",
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


def _group_meant(word: str, value: Node) -> Guess | None:
    """A hint at the group that another language calls so."""
    meant = _GROUPS_MEANT.get(word.casefold())
    if meant is None:
        return None
    is_sure = meant != "not" and isinstance(value, Sequence)
    return Guess(f"did you mean `{meant}`?", word, meant if is_sure else None)


def _is_one_value(hint: str | None) -> bool:
    """Whether the guess of a hint, if it is one, may stand wherever a value may: it is no block and no list."""
    return not isinstance(hint, Guess) or (hint.instead or "")[:1] not in ("{", "[")


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


def _counter_key(event: str, chosen: Filter) -> str:
    """The name of a counter: the same event and filter give the same one in every rule set."""
    return hashlib.sha256(f"{event}\n{chosen.canonical()}".encode()).hexdigest()[:16]


def _folding(fact: Fact) -> Fact:
    return replace(fact, fold=True)


def _property_shape(shapes: Table[str, Shape], path: list[str]) -> Shape | None:
    """The shape of a property named by a dotted path; inside a list of mappings the result is a list."""
    shape = shapes.get(path[0])
    if shape is None or len(path) == 1:
        return shape if shape is not None and _is_askable(shape) else None
    inner = shape.of if shape.type is ValueType.LIST and shape.of is not None else shape
    found = _property_shape(inner.fields, path[1:])
    if found is None or found.type is ValueType.LIST:
        return found
    return Shape(ValueType.LIST, of=found) if shape.type is ValueType.LIST else found


def _is_askable(shape: Shape) -> bool:
    inner = shape.of if shape.type is ValueType.LIST else shape
    return inner is not None and inner.type not in (ValueType.LIST, ValueType.MAPPING)


def _property_names(shapes: Table[str, Shape], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, shape in shapes.items():
        inner = shape.of if shape.type is ValueType.LIST and shape.of is not None else shape
        names += _property_names(inner.fields, f"{prefix}{name}.") if inner.fields else [f"{prefix}{name}"]
    return names


def _article(fact: Fact) -> str:
    return {
        FactType.BOOL: "true or false",
        FactType.TIME: "a moment",
        FactType.CLOCK: "a time of day",
        FactType.MONEY: "an amount",
        FactType.CHOICE: "one of a few words",
    }.get(fact.type, f"a {fact.type}")
