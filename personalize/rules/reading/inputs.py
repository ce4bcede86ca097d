"""The inputs of shared pages: facts that an edge tells in a header, each with the few values that it may have."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from personalize.problems import Problems, did_you_mean, quoted
from personalize.rules.facts import PAIR_ROOT, SPLIT_ROOT, Fact, Facts, FactType
from personalize.rules.reading.gaps import Gaps

_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
#: What every cache tells pages apart by anyway.
_ADDRESS = "page.path"
#: The types whose values a header can tell.
_TOLD = frozenset({FactType.TEXT, FactType.CHOICE, FactType.NUMBER, FactType.BOOL})


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a site whose pages are shared: the texts that may stand for each fact's value, by its name, and
    how many variants one page may have."""

    texts: Mapping[str, tuple[str, ...]]
    most_variants: int

    def allow(self, fact: Fact) -> bool:
        """Whether a page that is shared may depend on a fact: an input, the page's path, or what is the same for
        everybody at a moment."""
        return not fact.personal or fact.name == _ADDRESS or fact.name in self.texts

    def variants(self, names: Iterable[str]) -> int:
        """How many variants a page has that depends on these inputs: one more each for where the edge tells nothing."""
        count = 1
        for name in names:
            count *= len(self.texts[name]) + 1
        return count


def sources(fact: Fact) -> Iterator[Fact]:
    """What a fact is worked out from, where nothing else goes into it; else the fact itself."""
    if fact.root in (PAIR_ROOT, SPLIT_ROOT) and fact.parts:
        for part in fact.parts:
            yield from sources(part)
    else:
        yield fact


def input_value(fact: Fact, text: str) -> object:
    """The value of a fact that a text of an edge stands for. Raises ValueError, with a sentence, where none does."""
    if fact.type not in _TOLD or fact.takes is not None:
        raise ValueError("it takes a text, a choice, a number, or true and false, which a header can tell")
    match fact.type:
        case FactType.NUMBER:
            if not _DECIMAL.fullmatch(text):
                raise ValueError(f"{quoted(text)} is not a number")
            value: object = Decimal(text) if "." in text else int(text)
        case FactType.BOOL:
            if text not in _FLAGS:
                raise ValueError(f"{quoted(text)} is neither true nor false")
            value = _FLAGS[text]
        case FactType.CHOICE if text not in fact.choices:
            meant = did_you_mean(text, fact.choices) or f"it is one of {', '.join(fact.choices)}"
            raise ValueError(f"{quoted(text)} is not a value of it; {meant}")
        case _:
            value = text
    return [value] if fact.many else value


def input_values(inputs: Inputs, facts: Mapping[str, Fact]) -> Mapping[str, Mapping[str, object]]:
    """The value that each text stands for, by the names of those inputs that are among the facts."""
    return MappingProxyType(
        {
            name: MappingProxyType({text: input_value(facts[name], text) for text in texts})
            for name, texts in inputs.texts.items()
            if name in facts
        }
    )


def check_inputs(inputs: Inputs, facts: Facts, gaps: Gaps, problems: Problems) -> None:
    """Collect what is wrong with the inputs that the settings declare."""
    for name, texts in inputs.texts.items():
        fact = facts.get(name)
        if fact is None:
            if not gaps.may_define_fact(name):
                problems.error("E290", f"cache.inputs: {quoted(name)} is not a fact", hint=facts.hint(name))
            continue
        for text in texts:
            try:
                input_value(fact, text)
            except ValueError as error:
                problems.error("E290", f"cache.inputs: `{name}`: {error}")
                break
