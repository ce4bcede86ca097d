"""What an editor puts between double braces: a name and perhaps a fallback, nothing that could be worked out.

`{{ visitor.first_name | there }}` and `{{ item.price }}` are placeholders. Whatever else stands in braces, `{{ 7*7 }}`
or `{% if … %}`, is found here only so that it reaches the page as it was written.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

_LONGEST = 300
_BRACES = re.compile(
    rf"""
    \{{\{{(?P<inner>[^{{}}\r\n]{{0,{_LONGEST}}})\}}\}}(?!\}})                     # what could be a placeholder
    | \{{\{{.{{0,{_LONGEST}}}?\}}\}}+                                         # {{ … }} of other kinds
    | \{{%.{{0,{_LONGEST}}}?%\}} | \{{\#.{{0,{_LONGEST}}}?\#\}}               # {{% … %}}, {{# … #}}
    | <%.{{0,{_LONGEST}}}?%>                                                  # <% … %>
    | [$\#*@~%!]?\{{[^{{}}\r\n]{{0,{_LONGEST}}}\}}                            # {{ … }}, ${{ … }}, #{{ … }}
    """,
    re.VERBOSE,
)
_NAMED = re.compile(r"\s*(visitor|item)\s*\.\s*([A-Za-z_][A-Za-z0-9_-]*)\s*(?:\|(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Named:
    """A placeholder: an attribute of the visitor, or a field of the item. `start` and `end` are its span."""

    root: Literal["visitor", "item"]
    name: str
    fallback: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Something in braces that is no placeholder and stands on the page as it is written."""

    text: str
    start: int
    end: int

    @property
    def looks_like_logic(self) -> bool:
        """Whether its author may have expected something to happen."""
        return self.text.startswith(("{{", "{%"))


Found: TypeAlias = Named | Verbatim


def find_placeholders(text: str) -> tuple[Found, ...]:
    """All placeholders of a text and everything else in braces, in order; spans don't overlap."""
    return tuple(_found(match) for match in _BRACES.finditer(text))


def _found(match: re.Match[str]) -> Found:
    start, end = match.span()
    named = _NAMED.fullmatch(match["inner"]) if match["inner"] is not None else None
    if named is None:
        return Verbatim(match[0], start, end)
    root: Literal["visitor", "item"] = "visitor" if named[1] == "visitor" else "item"
    return Named(root, named[2], (named[3] or "").strip(), start, end)
