"""Reads `place:`, the selector of a slot that has no mark in the page: `{css: "main > .hero", how: inside}`."""

import re
from functools import cache
from typing import Protocol

from personalize.problems import quoted
from personalize.rules.definitions import HOWS, Placement
from personalize.rules.reading.reading import Reading
from personalize.yaml_tree import Mapping, Node, Scalar

PLACE_KEYS = ("css", "how")

#: What is known of an element when its start tag has come: those before it and around it.
_LOOKS_BACK = ("first-child", "first-of-type", "is", "not", "nth-child", "nth-of-type", "root", "where")
#: A pseudo-class, or what only looks like one, because it stands in quotes, in brackets or behind a backslash.
_PSEUDO_CLASS = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^]]*\]|:([a-z-]+)""", re.IGNORECASE)
_AS_WRITTEN = "write it as in a style sheet, such as main > .hero"


class _Selecting(Protocol):
    def select_one(self, selector: str, /) -> object: ...


class PlacementReader:
    """Reads where slots stand; a broken place is said and left out."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def placement(self, node: Node | None, slot: str) -> Placement | None:
        """What stands behind `place` of a slot."""
        if isinstance(node, Scalar) and node.value is not None:
            hint = f"write {{css: {quoted(node.text)}, how: inside}}"
            self._reading.wrong_kind(node, f"`place` of {slot}", "a block with css and how", hint)
            return None
        what = f"`place` of {slot}"
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, PLACE_KEYS, what)
        word = self._reading.choice(mapping, "how", HOWS, what) if mapping.get("how") is not None else "inside"
        css = self._css(mapping, what)
        return next((Placement(css, how) for how in HOWS if how == word), None) if css is not None else None

    def _css(self, mapping: Mapping, what: str) -> str | None:
        node = self._reading.required(mapping, "css", what)
        if node is None:
            return None
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.strip():
            hint = 'put it in quotes, as in css: "#hero"; without them # begins a comment, and [ a list'
            self._reading.wrong_kind(node, f'"css" of {what}', "a selector", hint)
            return None
        return node.text if self._is_readable(node, what) and self._looks_back(node) else None

    def _is_readable(self, node: Scalar, what: str) -> bool:
        problems = self._reading.problems
        page = _empty_page()
        if page is None:
            message = f"{what} needs the package turbohtml, which is not installed"
            problems.error("E245", message, node, 'pip install "personalize[rewrite]"')
            return False
        try:
            page.select_one(node.text)
        except ValueError as error:
            reason = str(error).rpartition('": ')[2]
            problems.error("E246", f"the selector {quoted(node.text)} can't be read: {reason}", node, _AS_WRITTEN)
            return False
        return True

    def _looks_back(self, node: Scalar) -> bool:
        """Whether an element can be told by what comes before it: the rest of a page may not be there yet."""
        for match in _PSEUDO_CLASS.finditer(node.text):
            name = (match[1] or "").lower()
            if name and name not in _LOOKS_BACK:
                message = f"the selector {quoted(node.text)} asks for {quoted(f':{name}')}"
                allowed = ", ".join(f":{one}" for one in _LOOKS_BACK)
                hint = f"an element is told by what stands before and around it: {allowed}"
                self._reading.problems.error("E247", message, node, hint)
                return False
        return True


@cache
def _empty_page() -> _Selecting | None:
    """A page to try selectors on, None without the package that reads them."""
    try:
        import turbohtml  # noqa: PLC0415  an extra: sites that mark their slots do without it
    except ModuleNotFoundError:
        return None
    page: _Selecting = turbohtml.parse("")
    return page
