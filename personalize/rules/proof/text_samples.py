"""Texts that tell questions about a text apart, by how they look at it: at its parts, its place in the order of texts,
the number, the version or the address that it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, pairwise

from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import FactType
from personalize.rules.id_lists import NamedList
from personalize.rules.networks import Networks
from personalize.rules.proof.address_samples import address_samples
from personalize.rules.proof.text_patterns import patterns_of, telling_texts
from personalize.rules.proof.version_samples import version_samples

_WHOLE = frozenset({"is", "one_of", "exactly", "in_list"})
_ORDER = frozenset({"at_least", "more_than", "at_most", "less_than", "between"})
_PARTS = frozenset({"contains", "starts_with", "ends_with", "like", "matches"})
_OTHER = "other"
_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
#: So many texts are named one by one; of more, one for each mixture of answers stands for all of them.
MOST_NAMED = 100
_MOST_ASKED = 200_000


@dataclass(slots=True)
class _Asked:
    """The questions about one text, by how they look at it."""

    whole: list[Leaf] = field(default_factory=list)
    parts: list[Leaf] = field(default_factory=list)
    order: list[Leaf] = field(default_factory=list)
    numbers: list[Leaf] = field(default_factory=list)
    versions: list[Leaf] = field(default_factory=list)
    networks: list[Leaf] = field(default_factory=list)

    @property
    def kinds(self) -> list[list[Leaf]]:
        return [kind for kind in (self.parts, self.order, self.numbers, self.versions, self.networks) if kind]


def text_samples(leaves: Sequence[Leaf]) -> tuple[list[str], frozenset[str]]:
    """Texts that tell the questions apart, and the words of those questions that they may not tell apart.

    Questions that look at a text in two ways are left open; so are, beside those that mind large and small letters,
    others that do not, but for questions about parts.
    """
    leaves = [leaf for leaf in leaves if leaf.word != "exists"]
    asked = _asked(leaves)
    named = _named(asked.whole, leaves)
    folds = {leaf.fold for leaf in leaves}
    is_much = named is not None and len(asked.kinds) > (len(named) <= MOST_NAMED)
    if named is None or is_much or (len(folds) > 1 and asked.kinds and not asked.parts):
        return _left_open(leaves)
    if asked.parts or len(folds) > 1:
        return _by_parts(asked, named) or _left_open(leaves)
    if asked.order:
        return _between({*map(str, _arguments(asked.order)), *named}), frozenset()
    found: list[str] | None = []
    if asked.numbers:
        found = _written({Decimal(str(one)) for one in _arguments(asked.numbers)}, named)
    elif asked.versions:
        found = version_samples(asked.versions)
        found = None if found is None or not named.isdisjoint(found) else found
    elif asked.networks:
        nets = [leaf.argument for leaf in asked.networks if isinstance(leaf.argument, Networks)]
        found = address_samples(nets, lambda text: text not in named)
    return _left_open(leaves) if found is None else ([_other(asked.whole), *sorted(named), *found], frozenset())


def _asked(leaves: Iterable[Leaf]) -> _Asked:
    asked = _Asked()
    for leaf in leaves:
        if leaf.cast is not None and leaf.cast.type is FactType.VERSION:
            asked.versions.append(leaf)
        elif leaf.word in _WHOLE:
            asked.whole.append(leaf)
        elif leaf.word in _PARTS:
            asked.parts.append(leaf)
        elif isinstance(leaf.argument, Networks):
            asked.networks.append(leaf)
        elif leaf.word in _ORDER:
            is_text = all(isinstance(one, str) for one in _arguments([leaf]))
            (asked.order if is_text else asked.numbers).append(leaf)
    return asked


def _arguments(leaves: Iterable[Leaf]) -> Iterable[object]:
    for leaf in leaves:
        argument = leaf.argument.ids if isinstance(leaf.argument, NamedList) else leaf.argument
        yield from argument if isinstance(argument, Listed | tuple) else (argument,)


def _named(whole: Iterable[Leaf], leaves: Sequence[Leaf]) -> set[str] | None:
    """The texts that are asked for whole; of very many, one for each mixture of answers. None for too many."""
    named = dict.fromkeys(str(one) for one in _arguments(whole))
    if len(named) <= MOST_NAMED:
        return set(named)
    if len(named) * len(leaves) > _MOST_ASKED:
        return None
    return set(_one_of_each(named, leaves))


def _one_of_each(values: Iterable[str], leaves: Sequence[Leaf]) -> list[str]:
    """The first of the values that are answered alike by each question."""
    found: dict[tuple[bool, ...], str] = {}
    for value in values:
        found.setdefault(tuple(leaf.holds(value, _ANY_MOMENT) for leaf in leaves), value)
    return list(found.values())


def _left_open(leaves: Sequence[Leaf]) -> tuple[list[str], frozenset[str]]:
    texts = [str(one) for one in _arguments(leaf for leaf in leaves if leaf.word in _WHOLE)][:MOST_NAMED]
    return [*texts, _OTHER], frozenset(leaf.word for leaf in leaves)


def _by_parts(asked: _Asked, named: set[str]) -> tuple[list[str], frozenset[str]] | None:
    """Texts that are put together sign by sign."""
    found = [(patterns_of(leaf), leaf) for leaf in asked.parts]
    undecided = frozenset(leaf.word for patterns, leaf in found if patterns is None)
    told = [(patterns, leaf.fold) for patterns, leaf in found if patterns is not None]
    told += [(patterns, leaf.fold) for leaf in asked.whole if (patterns := patterns_of(leaf)) is not None]
    texts = telling_texts(told)
    return None if texts is None else ([_OTHER, *sorted(named), *texts], undecided)


def _other(whole: Sequence[Leaf]) -> str:
    """A text that is none of those asked for whole."""
    others = (f"{_OTHER} {number}" if number else _OTHER for number in count())
    return next(one for one in others if not any(leaf.holds(one, _ANY_MOMENT) for leaf in whole))


def _between(cuts: set[str]) -> list[str]:
    """The texts named, and one in each gap of their order."""
    ordered = sorted(cuts)
    gaps = [_text_between(low, high) for low, high in pairwise(ordered)]
    first = [""] if ordered[0] else []
    return [*ordered, *(gap for gap in gaps if gap is not None), ordered[-1] + "z", *first]


def _text_between(low: str, high: str) -> str | None:
    return next((low + more for more in ("m", "a", " ", "\0") if low + more < high), None)


def _written(cuts: set[Decimal], taken: set[str]) -> list[str]:
    """Numbers at the limits and in the gaps, written in a way in which no question names them."""
    ordered = sorted(cuts)
    gaps = [(low + high) / 2 for low, high in pairwise(ordered)]
    numbers = [ordered[0] - 1, *ordered, *gaps, ordered[-1] + 1]
    return [_spelling(number, lambda text: text not in taken) for number in numbers]


def _spelling(number: Decimal, is_free: Callable[[str], bool]) -> str:
    text = format(number, "f")
    if is_free(text):
        return text
    text += "" if "." in text else "."
    while True:
        text += "0"
        if is_free(text):
            return text
