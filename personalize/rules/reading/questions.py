"""Reads questions about facts, and the groups in which they stand, at any place of a rule file that takes them."""

import re
from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from itertools import pairwise

from personalize.events.schema import Shape
from personalize.guesses import Guess
from personalize.problems import did_you_mean, quoted
from personalize.rules.arguments import ArgumentError, read_value
from personalize.rules.beside import BESIDE, pair_fact
from personalize.rules.casts import WRITTEN_CASTS, Cast
from personalize.rules.conditions import All, Any, Condition, Leaf, Not, everything
from personalize.rules.conventions import Conventions
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, Facts, FactType
from personalize.rules.filters import HOW_MANY, Filter
from personalize.rules.id_lists import IdLists
from personalize.rules.operators import NEGATIVES, OPERATORS, Operator
from personalize.rules.own_conditions import own_condition
from personalize.rules.paths import split_path
from personalize.rules.reading.operators_meant import operator_meant, order_meant, pair_meant
from personalize.rules.reading.properties import property_fact, property_names
from personalize.rules.reading.read_beside import fact_meant, read_beside
from personalize.rules.reading.reading import IDENTIFIER, Reading, guessed_at
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

#: What stands beside operators and changes how they ask.
MODIFIERS = ("ignore_case", "as")
#: Operators that look at a value as it is, whatever type it is read as.
_OF_ANY_TYPE = ("exists", "type", "some", "size")
_SAYS_EQUAL = frozenset({"is", "is_not", "one_of", "none_of"})
_READ_BY_OPERATORS = (FactType.TEXT, FactType.ANY)
_CASTS_FROM = {
    FactType.TEXT: (FactType.TEXT, FactType.CHOICE, FactType.NUMBER, FactType.BOOL, FactType.VERSION, FactType.ANY),
    FactType.NUMBER: (FactType.TEXT, FactType.CHOICE, FactType.NUMBER, FactType.ANY),
}
#: Words of a block that hold conditions in turn.
INNER_GROUPS = ("any", "all", "not")
#: What other languages say for our groups.
#: What word processors make of a dash at the beginning of a line.
_DRAWN_DASH = re.compile("[–—•·−‐‑▪*](?= )")
_GROUPS_MEANT = {"or": "any", "and": "all", "none": "not", "nor": "not", "except": "not"}
#: A condition that could not be read; its problem is said, and the rule set will be refused.
UNREADABLE = Any()


def words_for(fact: Fact, cast: FactType | None = None) -> tuple[str, ...]:
    """The operators that go with a fact, or with it when it is read as another type; negative words last."""
    fitting = tuple(word for word, known in OPERATORS.items() if _goes_with(known, fact, cast or fact.type))
    return (*fitting, *(word for word, positive in NEGATIVES.items() if positive in fitting))


def _goes_with(operator: Operator, fact: Fact, type_: FactType) -> bool:
    """Whether an operator may ask about a fact that is read as this type."""
    return type_ in operator.types and (not operator.lists_only or _may_be_list(fact))


def _may_be_list(fact: Fact) -> bool:
    """Whether a value of the fact may be a list."""
    return fact.many or fact.type is FactType.ANY


