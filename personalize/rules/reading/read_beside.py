"""Reads what a fact is compared with: `same_as: profile.country`, `{at_least: {fact: profile.limit, plus: 10}}`."""

from datetime import timedelta
from decimal import Decimal

from personalize.guesses import Guess
from personalize.problems import did_you_mean, quoted
from personalize.rules.arguments import ArgumentError, read_duration, read_value
from personalize.rules.beside import BESIDE, Beside, Step
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, Facts, FactType
from personalize.yaml_tree import Mapping, Node, Scalar

_KEYS = ("fact", "percent", "of", "plus", "minus")
_NUMBERS = (FactType.NUMBER, FactType.MONEY)
_TIMES = (FactType.DATE, FactType.TIME)
_TEXTS = (FactType.TEXT, FactType.CHOICE)
_HINT = "write {fact: profile.limit, plus: 10}, or {percent: 80, of: profile.limit}"
_A_DAY = timedelta(days=1)


def read_beside(node: Node, fact: Fact, facts: Facts, conventions: Conventions) -> Beside:
    """What stands behind an operator where another fact is meant. Raises ArgumentError for anything else."""
    if isinstance(node, Scalar):
        return Beside(_other(node, fact, facts))
    if not isinstance(node, Mapping):
        raise ArgumentError("expects the name of another fact here", _HINT)
    for key, _ in node.entries:
        if key.text not in _KEYS:
            raise ArgumentError(f"{quoted(key.text)} can't stand here", did_you_mean(key.text, _KEYS) or _HINT)
    percent = node.get("percent")
    named = node.get("of" if percent is not None else "fact")
    if not isinstance(named, Scalar):
        raise ArgumentError("expects the name of another fact here", _HINT)
    if (node.get("plus") is not None) and (node.get("minus") is not None):
        raise ArgumentError("takes `plus` or `minus`, not both", "work out what they come to")
    other = _other(named, fact, facts)
    return Beside(other, _percent(percent, fact), _step(node, fact, conventions))


def fact_meant(
    node: Node, fact: Fact, word: str, facts: Facts, conventions: Conventions, *, is_alone: bool
) -> Guess | None:
    """A hint where the name of another fact, which it could be compared with, stands behind an operator that takes
    values, or alone behind a fact. Raises ArgumentError where it could not."""
    if not isinstance(node, Scalar) or facts.get(node.text) is None or word not in (*BESIDE, "is", "is_not"):
        return None
    read_beside(node, fact, facts, conventions)
    if word == "is_not":
        return Guess(f"for the fact of this name write not: {{{fact.name}: {{same_as: {node.text}}}}}", node.text, None)
    if word in BESIDE:
        beside = f"{{fact: {node.text}}}"
        return Guess(f"for the fact of this name write {word}: {beside}", node.text, beside)
    same = f"same_as: {node.text}"
    return Guess(f"for the fact of this name write {same}", node.text, f"{{{same}}}" if is_alone else None)


def _other(named: Scalar, fact: Fact, facts: Facts) -> Fact:
    other = facts.get(named.text)
    if other is None:
        raise ArgumentError(f"{quoted(named.text)} is not a fact we know", facts.hint(named.text))
    if other.takes is not None or not _compare(fact.type, other.type):
        raise ArgumentError(f"it is of the type {fact.type}, and `{other.name}` is of the type {other.type}")
    return other


def _compare(one: FactType, other: FactType) -> bool:
    return one is other or (one in _TEXTS and other in _TEXTS)


def _percent(node: Node | None, fact: Fact) -> int | Decimal | None:
    if node is None:
        return None
    if fact.type not in _NUMBERS:
        raise ArgumentError(f"there are no percent of a {fact.type}", "numbers and amounts have them")
    return _number(node)


def _number(node: Node) -> int | Decimal:
    number = read_value(node, Fact("percent", "", "percent", FactType.NUMBER), Conventions())
    assert isinstance(number, int | Decimal)
    return number


def _step(node: Mapping, fact: Fact, conventions: Conventions) -> Step | None:
    """How much is added; what is taken away is less than nothing."""
    key = "plus" if node.get("plus") is not None else "minus"
    written = node.get(key)
    if written is None:
        return None
    if fact.type in _NUMBERS:
        step = read_value(written, fact, conventions)
        assert isinstance(step, int | Decimal)
        return step if key == "plus" else -step
    if fact.type not in _TIMES:
        raise ArgumentError(
            f"nothing can be added to a {fact.type}", "numbers, amounts, dates and moments can be moved"
        )
    length = read_duration(written, fact, conventions)
    assert isinstance(length, timedelta)
    if fact.type is FactType.DATE and length % _A_DAY:
        raise ArgumentError("a date is moved by whole days", "write it in days or weeks")
    return length if key == "plus" else -length
