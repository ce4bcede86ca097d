"""What was most likely meant by a word that is not known, and whether that is beyond doubt."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

_SHORTEST_SURE = 4
_LONGEST_COMPARED = 100
#: To compare with each of more words than these takes longer than a guess is worth.
_FEW = 500
#: Text that needs no quotes in YAML, wherever it stands.
_PLAIN = re.compile(r"(?!(?:true|false|null)$)[a-z][\w./-]*", re.IGNORECASE | re.ASCII)
_SEPARATORS = str.maketrans("", "", " -_")


class Guess(str):
    """A hint that names what was meant by `word`. `instead` is what a machine may write in its place; None where
    somebody has to look first."""

    __slots__ = ("instead", "word")
    word: str
    instead: str | None

    def __new__(cls, hint: str, word: str, instead: str | None) -> Guess:
        """Make it of the words of the hint."""
        made = super().__new__(cls, hint)
        made.word = word
        made.instead = instead
        return made

    def __reduce__(self) -> tuple[type[Guess], tuple[str, str, str | None]]:
        """What a copy is made of, also in another process."""
        return Guess, (str(self), self.word, self.instead)


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that was most likely meant, without regard to case; None when nothing is near."""
    by_folded: dict[str, str] = {}
    for candidate in sorted(_comparable(word, allowed)):
        by_folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(word[:_LONGEST_COMPARED].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _comparable(word: str, allowed: Iterable[str]) -> Collection[str]:
    """The allowed words that are worth comparing: of many only those that a slip of the pen may have made it of."""
    words = frozenset(allowed)
    if len(words) <= _FEW:
        return words
    neighbours = _neighbours(words)
    return {near for shortened in _shortened(word) for near in neighbours.get(shortened, ())}


@lru_cache(maxsize=2)
def _neighbours(words: frozenset[str]) -> Mapping[str, Sequence[str]]:
    """Words by all that is left of them without one letter: two that differ by a slip have one of these in common."""
    found = defaultdict[str, list[str]](list)
    for word in words:
        for shortened in _shortened(word):
            found[shortened].append(word)
    return found


def _shortened(word: str) -> set[str]:
    folded = word[:_LONGEST_COMPARED].casefold()
    return {folded, *(folded[:at] + folded[at + 1 :] for at in range(len(folded)))}


def did_you_mean(word: str, allowed: Iterable[str], *, before: str = "") -> Guess | None:
    """A hint such as ``did you mean `members`?``, or None when nothing is near.

    `before` is what stands before the word and was right: the `purchase.` of a fact.
    """
    candidates = _comparable(word, allowed)
    guess = nearest(word, candidates)
    if guess is None:
        return None
    instead = f"{before}{guess}" if _sure(word, candidates) == guess else None
    return Guess(f"did you mean `{before}{guess}`?", f"{before}{word}", instead)


def _sure(word: str, allowed: Iterable[str]) -> str | None:
    """The one allowed word that is a single slip of the pen away; None where there are none or several."""
    meant = [candidate for candidate in allowed if is_slip(word, candidate)]
    return meant[0] if len(meant) == 1 and _PLAIN.fullmatch(meant[0]) else None


def is_slip(word: str, meant: str) -> bool:
    """Whether a single slip of the pen made one word of the other.

    That is one letter too many, too few, another one, or two swapped; or only case, blanks and dashes. Digits are no
    letters, since `step-3` is not what was meant by `step-2`, and among short words everything is near.
    """
    if word.casefold().translate(_SEPARATORS) == meant.casefold().translate(_SEPARATORS):
        return True
    if max(len(word), len(meant)) < _SHORTEST_SURE or abs(len(word) - len(meant)) > 1:
        return False
    one, other = _without_common_ends(word, meant)
    is_single = len(one) <= 1 and len(other) <= 1
    is_swapped = len(one) == 2 and one == other[::-1]
    return (is_single or is_swapped) and not any(letter.isdigit() for letter in one + other)


def _without_common_ends(one: str, other: str) -> tuple[str, str]:
    """What is left of two words without what both begin with, and then without what both end with."""
    begin = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[begin:], other[begin:]
    pairs = zip(reversed(one), reversed(other), strict=False)
    end = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    return one[: len(one) - end], other[: len(other) - end]
