"""Questions that a site's own conditions answer: each argument that a rule writes is a fact of its own, yes or no."""

from dataclasses import replace

from personalize.problems import quoted
from personalize.rules.arguments import ArgumentError, read_value
from personalize.rules.conditions import Any, Condition, Leaf
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.rules.operators import OPERATORS
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence


def own_condition(fact: Fact, node: Node, conventions: Conventions) -> Condition:
    """Whether a site's own condition holds for what is written; with a list, for any of it.

    Raises ArgumentError for what it doesn't take.
    """
    items = node.items if isinstance(node, Sequence) else (node,)
    if isinstance(node, Mapping) or not items:
        raise ArgumentError("is a condition of the site's own, and takes a value", "write the value behind it")
    asked = tuple(_leaf(fact, item, conventions) for item in items)
    return asked[0] if len(asked) == 1 else Any(asked)


def asked_with(fact: Fact, argument: object, written: str) -> Fact:
    """The fact that a condition holds for this argument; `written` is the argument as people read it."""
    return replace(
        fact,
        name=f"{fact.name}: {written}",
        type=FactType.BOOL,
        title=fact.title.replace("{}", written) if "{}" in fact.title else f"{fact.title} {written}",
        takes=None,
        argument=argument,
    )


def argument_fact(fact: Fact) -> Fact:
    """A condition's argument as a fact, which says how it is read."""
    assert fact.takes is not None
    return Fact(fact.name, fact.root, fact.key, fact.takes)


def _leaf(fact: Fact, node: Node, conventions: Conventions) -> Leaf:
    if not isinstance(node, Scalar):
        raise ArgumentError("takes single values", "write one behind it, or several in one pair of brackets")
    argument = read_value(node, argument_fact(fact), conventions)
    written = quoted(node.text) if fact.takes is FactType.TEXT else node.text
    operator = OPERATORS["is"]
    return Leaf(asked_with(fact, argument, written), operator, operator.word, True, place=node.place)
