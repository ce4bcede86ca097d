"""What shared caches have to know of a page: what tells its variants apart, and how long each of them holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from personalize.content.library import Library
from personalize.rules.clock_edges import ClockEdges, edges_of
from personalize.rules.conditions import Condition, Leaf, questions
from personalize.rules.pages import Page, rule_keys, shown_by
from personalize.rules.reading.inputs import sources

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Shared:
    inputs: tuple[str, ...]
    edges: ClockEdges


class Sharing:
    """Works out, for each page when it is first asked about, what shared caches have to know of it.

    `conditions` are those of rules by their keys, `values` what the texts of an edge stand for, by the name of an
    input; without inputs it is empty.
    """

    def __init__(
        self,
        conditions: Mapping[object, Condition],
        segments: Mapping[str, Condition],
        library: Library,
        zone: tzinfo,
        values: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._conditions = conditions
        self._segments = segments
        self._library = library
        self._zone = zone
        self._values = values
        self._known: dict[str, _Shared] = {}
        self._any: tuple[datetime, datetime | None] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """All inputs that any rule asks about."""
        return tuple(self._values)

    def inputs_of(self, page: Page) -> tuple[str, ...]:
        """The inputs that what the page shows may depend on, in the order of their declaration."""
        return self._shared(page).inputs

    def next_change(self, page: Page, now: datetime) -> datetime | None:
        """The next moment at which the clock alone may change what the page shows; now itself where it may at any,
        None where it never will. Before it the same visitor is shown the same."""
        return self._shared(page).edges.next_after(now, self._zone)

    def next_change_of_any(self, pages: Iterable[Page], now: datetime) -> datetime | None:
        """The next moment at which the clock alone may change any of these pages, which are those of the rule set."""
        if self._any is None or not self._any[0] <= now < (self._any[1] or _NEVER):
            changes = (self.next_change(page, now) for page in {page.name: page for page in pages}.values())
            self._any = now, min((at for at in changes if at is not None), default=None)
        return self._any[1]

    def values_of(self, told: Mapping[str, str]) -> Mapping[str, object]:
        """The values of inputs that these texts stand for; None where a text is missing, or not a declared one."""
        return {name: values.get(told.get(name, "")) for name, values in self._values.items()}

    def undeclared(self, told: Mapping[str, str]) -> Iterator[str]:
        """The names of inputs of which a text was told that is none of those declared."""
        return (name for name, values in self._values.items() if name in told and told[name] not in values)

    def _shared(self, page: Page) -> _Shared:
        known = self._known.get(page.name)
        if known is None:
            known = self._known[page.name] = self._worked_out(page)
        return known

    def _worked_out(self, page: Page) -> _Shared:
        leaves = tuple(self._leaves(page))
        read = {fact.name for leaf in leaves for fact in sources(leaf.fact)}
        items = [self._library.items[one] for slot in page.slots for one in shown_by(slot, self._library)]
        bounds = {at for item in items for at in (item.from_at, item.until_at) if at is not None}
        edges = edges_of(leaves, self._zone) | ClockEdges(frozenset(bounds))
        return _Shared(tuple(name for name in self._values if name in read), edges)

    def _leaves(self, page: Page) -> Iterator[Leaf]:
        """The questions of the page's rules, and of the segments that they lead to, each segment's once."""
        waiting = [self._conditions[key] for slot in page.slots for key in rule_keys(slot)]
        met: set[str] = set()
        while waiting:
            for question in questions(waiting.pop()):
                if isinstance(question, Leaf):
                    yield question
                elif question.segment_id not in met:
                    met.add(question.segment_id)
                    waiting.append(self._segments[question.segment_id])
