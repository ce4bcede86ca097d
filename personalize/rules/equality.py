"""Which values are equal: 1 is 1.0, true is not 1, a date is no moment, and what is no finite number equals nothing."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite

from personalize.versions import Version

#: What stands for null inside a list or mapping; alone it is a missing value, and equals nothing.
_NULL = ("null",)


def equality_key(value: object) -> Hashable | None:
    """What equal values have in common and all others have not; None for a value that equals no other.

    Text, numbers, versions, days and lengths of time are their own keys. Lists and mappings are equal by what is in
    them.
    """
    match value:
        case bool():
            return ("bool", value)
        case str() | int() | timedelta() | Version():
            return value
        case float():
            return value if isfinite(value) else None
        case Decimal():
            return value if value.is_finite() else None
        case datetime():
            return value if value.tzinfo is not None else None
        case date():
            return value
        case list() | tuple():
            return _list_key(value)
        case Mapping():
            inner = _list_key(list(value.values()))
            return None if inner is None else ("mapping", frozenset(zip(value, inner[1], strict=True)))
    return None


def _list_key(values: Sequence[object]) -> tuple[str, tuple[Hashable, ...]] | None:
    keys: list[Hashable] = []
    for value in values:
        key = _NULL if value is None else equality_key(value)
        if key is None:
            return None
        keys.append(key)
    return ("list", tuple(keys))


class Listed:
    """The values of a list, each once, in the order in which they were written; whether one is among them is
    answered by its hash."""

    __slots__ = ("_keys", "_written")

    def __init__(self, values: Iterable[object]) -> None:
        by_key: dict[Hashable, object] = {}
        for value in values:
            if (key := equality_key(value)) is not None:
                by_key.setdefault(key, value)
        self._keys = frozenset(by_key)
        self._written = tuple(by_key.values())

    def __contains__(self, value: object) -> bool:
        return equality_key(value) in self._keys

    def __iter__(self) -> Iterator[object]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listed) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(self._keys)

    def __repr__(self) -> str:
        return f"Listed({list(self._written)!r})"
