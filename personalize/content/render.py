"""An item's markup, worked out when it was loaded, with places where something of the visitor's is filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import Literal

#: What a page cannot show, or what would turn the text after it around: control characters, half characters,
#: marks of writing direction without an end.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place for one attribute of the visitor's profile, or else for the `fallback`.

    `place` is where it stands: in running text, or in the quoted value of an attribute such as `alt`.
    """

    attribute: str
    fallback: str = ""
    place: Literal["text", "attribute"] = "text"

    def markup(self, value: object) -> str:
        """The value, or the fallback where there is none to show, escaped for text and quoted attributes."""
        shown = shown_text(value)
        return escape(self.fallback if shown is None else shown)


@dataclass(frozen=True, slots=True)
class Rendering:
    """Finished markup and placeholders, in turn. Without a placeholder it is one piece of markup."""

    parts: tuple[str | Placeholder, ...]
    attributes: frozenset[str] = field(init=False)
    _finished: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = frozenset(part.attribute for part in self.parts if isinstance(part, Placeholder))
        object.__setattr__(self, "attributes", names)
        finished = "".join([part for part in self.parts if isinstance(part, str)])
        object.__setattr__(self, "_finished", None if names else finished)

    @property
    def is_personal(self) -> bool:
        """Whether the markup depends on who is looking."""
        return bool(self.attributes)

    def markup(self, values: Mapping[str, object]) -> str:
        """The markup for a visitor, given the values of `attributes` by name.

        Values are text to be shown, whatever they contain: never markup, never a placeholder.
        """
        if self._finished is not None:
            return self._finished
        return "".join(
            part if isinstance(part, str) else part.markup(values.get(part.attribute)) for part in self.parts
        )


def shown_text(value: object) -> str | None:
    """A profile's value as people read it, or None where there is nothing to show.

    Text and numbers stand as they are, lists with commas. Blank text, truth values and mappings show nothing,
    so that a page says its fallback instead of "True".
    """
    if isinstance(value, str):
        text = _UNSHOWABLE.sub("", value)
        return text if text.strip() else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        shown = [text for text in map(shown_text, value) if text is not None]
        return ", ".join(shown) or None
    return None
