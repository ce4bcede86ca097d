"""What rule files define: segments, slots with their rules, and personas, beside the schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args

from personalize.events.schema import Schema
from personalize.profiles.counters import Counter
from personalize.rules.conditions import Condition, Leaf, everything
from personalize.rules.reading.gaps import Gaps
from personalize.yaml_tree import Place

#: The most items that a slot holds, or a rule shows.
MOST_ITEMS = 50
#: The word for the site's own markup, where a slot has nothing to show.
KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Named:
    """An id as it was written somewhere, to look up and to point at."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Show:
    """What a rule shows: named items in order, or the items of a collection that carry one of the tags."""

    items: tuple[Named, ...] = ()
    collection: Named | None = None
    tagged: tuple[str, ...] = ()
    limit: int = MOST_ITEMS


@dataclass(frozen=True, slots=True)
class Expected:
    """What a persona must see in a slot: these items, or the site's own markup where there are none."""

    slot: Named
    items: tuple[Named, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Persona:
    """A saved test visitor: facts by name. A moment given as `100 days ago` is kept as that distance.

    `own` are facts of the site's own code; of a condition, the arguments for which it holds. `sees` is what the
    rules must show to them, at the moment `at` or, without one, at whatever moment they are asked.
    """

    persona_id: str
    title: str
    given: Mapping[str, object]
    place: Place
    own: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    at: datetime | None = None
    sees: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up visitor of whom a segment's or a rule's conditions must hold, or must not."""

    visitor: Persona
    matches: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """Show this to these people when it is this time. `to` and `when` are told apart for explanations."""

    rule_id: str
    title: str
    to: Condition
    when: Leaf | None
    show: Show
    place: Place
    examples: tuple[Example, ...] = ()

    @property
    def condition(self) -> Condition:
        """Who and when together."""
        return self.to if self.when is None else everything(self.to, self.when)


@dataclass(frozen=True, slots=True)
class Segment:
    """A named group of visitors."""

    segment_id: str
    title: str
    who: Condition
    place: Place
    examples: tuple[Example, ...] = ()


#: What is done with the element that a selector finds: fill it, take its place, stand beside it.
How = Literal["inside", "replace", "before", "after"]
HOWS: tuple[How, ...] = get_args(How)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a slot stands on pages that hold no mark of it: at the first element that a CSS selector finds."""

    css: str
    how: How


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on the site. `otherwise` is the item for when no rule has anything to show; None keeps the
    site's own markup. A slot without a `page` is a page of one, one without a `placement` stands where its mark is."""

    slot_id: str
    title: str
    page: str | None
    holds: int
    accepts: tuple[Named, ...]
    rules: tuple[Rule, ...]
    otherwise: Named | None
    place: Place
    placement: Placement | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read: a digest of its text, and whether it `declares` what conditions of others may name."""

    digest: str
    declares: bool


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that the rule files of a site define; `gaps` is what they would define if it could be read, `sources` are the
    files by their paths."""

    schema: Schema = field(default_factory=Schema)
    segments: Mapping[str, Segment] = field(default_factory=lambda: MappingProxyType({}))
    slots: Mapping[str, Slot] = field(default_factory=lambda: MappingProxyType({}))
    personas: Mapping[str, Persona] = field(default_factory=lambda: MappingProxyType({}))
    counters: tuple[Counter, ...] = ()
    gaps: Gaps = field(default_factory=Gaps)
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
