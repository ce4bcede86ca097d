"""Paths: which are never touched, and which were seen to hold slots."""

from collections import OrderedDict
from collections.abc import Iterable

#: How many paths with slots are remembered; the one not seen for longest goes first.
MOST_PATHS = 2_000


class Excluded:
    """The paths that the site wants left alone; a pattern may end in `*`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        self._whole = frozenset(one for one in patterns if not one.endswith("*"))
        self._beginnings = tuple(one[:-1] for one in patterns if one.endswith("*"))

    def __contains__(self, path: str) -> bool:
        return path in self._whole or path.startswith(self._beginnings)


class PathMemory:
    """The paths on which slots were met, so that the headers of their next response can be made right in time."""

    def __init__(self) -> None:
        self._paths: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    def add(self, path: str) -> None:
        """Remember a path."""
        self._paths[path] = None
        self._paths.move_to_end(path)
        if len(self._paths) > MOST_PATHS:
            self._paths.popitem(last=False)