def may_be_read_as(fact: Fact, cast: FactType) -> bool:
    """Whether `as` may name this type beside a question about the fact."""
    return fact.type in _CASTS_FROM[cast]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How the operators beside one another ask: without regard to case, and of a value read as another type."""

    ignore_case: bool = False
    cast: FactType | None = None


class QuestionParser:
    """Reads the conditions at one place of a rule file; what facts they may name there, each kind of place says.

    `wanted` is whether a condition has to hold, or an odd number of `not` stands around it.
    """

    def __init__(self, conventions: Conventions, reading: Reading, lists: IdLists, *, wanted: bool = True) -> None:
        self._conventions = conventions
        self._reading = reading
        self._lists = lists
        self._problems = reading.problems
        self._wanted = wanted

    def condition(self, node: Node, what: str) -> Condition:
        """The condition written in a block of keys: all of them."""
        if not isinstance(node, Mapping):
            self._reading.wrong_kind(node, what, "a block of `key: value` lines", self._block_meant(node, what))
            return UNREADABLE
        if not node.entries:
            everyone = "leave it out to mean everyone"
            hint = everyone if what == "`to`" else "write a question, such as `visitor.known: true`"
            self._problems.error("E210", f"{what} says nothing", node, hint)
            return UNREADABLE
        return everything(*self._block(node, what))

    def _block(self, mapping: Mapping, what: str) -> list[Condition]:
        return [self._entry(key, value) for key, value in mapping.entries]

    def _block_meant(self, node: Node, what: str) -> str | None:
        """A hint for what stands where a block of questions is expected."""
        if isinstance(node, Sequence):
            return "begin with `any:` or `all:` above the dashes, and move them in by two blanks"
        if isinstance(node, Scalar) and node.value is None:
            return f"nothing stands below {what}: move its questions in by two blanks"
        if isinstance(node, Scalar) and IDENTIFIER.fullmatch(node.text):
            return f"write {{segment: {node.text}}} for the segment of this name"
        return None

    def _entry(self, key: Scalar, value: Node) -> Condition:
        match key.text:
            case "any":
                return Any(self._group(key, value))
            case "all":
                return All(self._group(key, value))
            case "not":
                return self._denied(value)
        fact = self._fact(key, value)
        return UNREADABLE if fact is None else self.question(fact, value)

    def _fact(self, key: Scalar, value: Node) -> Fact | None:
        """The fact of this name; None with a problem said where there is none."""
        raise NotImplementedError

    def _denied(self, value: Node) -> Condition:
        self._wanted = not self._wanted
        try:
            return Not(self.condition(value, "`not`"))
        finally:
            self._wanted = not self._wanted

    def _group(self, key: Scalar, value: Node) -> tuple[Condition, ...]:
        if not isinstance(value, Sequence) or not value.items:
            self._problems.error(
                "E212",
                f"`{key.text}` needs a list of conditions",
                value,
                _dash_meant(value) or "begin each condition on a new line with a dash",
            )
            return (UNREADABLE,)
        return tuple(self.condition(item, f"`{key.text}`") for item in value.items)

    # One fact ------------------------------------------------------------------------------------------

    def question(self, fact: Fact, node: Node) -> Condition:
        """What is asked of one fact: a value (is), a list (one of), or operators (all of them)."""
        if fact.takes is not None:
            return self._own_condition(fact, node)
        if isinstance(node, Mapping):
            return self._operators(fact, node)
        word = "one_of" if isinstance(node, Sequence) else "is"
        return self._leaf(fact, word, node, node, _Manner())

    def _own_condition(self, fact: Fact, node: Node) -> Condition:
        try:
            return own_condition(fact, node, self._conventions)
        except ArgumentError as error:
            self._problems.error(error.code, f"`{fact.name}`: {error}", guessed_at(node, error.hint), error.hint)
            return UNREADABLE

    def _operators(self, fact: Fact, mapping: Mapping) -> Condition:
        if self._has_comma(fact, mapping):
            return UNREADABLE
        manner = self._manner(fact, mapping)
        asked = [(key, value) for key, value in mapping.entries if key.text not in MODIFIERS]
        if not asked:
            self._problems.error(
                "E213", f"`{fact.name}` asks nothing", mapping, "add an operator such as `at_least: 1`"
            )
            return UNREADABLE
        return everything(*(self._leaf(fact, key.text, value, key, manner) for key, value in asked))

    def _manner(self, fact: Fact, mapping: Mapping) -> _Manner:
        what = f"`{fact.name}`"
        ignore_case = self._reading.flag(mapping, "ignore_case", what)
        named = self._reading.choice(mapping, "as", WRITTEN_CASTS, what)
        cast = None if named is None else FactType(named)
        if cast is not None and not may_be_read_as(fact, cast):
            said = f"{what}, which is {_article(fact)}, can't be read as a {cast}"
            self._problems.error("E240", said, mapping.key_node("as"), "leave `as` out")
        if ignore_case and mapping.get("exactly") is not None:
            said = f"{what}: `exactly` minds large and small letters, and `ignore_case` does not"
            self._problems.error("E240", said, mapping.key_node("ignore_case"), "leave one of them out")
        return _Manner(ignore_case, cast)

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

    def _leaf(self, fact: Fact, word: str, node: Node, at: Node, manner: _Manner) -> Condition:
        asked = fact
        if manner.cast is not None:
            asked = replace(fact, type=manner.cast, choices=(), many=_may_be_list(fact))
        operator = self._operator(asked, word, at)
        if operator is None:
            return UNREADABLE
        asked = _as_read(asked, operator, ignore_case=manner.ignore_case)
        if operator.word == "same_as" or (operator.word in BESIDE and isinstance(node, Mapping)):
            return self._beside(asked, operator.word, node, at)
        try:
            operator, argument = self._argument(operator, asked, node)
        except ArgumentError as error:
            # Only what stands alone behind the fact may become operators or a list.
            is_alone = at is node and isinstance(node, Scalar)
            hint: str | None = self._fact_meant(asked, word, node, is_alone=is_alone)
            if hint is None:
                hint = error.hint if is_alone or _is_one_value(error.hint) else str(error.hint)
            self._problems.error(error.code, f"`{fact.name}`: {error}", guessed_at(node, hint), hint)
            return UNREADABLE
        negative = word in NEGATIVES
        if isinstance(argument, Listed) and not argument and not self._may_be_empty(fact, node, negative=negative):
            return UNREADABLE
        if asked.type is FactType.TEXT:
            self._wonder_at_signs(fact, word, node)
            self._wonder_at_names(asked, word, node)
        fold, cast = asked.fold and operator.folds, self._cast(fact, asked, operator)
        leaf = self._leaf_of(Leaf(fact, operator, operator.word, argument, fold, cast, at.place), node)
        if operator.word == "exists":
            known = Leaf(fact, operator, operator.word, True, place=at.place)
            return known if argument else Not(known)
        return Not(leaf) if negative else leaf

    def _leaf_of(self, leaf: Leaf, node: Node) -> Leaf:
        """A question as it was read from a node; whoever knows more of its fact looks at it here."""
        return leaf

    def _wonder_at_names(self, fact: Fact, word: str, node: Node) -> None:
        """A text may be the name of another fact, which is seldom meant as a text."""
        meant = self._fact_meant(fact, word, node, is_alone=False)
        if meant is not None:
            said = f"`{fact.name}` is compared with the text {quoted(meant.word)}, not with the fact of this name"
            self._problems.warning("W242", said, node, str(meant))

    def _wonder_at_signs(self, fact: Fact, word: str, node: Node) -> None:
        """A text may begin with the sign of a comparison, which is seldom what is meant."""
        if word not in _SAYS_EQUAL:
            return
        for one in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(one, Scalar) and (meant := order_meant(one.text)) is not None:
                said = f"`{fact.name}` is compared with {quoted(one.text)} letter by letter, with its sign"
                self._problems.warning("W242", said, one, str(meant))

    def _fact_meant(self, fact: Fact, word: str, node: Node, *, is_alone: bool) -> Guess | None:
        """A hint where the name of another fact stands for its value."""
        try:
            return fact_meant(node, fact, word, self._other_facts(), self._conventions, is_alone=is_alone)
        except ArgumentError:
            return None

    def _beside(self, fact: Fact, word: str, node: Node, at: Node) -> Condition:
        """A question about two facts."""
        try:
            beside = read_beside(node, fact, self._other_facts(), self._conventions)
        except ArgumentError as error:
            self._problems.error("E254", f"`{fact.name}`: {error}", node, error.hint)
            return UNREADABLE
        return Leaf(pair_fact(fact, beside), BESIDE[word], word, beside, place=at.place)

    def _other_facts(self) -> Facts:
        """The facts that one may be compared with here. Raises ArgumentError where there are none."""
        raise ArgumentError("here is asked of one value alone, which is compared with no fact")

    def _argument(self, operator: Operator, fact: Fact, node: Node) -> tuple[Operator, object]:
        """The argument, with the operator that takes it: to be a list or mapping is to be one of one of them."""
        match operator.word:
            case "is" if isinstance(node, Sequence) and _may_be_list(fact):
                return OPERATORS["one_of"], Listed([[read_value(one, fact, self._conventions) for one in node.items]])
            case "is" if isinstance(node, Mapping) and fact.type is FactType.ANY:
                return OPERATORS["one_of"], Listed([read_value(node, fact, self._conventions)])
            case "some":
                element = Fact("it", "element", "", fact.type, fold=fact.fold, choices=fact.choices, fields=fact.fields)
                return operator, Filter(self._of_element(element, f"`{fact.name}`").condition(node, "`some`"))
            case "size":
                return operator, Filter(self._of_element(HOW_MANY).condition(node, "`size`"))
            case "in_list":
                return operator, self._named_list(fact, node)
        return operator, operator.read(node, fact, self._conventions)

    def _of_element(self, element: Fact, owner: str = "") -> "QuestionParser":
        """Reads what is asked of an element of a list, or of the number of its elements."""
        place = (self._conventions, self._reading, self._lists)
        if element.type is FactType.MAPPING:
            return FieldParser(element.fields, owner, *place, wanted=self._wanted)
        return ElementParser(element, *place, wanted=self._wanted)

    def _cast(self, fact: Fact, asked: Fact, operator: Operator) -> Cast | None:
        is_read_so = asked.type is not fact.type or fact.type is FactType.VERSION
        return Cast(asked.type, self._conventions.zone) if is_read_so and operator.word not in _OF_ANY_TYPE else None

    def _may_be_empty(self, fact: Fact, node: Node, *, negative: bool) -> bool:
        """Whether a list of nothing may stand here: only where that everybody is outside of it is what is asked."""
        if self._wanted is not negative:
            said = f"`{fact.name}`: the list is empty, so nothing could ever be in it"
            self._problems.error("E215", said, node, "name at least one value")
            return False
        said = f"`{fact.name}`: the list is empty, so this holds for everybody"
        self._problems.warning("W240", said, node, "name at least one value, or leave the question out")
        return True

    def _named_list(self, fact: Fact, node: Node) -> object:
        if not isinstance(node, Scalar) or node.value is None:
            raise ArgumentError("expects the name of a list", "write the name of a file in rules/lists, without .csv")
        if node.text not in self._lists:
            hint = did_you_mean(node.text, self._lists) or f"write its ids into rules/lists/{node.text}.csv"
            raise ArgumentError(f"there is no list {quoted(node.text)}", hint, code="E241")
        named = self._lists.ids_for(node.text, fact)
        if not named.ids:
            said = f"`{fact.name}`: the list {quoted(node.text)} holds nothing that it could be"
            self._problems.warning("W241", said, node, "write one id in each line of the file")
        return named

    def _operator(self, fact: Fact, word: str, at: Node) -> Operator | None:
        operator = OPERATORS.get(NEGATIVES.get(word, word))
        if operator is not None and _goes_with(operator, fact, fact.type):
            return operator
        fitting = words_for(fact)
        said = "is not an operator" if operator is None else f"does not fit `{fact.name}`, which is {_article(fact)}"
        # A word that is spelled well is no slip of the pen: `more_than` is not what was meant by `older_than`.
        guess: str | None = operator_meant(word) or did_you_mean(word, fitting) if operator is None else None
        allowed = f"it takes {', '.join(fitting)}"
        if word == "is" and "on" in fitting and isinstance(at, Scalar):
            guess = f"for a day write {'on' if at.text == word else f'{{on: {at.text}}}'}; {allowed}"
        self._problems.error("E214", f"{quoted(word)} {said}", at, guess or allowed)
        return None


class FieldParser(QuestionParser):
    """Reads conditions on declared fields: those of an event below `where`, those of a mapping in a list.

    Where it `may_lack` some, since their declaration is broken, a name that is none of them is passed over.
    """

    def __init__(
        self,
        fields: Table[str, Shape],
        owner: str,
        conventions: Conventions,
        reading: Reading,
        lists: IdLists,
        *,
        wanted: bool = True,
        may_lack: bool = False,
    ) -> None:
        super().__init__(conventions, reading, lists, wanted=wanted)
        self._fields = fields
        self._owner = owner
        self._may_lack = may_lack

    def _fact(self, key: Scalar, value: Node) -> Fact | None:
        fact = property_fact(key.text, self._fields)
        if fact is None and not self._may_lack:
            names = property_names(self._fields)
            hint = group_meant(key.text, value) or pair_meant(key.text) or did_you_mean(key.text, names)
            allowed = f"its properties: {', '.join(names) or 'none'}"
            self._problems.error("E217", f"{quoted(key.text)} is not a property of {self._owner}", key, hint or allowed)
        return fact


class ElementParser(QuestionParser):
    """Reads what is asked of one element of a list: of itself by operators, or of what paths lead to inside it."""

    def __init__(
        self, element: Fact, conventions: Conventions, reading: Reading, lists: IdLists, *, wanted: bool = True
    ) -> None:
        super().__init__(conventions, reading, lists, wanted=wanted)
        self._element = element

    def condition(self, node: Node, what: str) -> Condition:
        """A value, a list of values, operators, or a block of questions about what lies in the element."""
        if isinstance(node, Mapping) and not self._asks_element(node):
            return super().condition(node, what)
        return self.question(self._element, node)

    def _asks_element(self, mapping: Mapping) -> bool:
        words = mapping.keys()
        if self._element.type is FactType.ANY:
            return any(word in OPERATORS or word in NEGATIVES or word in MODIFIERS for word in words)
        return any(word not in INNER_GROUPS for word in words)

    def _fact(self, key: Scalar, value: Node) -> Fact | None:
        path = split_path(key.text)
        if path is None:
            hint = "write the names of a path with points between: father.age"
            self._problems.error("E211", f"{quoted(key.text)} leads nowhere", key, hint)
            return None
        return replace(self._element, name=key.text, path=path)


def _as_read(fact: Fact, operator: Operator, *, ignore_case: bool) -> Fact:
    """The fact as the operator asks it: of which type, and whether case matters."""
    type_ = operator.reads_as if operator.reads_as and fact.type in _READ_BY_OPERATORS else fact.type
    fold = (fact.fold or ignore_case) and operator.word != "exactly"
    return fact if (type_, fold) == (fact.type, fact.fold) else replace(fact, type=type_, fold=fold)


def group_meant(word: str, value: Node) -> Guess | None:
    """A hint at the group that another language calls so."""
    meant = _GROUPS_MEANT.get(word.casefold())
    if meant is None:
        return None
    is_sure = meant != "not" and isinstance(value, Sequence)
    return Guess(f"did you mean `{meant}`?", word, meant if is_sure else None)


def _dash_meant(value: Node) -> str | None:
    """A hint for a list that a word processor made: its dashes and dots are parts of the text here."""
    found = _DRAWN_DASH.match(value.entries[0][0].text) if isinstance(value, Mapping) and value.entries else None
    return None if found is None else f"begin each condition with the plain dash -, not with {found[0]}"


def _is_one_value(hint: str | None) -> bool:
    """Whether the guess of a hint, if it is one, may stand wherever a value may: it is no block and no list."""
    return not isinstance(hint, Guess) or (hint.instead or "")[:1] not in ("{", "[")


def _article(fact: Fact) -> str:
    return {
        FactType.BOOL: "true or false",
        FactType.TIME: "a moment",
        FactType.CLOCK: "a time of day",
        FactType.MONEY: "an amount",
        FactType.CHOICE: "one of a few words",
        FactType.ANY: "a value of any type",
        FactType.MAPPING: "a list of several values each",
    }.get(fact.type, f"a {fact.type}")
