"""Questions about a text as patterns of signs, and texts that tell any of them apart.

All patterns are read side by side, sign by sign, as one machine whose states are the places reached in each of them
(the subset construction of Rabin and Scott 1959). A text for each state tells every mixture of answers that there is.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TypeAlias

from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.id_lists import NamedList
from personalize.rules.patterns import Pattern
from personalize.rules.proof.spellings import folding_to, folding_to_several

#: One sign of a pattern: one of these, any one (None), or any number of any (`MANY`).
Sign: TypeAlias = frozenset[str] | str | None
MANY = "any number of any signs"
Signs: TypeAlias = tuple[Sign, ...]

#: Of so many signs in all, and so many steps of the machine, questions are left open.
MOST_SIGNS = 5_000
MOST_STEPS = 20_000
#: A regular expression that says which letters stand there, at the beginning, at the end or anywhere.
_LITERAL = re.compile(r"(\^?)((?:[^\\.^$|?*+()\[\]{}]|\\[-./_ ])+)(\$?)")
_ESCAPE = re.compile(r"\\(.)")
#: Letters that RE2 takes for the same without regard to case, beside the large and small ones.
_SAME_LETTERS = {"k": "\u212a", "s": "\u017f"}
_OTHERS = "…~•¤§"


def patterns_of(leaf: Leaf) -> tuple[Signs, ...] | None:
    """The patterns of which a text fits one where the answer is yes; None for a question that can't be told so."""
    argument = leaf.argument.ids if isinstance(leaf.argument, NamedList) else leaf.argument
    named = argument if isinstance(argument, Listed | tuple) else (argument,)
    found: list[Signs] = []
    for one in named:
        if not isinstance(one, Pattern):
            found.append(_of_text(str(one), leaf.word))
        elif leaf.word == "like":
            found.append(_of_likeness(one.text))
        else:
            for part in one.text.split("|"):
                signs = _of_expression(part, ignore_case=one.ignore_case)
                if signs is None:
                    return None
                found.append(signs)
    return tuple(found)


def _of_text(text: str, word: str) -> Signs:
    letters = tuple(frozenset(letter) for letter in text)
    before = (MANY,) if word in ("contains", "ends_with") else ()
    behind = (MANY,) if word in ("contains", "starts_with") else ()
    return (*before, *letters, *behind)


def _of_likeness(text: str) -> Signs:
    signs: list[Sign] = []
    for letter in text:
        sign = {"*": MANY, "?": None}.get(letter, frozenset(letter))
        if sign != MANY or signs[-1:] != [MANY]:
            signs.append(sign)
    return tuple(signs)


def _of_expression(text: str, *, ignore_case: bool) -> Signs | None:
    found = _LITERAL.fullmatch(text)
    if found is None or (ignore_case and not text.isascii()):
        return None
    begins, literal, ends = found.groups()
    letters = tuple(_letter(one, ignore_case=ignore_case) for one in _ESCAPE.sub(r"\1", literal))
    return (*(() if begins else (MANY,)), *letters, *(() if ends else (MANY,)))


def _letter(letter: str, *, ignore_case: bool) -> frozenset[str]:
    if not ignore_case:
        return frozenset(letter)
    return frozenset((letter.lower(), letter.upper(), _SAME_LETTERS.get(letter.lower(), letter)))


@dataclass(frozen=True, slots=True)
class _Move:
    """What a letter does: the places it takes a state on from, and those each part of it does, folded.

    Letters that do the same are one letter to the machine.
    """

    plain: int
    folded: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Machine:
    """Patterns side by side: bit i of a state is place i, and the places of one pattern follow one another.

    `many` are the places before any number of signs, `one` those before any one, `letters` those before each letter;
    `ends` are behind whole patterns. What has come to `settled` places fits, whatever follows, and to no others of
    its pattern. `folded` are the places of patterns that texts are read for without regard to case, beside others.
    """

    start: int
    many: int
    one: int
    letters: Mapping[str, int]
    ends: int
    settled: Mapping[int, int]
    folded: int

    def move(self, letter: str) -> _Move:
        plain = self.letters.get(letter, 0)
        if not self.folded:
            return _Move(plain, ())
        folded = tuple(self.letters.get(part, 0) & self.folded for part in letter.casefold())
        return _Move(plain & ~self.folded, folded)

    def read(self, state: int, move: _Move) -> int:
        folded = state & self.folded
        for places in move.folded:
            folded = self._step(folded, places)
        return folded | self._step(state & ~self.folded, move.plain)

    def _step(self, state: int, places: int) -> int:
        moved = state & (self.one | places)
        state = state & self.many | moved << 1
        state |= (state & self.many) << 1
        for settled, whole in self.settled.items():
            if state & settled:
                state = state & ~whole | settled | settled << 1
        return state


def _machine(patterns: Iterable[tuple[Signs, bool]]) -> _Machine:
    start = many = one = ends = folded = at = 0
    letters: dict[str, int] = {}
    settled: dict[int, int] = {}
    for signs, fold in patterns:
        places = ((1 << len(signs) + 1) - 1) << at
        start |= 1 << at
        folded |= places if fold else 0
        for place, sign in enumerate(signs, at):
            if sign is None:
                one |= 1 << place
            elif isinstance(sign, str):
                many |= 1 << place
            else:
                for letter in sign:
                    letters[letter] = letters.get(letter, 0) | 1 << place
        at += len(signs)
        if signs[-1:] == (MANY,):
            settled[1 << at - 1] = places
        ends |= 1 << at
        at += 1
    return _Machine(start | (start & many) << 1, many, one, letters, ends, settled, folded)


def telling_texts(questions: Sequence[tuple[tuple[Signs, ...], bool]]) -> list[str] | None:
    """Texts that tell questions apart, the shortest first; None where there is too much to look at.

    A question is its patterns, and whether it is asked without regard to case.
    """
    if sum(len(signs) for patterns, _ in questions for signs in patterns) > MOST_SIGNS:
        return None
    is_mixed = len({fold for _, fold in questions}) > 1
    machine = _machine((signs, fold and is_mixed) for patterns, fold in questions for signs in patterns)
    moves = _moves(machine)
    found = {machine.start & machine.ends: ""}
    seen, waiting, steps = {machine.start}, deque([(machine.start, "")]), 0
    while waiting:
        state, text = waiting.popleft()
        steps += len(moves)
        if steps > MOST_STEPS:
            return None
        for move, letter in moves.items():
            reached = machine.read(state, move)
            if reached not in seen:
                seen.add(reached)
                found.setdefault(reached & machine.ends, text + letter)
                waiting.append((reached, text + letter))
    return list(found.values())


def _moves(machine: _Machine) -> dict[_Move, str]:
    """All that any letter can do to the machine, each with a letter that does it."""
    named = sorted(machine.letters)
    other = next(one for one in chain(_OTHERS, map(chr, count(0x4E00))) if one not in machine.letters)
    cased = _cased_of(named) if machine.folded else ()
    found: dict[_Move, str] = {}
    for letter in (other, *named, *cased):
        found.setdefault(machine.move(letter), letter)
    return found


def _cased_of(named: Iterable[str]) -> Iterator[str]:
    """Letters that fold to a named one, and all that fold to several: these grow longer, whatever is named."""
    for letter in named:
        yield from folding_to().get(letter, ())
    yield from folding_to_several()
