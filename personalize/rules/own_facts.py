"""Facts and conditions that only the site's own code can tell: what each is, and the function that works it out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any, TypeVar

from personalize.errors import AwayFromRequest
from personalize.events.schema import DEFAULT_PURPOSE, Shape, ValueType
from personalize.light_values import light_dataclass
from personalize.problems import did_you_mean, quoted
from personalize.rules.reading.reading import NAME

_TYPES = tuple(str(one) for one in ValueType if one is not ValueType.MAPPING)
_DEEPEST = 3

Answer = TypeVar("Answer", bound=Callable[..., object])


@light_dataclass(frozen=True, slots=True)
class Occasion:
    """What a site's own fact is worked out from: the values of the facts that it reads, and the moment.

    `facts` answers the names in `reads`, None for what is not known: numbers are int or Decimal, amounts whole
    numbers of the smallest unit, moments aware UTC datetimes. `now` is an aware UTC datetime.
    """

    facts: Mapping[str, object]
    now: datetime
    request: Mapping[str, Any] | None = None

    @property
    def scope(self) -> Mapping[str, Any]:
        """The ASGI scope of the page that is asked for.

        Raises `AwayFromRequest` where there is none; left to rise, it makes the fact missing there.
        """
        if self.request is None:
            raise AwayFromRequest
        return self.request


@dataclass(frozen=True, slots=True)
class OwnFact:
    """One declared fact or condition. `takes` is the type of a condition's argument, None for a fact.

    `title` are the words for it: a condition's have `{}` for the argument. `purpose` is the consent that it needs,
    None for none. `reads` are the names of the facts that its function looks at.
    """

    name: str
    shape: Shape
    answer: Callable[..., object]
    title: str
    purpose: str | None
    reads: tuple[str, ...]
    takes: ValueType | None = None

    def work_out(self, occasion: Occasion, argument: object = None) -> object:
        """What the site's function says, of whatever type it is."""
        return self.answer(occasion) if self.takes is None else self.answer(occasion, argument)


class OwnFacts(Mapping[str, OwnFact]):
    """What a site's own code adds to the language, by name, in the order of its declaration.

    Its decorators take a plain function and give it back. They raise ValueError for a declaration that can't be.
    """

    def __init__(self) -> None:
        self._declared: dict[str, OwnFact] = {}

    def fact(
        self,
        name: str,
        type: str,
        *,
        title: str = "",
        of: str | None = None,
        choices: Sequence[str] = (),
        fold: bool = False,
        purpose: str | None = DEFAULT_PURPOSE,
        reads: Sequence[str] = (),
    ) -> Callable[[Answer], Answer]:
        """Declare a fact that a function works out, given an `Occasion`; None says that it is not known.

        `type`, `of`, `choices` and `fold` are those of an attribute. The function is asked at most once a page
        view, and only where a slot of the page needs it.
        """
        kind = _type(type, name)
        element = Shape(_type(of or "text", name), fold=fold) if kind is ValueType.LIST else None
        shape = Shape(kind, of=element, choices=tuple(choices), fold=fold)
        if kind is ValueType.CHOICE and not choices:
            raise ValueError(f"the fact {quoted(name)} is a choice of nothing: name its choices")
        return self._declaring(name, shape, title, purpose, reads, None)

    def condition(
        self,
        name: str,
        *,
        takes: str,
        title: str = "",
        purpose: str | None = DEFAULT_PURPOSE,
        reads: Sequence[str] = (),
    ) -> Callable[[Answer], Answer]:
        """Declare a condition: the function is given an `Occasion` and what the rule wrote, and says True or False.

        `takes` is the type of what a rule writes; `title` has `{}` in its place, as in `"within {} km of a shop"`.
        """
        if title.count("{}") > 1 or "{" in title.replace("{}", ""):
            raise ValueError(f"the title of {quoted(name)} has one {{}}, for what a rule writes: {quoted(title)}")
        return self._declaring(name, Shape(ValueType.BOOL), title, purpose, reads, _single(takes, name))

    def _declaring(
        self,
        name: str,
        shape: Shape,
        title: str,
        purpose: str | None,
        reads: Sequence[str],
        takes: ValueType | None,
    ) -> Callable[[Answer], Answer]:
        parts = name.split(".")
        if len(parts) > _DEEPEST or not all(map(NAME.fullmatch, parts)):
            raise ValueError(f"{quoted(name)} can't be the name of a fact: it takes small letters, as in shop.open_now")
        if name in self._declared:
            raise ValueError(f"the fact {quoted(name)} is declared twice")

        def declare(answer: Answer) -> Answer:
            if iscoroutinefunction(answer):
                raise ValueError(f"the fact {quoted(name)} is asked while a page leaves: it takes a plain function")
            self._declared[name] = OwnFact(name, shape, answer, title or name, purpose, tuple(reads), takes)
            return answer

        return declare

    def __getitem__(self, name: str) -> OwnFact:
        return self._declared[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


#: A site whose code adds nothing.
NO_OWN_FACTS: Mapping[str, OwnFact] = MappingProxyType({})


def _type(written: str, name: str) -> ValueType:
    if written not in _TYPES:
        hint = did_you_mean(written, _TYPES) or f"it is one of {', '.join(_TYPES)}"
        raise ValueError(f"the fact {quoted(name)} can't be of the type {quoted(written)}: {hint}")
    return ValueType(written)


def _single(written: str, name: str) -> ValueType:
    kind = _type(written, name)
    if kind in (ValueType.LIST, ValueType.CHOICE):
        raise ValueError(f"the condition {quoted(name)} takes a single value, not a {kind}")
    return kind
