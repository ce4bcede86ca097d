"""Reads `personas:` and `examples:`: made-up visitors, by the facts they are given, and what must become of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from personalize.durations import parse_duration
from personalize.problems import quoted
from personalize.rules.arguments import ArgumentError, read_value
from personalize.rules.contradictions import contradictions
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import KEEP, Example, Expected, Named, Persona
from personalize.rules.facts import OWN_ROOT, Fact, Facts, FactType
from personalize.rules.own_conditions import argument_fact
from personalize.rules.reading.gaps import Gaps
from personalize.rules.reading.reading import Reading, guessed_at, shown
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

PERSONA_KEYS = ("title", "given", "at", "sees")
EXAMPLE_KEYS = ("given", "at", "matches")
_DID_KEYS = ("did", "where", "times", "within")
_AGO = " ago"


class PersonaReader:
    """Reads personas; a broken fact is said and left out."""

    def __init__(self, facts: Facts, conventions: Conventions, reading: Reading, gaps: Gaps) -> None:
        self._facts = facts
        self._conventions = conventions
        self._reading = reading
        self._gaps = gaps

    def persona(self, persona_id: str, key: Scalar, node: Node) -> Persona | None:
        """A persona from its entry."""
        what = f"the persona {quoted(persona_id)}"
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, PERSONA_KEYS, what)
        title = self._reading.text(mapping, "title", what, persona_id)
        return replace(self._visitor(mapping, persona_id, title, what), place=key.place, sees=self._sees(mapping, what))

    def examples(self, node: Node | None, what: str) -> tuple[Example, ...]:
        """The examples of a segment or a rule, from the list of them."""
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            hint = "begin each example on a new line with a dash"
            self._reading.wrong_kind(node, f"`examples` of {what}", "a list", hint)
            return ()
        read = (self._example(item, number, what) for number, item in enumerate(node.items, 1))
        return tuple(example for example in read if example is not None)

    def _example(self, node: Node, number: int, of: str) -> Example | None:
        what = f"example {number} of {of}"
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, EXAMPLE_KEYS, what)
        if self._reading.required(mapping, "matches", what) is None:
            return None
        matches = self._reading.flag(mapping, "matches", what)
        at = mapping.key_node("matches")
        return Example(self._visitor(mapping, "example", "", what), matches, at.place if at else mapping.place)

    def _visitor(self, mapping: Mapping, persona_id: str, title: str, what: str) -> Persona:
        given, own = self._given(mapping.get("given"), what)
        at = self._moment(mapping.get("at"), what)
        return Persona(persona_id, title, MappingProxyType(given), mapping.place, MappingProxyType(own), at)

    def _moment(self, node: Node | None, what: str) -> datetime | None:
        if node is None:
            return None
        try:
            return self._conventions.moment(node.text if isinstance(node, Scalar) else "")
        except ValueError:
            hint = "write it as 2026-12-24 or 2026-12-24T18:00"
            self._reading.wrong_kind(node, f"`at` of {what}", "a date or moment", hint)
            return None

    def _sees(self, mapping: Mapping, what: str) -> tuple[Expected, ...]:
        entries = self._reading.entries(mapping.get("sees"), f"`sees` of {what}")
        return tuple(self._expected(slot, value, what) for slot, value in entries)

    def _expected(self, slot: Scalar, node: Node, what: str) -> Expected:
        is_empty = isinstance(node, Scalar) and node.value is None
        if is_empty:
            hint = f"name an item, or write `{KEEP}` for the site's own markup"
            self._reading.wrong_kind(node, f"what {what} sees", "an item or a list of items", hint)
        named = () if is_empty else self._reading.scalars(node, f"what {what} sees")
        items = tuple(Named(one.text, one.place) for one in named if one.text != KEEP)
        return Expected(Named(slot.text, slot.place), items, node.place if named else slot.place)

    def _given(self, node: Node | None, what: str) -> tuple[dict[str, object], dict[str, object]]:
        """The facts given, and those among them that the site's own code would tell."""
        given: dict[str, object] = {}
        own: dict[str, object] = {}
        written: dict[str, Scalar] = {}
        for name, value in self._reading.entries(node, f"`given` of {what}"):
            fact = self._fact(name)
            if fact is not None and fact.root == OWN_ROOT:
                own[fact.name] = self._value(fact, value)
            elif fact is not None:
                given[fact.name] = self._value(fact, value)
                written[fact.name] = name
        for one in contradictions({name: value for name, value in given.items() if value is not None}):
            self._reading.problems.error(
                "E231",
                f"{what} can't be given `{one.fact}` beside `{one.other}`: {one.reason}",
                written[one.fact],
                "change one of the two, or leave it out: what follows from the other is worked out",
            )
        return given, own

    def _fact(self, name: Scalar) -> Fact | None:
        fact = self._facts.get(name.text)
        if fact is None and name.text in _DID_KEYS:
            self._reading.problems.error(
                "E211",
                f"{quoted(name.text)} is not a fact we know",
                name,
                "a persona can't be given what `did` counts yet; ask about a real visitor: --visitor u:ID",
            )
        elif fact is None and not self._gaps.may_define_fact(name.text):
            hint = self._facts.hint(name.text)
            self._reading.problems.error("E211", f"{quoted(name.text)} is not a fact we know", name, hint)
        return fact

    def _value(self, fact: Fact, node: Node) -> object:
        try:
            if fact.many or fact.takes is not None:
                fact = fact if fact.takes is None else argument_fact(fact)
                items = node.items if isinstance(node, Sequence) else (node,)
                return [read_value(item, fact, self._conventions) for item in items]
            if fact.type is FactType.TIME and isinstance(node, Scalar) and node.text.endswith(_AGO):
                return _distance(node.text)
            value = read_value(node, fact, self._conventions)
            if fact.name == "visitor.visits" and not (isinstance(value, int) and value >= 1):
                hint = "the visit of now is one of them; for somebody new write 1"
                raise ArgumentError(f"{shown(node)} is not a number of visits", hint)
            return value
        except ArgumentError as error:
            is_moment = fact.type is FactType.TIME
            way_out = "write it as 2026-12-24T18:00, or as 100 days ago" if is_moment else error.hint
            self._reading.problems.error("E215", f"`{fact.name}`: {error}", guessed_at(node, way_out), way_out)
            return None


def _distance(text: str) -> timedelta:
    try:
        return parse_duration(text.removesuffix(_AGO))
    except ValueError as error:
        raise ArgumentError(str(error), "or write a moment, such as 2026-12-24T18:00") from error
