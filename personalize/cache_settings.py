"""How pages live with caches: the section `[cache]` of the settings, and the inputs that variants are told apart by."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from personalize.problems import quoted
from personalize.setting_kinds import SECRET_KEYS, SWITCH, Kind, choice, of_kind, whole

_FACT = re.compile(r"[a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)+", re.ASCII)
#: What a header can carry, a cache compares letter by letter, and nobody's name or address fits into.
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CacheInput:
    """One fact that an edge tells, and the values that it may have, as they stand in the header."""

    fact: str
    values: tuple[str, ...]

    @property
    def header(self) -> str:
        """The header that carries it: `X-Personalize-Page-Device` for `page.device`."""
        words = re.split(r"[._-]", self.fact)
        return "-".join(["X-Personalize", *(word.capitalize() for word in words if word)])


def _inputs(value: object) -> tuple[CacheInput, ...]:
    if not isinstance(value, Mapping):
        raise ValueError('it takes facts with lists of values, such as "page.device" = ["mobile", "desktop"]')
    found = tuple(_input(fact, values) for fact, values in _flattened(value, ""))
    for number, one in enumerate(found):
        for other in found[:number]:
            if one.header.lower() == other.header.lower():
                raise ValueError(f"{quoted(other.fact)} and {quoted(one.fact)} would come in one header, {one.header}")
    return found


def _flattened(table: Mapping[str, object], before: str) -> Iterator[tuple[str, object]]:
    """Names without quotes are tables to TOML: `page.device = […]` is a table `page` with one key."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _input(fact: str, values: object) -> CacheInput:
    if not _FACT.fullmatch(fact):
        raise ValueError(f"{quoted(fact)} is not the name of a fact, such as page.device")
    if not isinstance(values, list | tuple) or not values or not all(isinstance(one, str) for one in values):
        raise ValueError(f'{quoted(fact)} needs a list of texts, such as ["mobile", "desktop"]')
    if len(set(values)) < len(values):
        raise ValueError(f"{quoted(fact)} names a value twice")
    for one in values:
        if not _VALUE.fullmatch(one):
            raise ValueError(f"{quoted(fact)}: {quoted(one)} does not fit: it takes letters, digits, - . and _")
    return CacheInput(fact, tuple(values))


def _read_inputs(text: str) -> object:
    """Inputs in a variable: `page.device=mobile|desktop, visitor.state=new|returned`."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {fact.strip(): [one.strip() for one in values.split("|") if one.strip()] for fact, _, values in pairs}


INPUTS = Kind("values by fact", _inputs, _read_inputs)


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How personalised pages live with the caches in front of the site, and in browsers."""

    mode: Literal["private", "variants", "fragments"] = field(
        default="private",
        metadata=of_kind(
            choice("private", "variants", "fragments"),
            "Personalised pages for their visitor alone, in a few shared variants, or public with private slots.",
        ),
    )
    fragments: Literal["script", "esi", "ssi"] = field(
        default="script",
        metadata=of_kind(
            choice("script", "esi", "ssi"),
            "What brings the slots of a public page: a script in the browser, or an edge by ESI or SSI.",
        ),
    )
    revalidate: bool = field(
        default=False,
        metadata=of_kind(
            SWITCH, "Let browsers keep personalised pages, and ask each time whether they are still true."
        ),
    )
    clear_site_data: bool = field(
        default=False,
        metadata=of_kind(SWITCH, "Have browsers forget what they fetched in advance when somebody logs in or out."),
    )
    refuse_prefetch: bool = field(
        default=False, metadata=of_kind(SWITCH, "Answer 503 where a personalised page is fetched in advance.")
    )
    seconds: int = field(
        default=60, metadata=of_kind(whole(1, 31_536_000), "How long shared caches may keep a variant, at most.")
    )
    slot_requests_per_minute: int = field(
        default=1_200,
        metadata=of_kind(
            whole(0, 1_000_000),
            "How often scripts of one address may ask for slots in a minute; 0 is no cap.",
        ),
    )
    max_variants: int = field(default=32, metadata=of_kind(whole(1, 10_000), "Variants that one page may have."))
    edge_keys: tuple[str, ...] = field(
        default=(), repr=False, metadata=of_kind(SECRET_KEYS, "Keys by which an edge shows that it may set inputs.")
    )
    inputs: tuple[CacheInput, ...] = field(
        default=(), metadata=of_kind(INPUTS, "The facts that an edge tells, each with the values it may have.")
    )

    def contradiction(self) -> str | None:
        """A sentence on settings that don't go together; None where all do."""
        if self.inputs and not self.edge_keys:
            return "cache: `inputs` need `edge_keys`, or nobody could be believed"
        return None
