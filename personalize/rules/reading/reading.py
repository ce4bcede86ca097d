"""Reads nodes of a YAML tree as what the language expects there, and says kindly where they are not."""

import re
from collections.abc import Collection

from personalize.guesses import Guess
from personalize.problems import Problems, did_you_mean, quoted
from personalize.rules.reading.operators_meant import pair_meant, switch_meant
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: What is a condition here or elsewhere.
_ASKS = re.compile(r"any|all|not|segment|did|times|within|percentage|if|who|to|[a-z_]+\.[a-z_.]+")

_KINDS = {Scalar: "a single value", Sequence: "a list", Mapping: "a block of `key: value` lines"}


class Reading:
    """Takes what it expects and collects a problem where something else stands; never raises."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        """The node as a block of keys, or None with a problem said."""
        if isinstance(node, Mapping):
            return node
        if node is not None:
            self.wrong_kind(node, what, "a block of `key: value` lines")
        return None

    def entries(self, node: Node | None, what: str) -> tuple[tuple[Scalar, Node], ...]:
        """The entries of a block; none for an empty one."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        mapping = self.mapping(node, what)
        return mapping.entries if mapping is not None else ()

    def only(self, mapping: Mapping, allowed: Collection[str], what: str, *, asks_below: str | None = None) -> None:
        """Say which keys are not known here. What would be a condition belongs below the key `asks_below`."""
        for key, _ in mapping.entries:
            if key.text not in allowed:
                hint = did_you_mean(key.text, allowed) or f"what may stand here: {', '.join(allowed)}"
                if asks_below is not None and _ASKS.fullmatch(key.text):
                    hint = f"who is meant stands below `{asks_below}`"
                self.problems.error("E201", f"{what} has no {quoted(key.text)}", key, hint)

    def required(self, mapping: Mapping, key: str, what: str) -> Node | None:
        """The value of a key that has to be there."""
        node = mapping.get(key)
        if node is None:
            self.problems.error("E202", f'{what} needs "{key}"', mapping, f"add a line that begins with `{key}:`")
        return node

    def text(self, mapping: Mapping, key: str, what: str, default: str = "") -> str:
        """A text as it was written."""
        node = mapping.get(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or node.value is None:
            self.wrong_kind(node, f'"{key}" of {what}', "a text")
            return default
        return node.text

    def flag(self, mapping: Mapping, key: str, what: str) -> bool:
        """true or false; false where it is left out."""
        node = mapping.get(key)
        if node is None:
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            hint = switch_meant(node.text) if isinstance(node, Scalar) else None
            self.wrong_kind(node, f'"{key}" of {what}', "true or false", hint)
            return False
        return node.value

    def whole(self, mapping: Mapping, key: str, what: str, *, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        node = mapping.get(key)
        if node is None:
            return default
        is_whole = isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool)
        if not is_whole or not 1 <= node.value <= most:  # type: ignore[union-attr, operator]
            self.wrong_kind(node, f'"{key}" of {what}', f"a whole number from 1 to {most}")
            return default
        return int(node.value)  # type: ignore[union-attr, arg-type]

    def scalars(self, node: Node | None, what: str) -> tuple[Scalar, ...]:
        """One text or a list of them."""
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else (node,)
        found: list[Scalar] = []
        for item in items:
            if isinstance(item, Scalar) and item.value is not None:
                found.append(item)
            elif item is node:
                self.wrong_kind(item, what, "a text or a list of texts")
            else:
                self.wrong_kind(item, f"each part of {what}", "a text")
        return tuple(found)

    def choice(self, mapping: Mapping, key: str, allowed: Collection[str], what: str) -> str | None:
        """One of the allowed words, or None."""
        node = mapping.get(key)
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.value is None:
            self.wrong_kind(node, f'"{key}" of {what}', f"one of {', '.join(allowed)}")
            return None
        return self.word(node, allowed, f'"{key}" of {what}')

    def word(self, node: Scalar, allowed: Collection[str], what: str) -> str | None:
        """The text of a value that is one of the allowed words, or None."""
        if node.text in allowed:
            return node.text
        hint = did_you_mean(node.text, allowed) or f"it is one of {', '.join(allowed)}"
        self.problems.error("E204", f"{what} can't be {quoted(node.text)}", node, hint)
        return None

    def identifier(self, key: Scalar, what: str, grammar: re.Pattern[str] = IDENTIFIER) -> str | None:
        """An id, or None with a problem said."""
        if grammar.fullmatch(key.text):
            return key.text
        allowed = (
            "small letters (a to z), digits and _" if grammar is NAME else "small letters (a to z), digits, - and _"
        )
        self.problems.error("E205", f"{quoted(key.text)} can't be the name of {what}", key, f"a name has {allowed}")
        return None

    def wrong_kind(self, node: Node, what: str, expected: str, hint: str | None = None) -> None:
        """Say that something else is expected here."""
        if hint is None and isinstance(node, Scalar):
            hint = pair_meant(node.text, form="{{{}}}" if expected.startswith("a block") else None)
        self.problems.error("E203", f"{what} is {expected}, and here stands {shown(node)}", node, hint)


def shown(node: Node) -> str:
    """What stands somewhere, for a message: a value in quotes, or the kind of node."""
    if isinstance(node, Scalar):
        return "nothing" if node.value is None else quoted(node.text)
    return _KINDS[type(node)]


def guessed_at(node: Node, hint: str | None) -> Node:
    """The element of a list that a guess is about, so that nothing else is underlined and mended; else the node."""
    if not isinstance(hint, Guess) or not isinstance(node, Sequence):
        return node
    return next((item for item in node.items if isinstance(item, Scalar) and item.text == hint.word), node)
