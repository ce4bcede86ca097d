"""Percentages: a part of all visitors, always the same ones. Where somebody stands in a split is a fact like any other.

The fact is a number from 0 to below 1, worked out from the split's key and the visitor's unit (`hashing`). To open a
split further moves nobody out of it. Who has neither an id nor an arm stands in no split.
"""

import re
from decimal import Decimal

from personalize.problems import quoted
from personalize.rules.arguments import ArgumentError
from personalize.rules.conditions import Leaf
from personalize.rules.facts import SPLIT_ROOT, Fact, Facts, FactType
from personalize.rules.operators import OPERATORS
from personalize.rules.reading.reading import IDENTIFIER
from personalize.yaml_tree import Mapping, Node, Scalar

_KEYS = ("share", "key", "by")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%", re.ASCII)
_HINT = "write it as 20%"
#: What can tell one from another: true and false, and moments, hardly do.
_UNITS = (FactType.TEXT, FactType.CHOICE, FactType.NUMBER)


def read_split(node: Node, owner: str, facts: Facts) -> Leaf:
    """The question whether the visitor is among the first so many percent of a split. `owner` is its key where none
    is written. Raises ArgumentError for what is no percentage."""
    mapping = node if isinstance(node, Mapping) else None
    for written, _ in mapping.entries if mapping is not None else ():
        if written.text not in _KEYS:
            raise ArgumentError(f"{quoted(written.text)} can't stand here", "write {share: 20%, key: summer}")
    share = _share(node if mapping is None else mapping.get("share"))
    key = owner if mapping is None else _key(mapping.get("key"), owner)
    by = None if mapping is None else _by(mapping.get("by"), facts)
    operator = OPERATORS["less_than"]
    return Leaf(split_fact(key, by), operator, operator.word, share, place=node.place)


def split_fact(key: str, by: Fact | None) -> Fact:
    """Where the visitor stands in the split of this key; with `by`, where all stand who share the value of a fact."""
    return Fact(
        f"split {key}" if by is None else f"split {key} by {by.name}",
        SPLIT_ROOT,
        key,
        FactType.NUMBER,
        purpose=None,
        stored=by is None or by.stored,
        title=key,
        parts=() if by is None else (by,),
    )


def _share(node: Node | None) -> Decimal:
    found = _PERCENT.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is None:
        written = quoted(node.text) if isinstance(node, Scalar) and node.value is not None else "this"
        raise ArgumentError(f"{written} is not a percentage", _HINT)
    percent = Decimal(found[1])
    if percent > 100:
        raise ArgumentError(f"{quoted(found[0])} is more than all of them", "at most 100%")
    return percent / 100


def _key(node: Node | None, owner: str) -> str:
    if node is None:
        return owner
    if not isinstance(node, Scalar) or not IDENTIFIER.fullmatch(node.text):
        raise ArgumentError("the key of a split is a name", "a name has small letters (a to z), digits, - and _")
    return node.text


def _by(node: Node | None, facts: Facts) -> Fact | None:
    if node is None:
        return None
    fact = facts.get(node.text) if isinstance(node, Scalar) else None
    if fact is None:
        hint = facts.hint(node.text) if isinstance(node, Scalar) else None
        raise ArgumentError("`by` names a fact, whose value decides in place of the visitor's id", hint)
    if fact.type not in _UNITS or fact.many or fact.takes is not None:
        raise ArgumentError(f"`{fact.name}` can't tell visitors apart", "name a text or a number, such as an id")
    return fact
