"""What rule files would define if it could be read, so that one slip does not make errors of all that name it."""

from collections.abc import Iterable
from enum import StrEnum

from personalize.problems import Problems
from personalize.rules.facts import BUILT_IN_ROOTS, EVENT_KEYS, INTEREST_ROOT, ORGANIZATION_ROOT

_NEXT = "mend this file first, and check again"


class Kind(StrEnum):
    """What other definitions may name."""

    SEGMENT = "segment"
    ATTRIBUTE = "attribute"
    EVENT = "event"
    SLOT = "slot"
    ORGANIZATION = "organization"


class Gaps:
    """The files that could not be read whole, and the names whose definitions are broken.

    Where a file is missing, any name may be defined in it; where a definition is broken, its name is. Where the
    site's own facts can't be loaded, any name may be one of them.
    """

    def __init__(self, *, misses_own_facts: bool = False) -> None:
        self._misses_own_facts = misses_own_facts
        self._files: list[str] = []
        self._names: dict[Kind, set[str]] = {kind: set() for kind in Kind}
        self._let_through = False

    def add_file(self, file: str) -> None:
        """Note a file that could not be read whole."""
        self._files.append(file)

    def add(self, kind: Kind, name: str) -> None:
        """Note a definition that is broken."""
        self._names[kind].add(name)

    def is_broken(self, kind: Kind, name: str) -> bool:
        """Whether there is a definition of this name, and something is wrong with it."""
        return name in self._names[kind]

    def may_define(self, kind: Kind, name: str) -> bool:
        """Whether the name may be defined by what could not be read."""
        if self.is_broken(kind, name):
            return True
        self._let_through |= bool(self._files)
        return bool(self._files)

    def may_define_fact(self, name: str) -> bool:
        """Whether the fact may come from an attribute, an event or code of the site that could not be read."""
        root, _, key = name.partition(".")
        if self._misses_own_facts and root not in BUILT_IN_ROOTS:
            return True
        if root == "profile" and key:
            return self.may_define(Kind.ATTRIBUTE, key)
        if root == ORGANIZATION_ROOT and key:
            return bool(self._names[Kind.ORGANIZATION]) or self.may_define(Kind.ORGANIZATION, root)
        if root == INTEREST_ROOT and key:
            return bool(self._names[Kind.EVENT]) or self.may_define(Kind.EVENT, root)
        return key in EVENT_KEYS and root not in BUILT_IN_ROOTS and self.may_define(Kind.EVENT, root)

    def attribute_names(self, known: Iterable[str]) -> tuple[str, ...]:
        """The names of attributes, those of broken ones too; where a file is missing, no name is refused."""
        names = tuple(dict.fromkeys((*known, *sorted(self._names[Kind.ATTRIBUTE]))))
        return AnyName(names) if self._files else names

    def report(self, problems: Problems) -> None:
        """Say once a file that names were not compared with it, where any were let through."""
        for file in self._files if self._let_through else ():
            problems.warning(
                "W203",
                "names in other files were not compared with this file, since not all of it can be read",
                hint=_NEXT,
                file=file,
            )


class AnyName(tuple[str, ...]):
    """Some names of a list that may hold any other, too."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True
