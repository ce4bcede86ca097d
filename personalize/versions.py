"""Versions of software, read leniently and ordered as Semantic Versioning 2.0 orders them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache, total_ordering

#: An optional v, numbers with points between, what comes before a release, and a build that says nothing.
_VERSION = re.compile(
    r"[vV]?(?P<release>[0-9]{1,18}(?:\.[0-9]{1,18}){0,9})(?:-(?P<before>[0-9A-Za-z.-]{1,100}))?"
    r"(?:\+[0-9A-Za-z.-]{0,100})?",
    re.ASCII,
)
_RANGE = re.compile(r"(?P<sign>[~^]?)(?P<version>.+?)(?P<rest>\.[*xX])?")
#: Ahead of everything that comes before a release.
_FIRST_BEFORE: tuple[tuple[int, int, str], ...] = ()


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """One version. `numbers` has no zeros at its end: 1.2 is 1.2.0. `before` is what makes it come before the release
    of these numbers (`rc.1`), None for the release itself. `text` is as it was written."""

    numbers: tuple[int, ...]
    before: tuple[tuple[int, int, str], ...] | None = None
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: "Version") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[object, ...]:
        return (self.numbers, self.before is None, self.before or ())


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version | None:
    """The version that a text is, or None: `2`, `v1.2.3`, `120.0.6099.109`, `2.0.0-rc.1+build5`.

    Behind fewer than three numbers, what comes before a release begins with a letter: `1-2-3` is no version.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = [int(part) for part in found["release"].split(".")]
    before = found["before"]
    if before is not None and ("" in before.split(".") or (len(numbers) < 3 and not before[0].isalpha())):
        return None
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return Version(tuple(numbers), None if before is None else tuple(map(_identifier, before.split("."))), text)


def _identifier(text: str) -> tuple[int, int, str]:
    """Numbers come before words, by their value; words by their letters."""
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The versions from one on up to another one, which is not included. `text` is as it was written."""

    text: str
    low: Version
    high: Version

    def __contains__(self, version: Version) -> bool:
        return self.low <= version < self.high

    def __str__(self) -> str:
        return self.text


def parse_version_range(text: str) -> VersionRange | None:
    """The range that a text is, or None.

    `^1.2` goes up to the next version that may break something (2), `~1.2` and `1.2.*` up to the next 1.3.
    What comes before the release of that next one is not included either.
    """
    found = _RANGE.fullmatch(text)
    low = parse_version(found["version"]) if found is not None else None
    if found is None or low is None or bool(found["sign"]) == bool(found["rest"]):
        return None
    release = found["version"].lstrip("vV").partition("-")[0].partition("+")[0]
    numbers = [int(part) for part in release.split(".")]
    if found["rest"]:
        kept = len(numbers)
    elif found["sign"] == "~":
        kept = min(len(numbers), 2)
    else:
        kept = next((at for at, number in enumerate(numbers, 1) if number), len(numbers))
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return VersionRange(text, low, Version(tuple(upper), _FIRST_BEFORE))
