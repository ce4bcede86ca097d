"""Parts of a stored row, such as all totals, whose values are read when somebody asks for them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


class StoredPart(Mapping[str, Value]):
    """What is `stored`, each value a list until one is put in its place: `read` makes the value of it for whoever asks,
    with nothing inside that they could change for others.

    A page looks at few of them, and an event changes one: this more than halves the time of the read that every page
    view makes, and of writing the row again.
    """

    __slots__ = ("_read", "stored")

    def __init__(self, stored: dict[str, Any], read: Callable[[list[Any]], Value]) -> None:
        self.stored = stored
        self._read = read

    def __getitem__(self, name: str) -> Value:
        value = self.stored[name]
        found: Value = self._read(value) if type(value) is list else value
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The value or the default; nothing is raised on the way, since most of what rules ask for is not there."""
        value = self.stored.get(name)
        if value is None:
            return default
        return self._read(value) if type(value) is list else value

    def __contains__(self, name: object) -> bool:
        return name in self.stored

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def __repr__(self) -> str:
        return repr(dict(self))

    def having(self, name: str, value: Value) -> "StoredPart[Value]":
        """The same part with one value put in; what nobody has asked for stays unread."""
        return StoredPart({**self.stored, name: value}, self._read)

    def written(self, write: Callable[[Value], object]) -> dict[str, object]:
        """What is to be stored: what nobody has asked for as it is, `write` makes the others."""
        return {name: value if type(value) is list else write(value) for name, value in self.stored.items()}


def having(part: Mapping[str, Value], name: str, value: Value) -> Mapping[str, Value]:
    """A part of a row, stored or not, with one value put in."""
    return part.having(name, value) if type(part) is StoredPart else {**part, name: value}


def written(part: Mapping[str, Value], write: Callable[[Value], object]) -> dict[str, object]:
    """What is to be stored of a part, stored before or not."""
    if type(part) is StoredPart:
        return part.written(write)
    return {name: write(value) for name, value in part.items()}


def rows_of(part: Mapping[str, Value]) -> dict[str, Any]:
    """What a part of a row keeps by name: of a stored one lists, each the row of a value."""
    if type(part) is StoredPart:
        return part.stored
    return part if isinstance(part, dict) else dict(part)
