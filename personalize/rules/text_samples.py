"""Texts that tell questions about a text apart, put together from what the questions name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, combinations, pairwise

from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed

_EQUAL = ("is", "one_of")
_ORDER = ("at_least", "more_than", "at_most", "less_than", "between")
#: Stands for whatever else a text may hold; one of them is in no text that a question names.
_MARKS = "…~•¤§"
_OTHER = "other"
#: Of so many parts that a text may contain every choice is looked at.
_MOST_PARTS = 6
_MOST_TEXTS = 400


@dataclass(slots=True)
class _Asked:
    """What the questions about one text name, by how they look at it."""

    whole: set[str] = field(default_factory=set)
    starts: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    limits: set[str] = field(default_factory=set)
    numbers: set[Decimal] = field(default_factory=set)

    @property
    def texts(self) -> set[str]:
        return self.whole | self.starts | self.parts | self.ends | self.limits


def text_samples(leaves: Sequence[Leaf]) -> tuple[list[str], frozenset[str]]:
    """Texts that tell the questions apart, and the words of those questions that they may not tell apart.

    A text that has to begin, end and contain is put together with a mark between its parts that no question
    names: it has what it must have and nothing else, so it fits wherever any text fits. Such questions are left
    open beside others about the order of texts, and where only some of them ignore case.
    """
    asked = _asked(leaves)
    mark = next((one for one in _MARKS if not any(one in text for text in asked.texts)), None)
    kinds = [bool(asked.starts or asked.parts or asked.ends), bool(asked.limits), bool(asked.numbers)]
    is_mixed = sum(kinds) > 1 or len({leaf.fold for leaf in leaves if leaf.word != "exists"}) > 1
    if is_mixed or mark is None:
        named = chain.from_iterable((one, one.upper(), one.capitalize()) for one in sorted(asked.texts))
        return [*named, _OTHER, mark or ""], frozenset(leaf.word for leaf in leaves if leaf.word != "exists")
    if asked.limits:
        return _between(asked.limits | asked.whole), frozenset()
    if asked.numbers:
        return [*sorted(asked.whole), *_written(asked.numbers, asked.whole), _other(asked, mark)], frozenset()
    return _put_together(asked, mark)


def _asked(leaves: Iterable[Leaf]) -> _Asked:
    asked = _Asked()
    kinds = {"starts_with": asked.starts, "contains": asked.parts, "ends_with": asked.ends}
    for leaf in leaves:
        named = leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,)
        for one in named:
            if isinstance(one, str):
                kind = asked.limits if leaf.word in _ORDER else kinds.get(leaf.word, asked.whole)
                kind.add(one)
            elif leaf.word in _ORDER and isinstance(one, int | Decimal):
                asked.numbers.add(Decimal(one))
    return asked


def _put_together(asked: _Asked, mark: str) -> tuple[list[str], frozenset[str]]:
    """The whole texts named, and one for each beginning, each end and each choice of parts."""
    chosen = _choices(sorted(asked.parts)) if len(asked.parts) <= _MOST_PARTS else []
    is_short = 0 < (len(asked.starts) + 1) * (len(asked.ends) + 1) * len(chosen) <= _MOST_TEXTS
    if not is_short:
        chosen = [(), *((one,) for one in sorted(asked.parts))]
    starts, ends = ["", *sorted(asked.starts)], ["", *sorted(asked.ends)]
    made = [
        start + mark + "".join(part + mark for part in parts) + end
        for start in starts
        for parts in chosen
        for end in (ends if is_short else ["", *ends[-1:]])
    ]
    undecided = frozenset() if is_short else frozenset({"starts_with", "contains", "ends_with"})
    return [_other(asked, mark), *sorted(asked.whole), *made], undecided


def _choices(parts: Sequence[str]) -> list[tuple[str, ...]]:
    """All choices of some parts; one that is in another is there already."""
    chosen = chain.from_iterable(combinations(parts, size) for size in range(len(parts) + 1))
    return [one for one in chosen if not any(part in other for part in one for other in one if part != other)]


def _other(asked: _Asked, mark: str) -> str:
    """A text that is none of those named, and has none of their parts."""
    named = asked.starts | asked.parts | asked.ends
    return mark if _OTHER in asked.whole or any(one in _OTHER for one in named) else _OTHER


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
