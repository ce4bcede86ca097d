"""Reads `personas:`: saved test visitors, by the facts they are given."""

from datetime import timedelta
from types import MappingProxyType

from personalize.durations import parse_duration
from personalize.problems import quoted
from personalize.rules.arguments import ArgumentError, read_value
from personalize.rules.contradictions import contradictions
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Persona
from personalize.rules.facts import OWN_ROOT, Fact, Facts, FactType
from personalize.rules.gaps import Gaps
from personalize.rules.own_conditions import argument_fact
from personalize.rules.reading import Reading, shown
from personalize.yaml_tree import Node, Scalar, Sequence

_KEYS = ("title", "given")
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
        self._reading.only(mapping, _KEYS, what)
        title = self._reading.text(mapping, "title", what, persona_id)
        given, own = self._given(mapping.get("given"), what)
        return Persona(persona_id, title, MappingProxyType(given), key.place, MappingProxyType(own))

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
            self._reading.problems.error("E215", f"`{fact.name}`: {error}", node, error.hint)
            return None


def _distance(text: str) -> timedelta:
    try:
        return parse_duration(text.removesuffix(_AGO))
    except ValueError as error:
        raise ArgumentError(str(error), "or write a moment, such as 2026-12-24T18:00") from error
