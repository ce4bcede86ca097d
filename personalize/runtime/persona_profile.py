"""The profile that a persona would have: what is given, and what follows from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import Profile, Visit
from personalize.rules.definitions import Persona
from personalize.rules.facts import INTEREST_FAMILY

_DAY = timedelta(days=1)
_TOP = "interest.top"
#: What a fact of no event begins with.
_WITHOUT_EVENTS = ("profile.", "visitor.", "page.", "visit.", "now.", "interest.", "organization.")
#: What one event alone tells of the others: its value is the first, the last, and all of them together.
_OF_ONE_EVENT = (("first", "last"), ("first_value", "last_value", "total", "average"))


def given_values(persona: Persona, now: datetime) -> Mapping[str, object]:
    """The facts given, moments as moments, and what a single event tells of itself."""
    values = {
        name: now - value if isinstance(value, timedelta) and _tells_when(name) else value
        for name, value in persona.given.items()
    }
    happened = {name.partition(".")[0] for name in values if not name.startswith(_WITHOUT_EVENTS) and values[name] != 0}
    for event in happened:
        values |= _of_event(event, values)
    return _with_strongest_interest(values)


def _with_strongest_interest(given: Mapping[str, object]) -> Mapping[str, object]:
    """Whoever is given interests likes the strongest of them best, the first by name of several."""
    strong = {
        name.removeprefix(INTEREST_FAMILY): value
        for name, value in given.items()
        if name.startswith(INTEREST_FAMILY) and isinstance(value, int | Decimal) and value > 0
    }
    top = min(strong, key=lambda tag: (-strong[tag], tag), default=None)
    return given if top is None else {_TOP: top, **given}


def _tells_when(name: str) -> bool:
    """Whether a length of time is a distance from now here; a time of day (`now.time`) is none."""
    return not name.startswith("now.")


def _of_event(event: str, given: Mapping[str, object]) -> Mapping[str, object]:
    """An event of which a moment or a value is given happened, at least once."""
    found: dict[str, object] = {f"{event}.count": given.get(f"{event}.count", 1)}
    if found[f"{event}.count"] == 1:
        for keys in _OF_ONE_EVENT:
            told = [given[f"{event}.{key}"] for key in keys if f"{event}.{key}" in given]
            found |= {f"{event}.{key}": told[0] for key in keys if told}
    return {name: value for name, value in found.items() if name not in given}


def persona_profile(
    persona: Persona, given: Mapping[str, object], now: datetime, lifecycle: Lifecycle, *, asks_for_page: bool
) -> Profile | None:
    """The profile that these facts would come from, or None where none of them is a stored one.

    A persona is on the site: the visit of now is the newest of its visits, so that being new, the number of
    visits, the state, and when it was seen are read from one profile and can't disagree. Where only the number of
    visits is given, the one before was at the latest moment given, else a day ago.
    """
    if not any(map(_is_stored, given)) or given.get("visitor.known") is False:
        return None
    past = _Past(given, now, lifecycle)
    last = past.last_seen_at
    if last is None:
        return Profile(f"p:{persona.persona_id}")
    visit, first = past.visit(last, asks_for_page=asks_for_page), past.first_seen_at or last
    if visit is not None and visit.previous_seen_at is not None:
        first = min(first, visit.previous_seen_at)
    return Profile(f"p:{persona.persona_id}", visit=visit, first_seen_at=first, last_seen_at=last)


def _is_stored(name: str) -> bool:
    """Whether only a profile can tell this fact; the request tells of its page, and of the visit it begins."""
    return not name.startswith(("page.", "now.", "visit."))


@dataclass(frozen=True, slots=True)
class _Past:
    """When a persona was here before, by the facts given."""

    given: Mapping[str, object]
    now: datetime
    lifecycle: Lifecycle

    def visit(self, last: datetime, *, asks_for_page: bool) -> Visit | None:
        """The newest visit before this page; the page begins the next one, unless this one goes on."""
        if self._is_told_new:
            return Visit(1, last, self.now, pages=1)
        goes_on = self.now - last <= self.lifecycle.visit_ends_after
        number = self.visits if goes_on or not asks_for_page else self.visits - 1
        if number == 0:
            return None
        first = self.first_seen_at or last
        was_before = self.now - first > self.lifecycle.visit_ends_after
        is_second = number > 1 or self._was_here_before
        before = first if was_before else last - _DAY if is_second else None
        return Visit(number, last, last, pages=1, previous_seen_at=before)

    @property
    def visits(self) -> int:
        """How many visits, the one of now included."""
        number = self.given.get("visitor.visits")
        if isinstance(number, int):
            return max(1, number)
        return 2 if self._was_here_before else 1

    @property
    def last_seen_at(self) -> datetime | None:
        """When the persona was last seen, or None on a first page."""
        named = self.given.get("visitor.last_seen")
        if isinstance(named, datetime):
            return named
        if not self._was_here_before and self.visits == 1:
            return max(self._moments(), default=None)
        silent_for = self._silence()
        return max(self._moments(), default=self.now - _DAY) if silent_for is None else self.now - silent_for

    @property
    def first_seen_at(self) -> datetime | None:
        """The earliest moment that is told."""
        moments = [*self._moments(), *filter(None, [self.last_seen_at])]
        return min(moments, default=None)

    @property
    def _is_told_new(self) -> bool:
        return self.given.get("visitor.new") is True or self.given.get("visitor.state") == "new"

    @property
    def _was_here_before(self) -> bool:
        if self._is_told_new:
            return False
        if self.given.get("visitor.new") is False or self.given.get("visitor.state", "new") != "new":
            return True
        pause = self.lifecycle.visit_ends_after
        return any(self.now - moment > pause for moment in self._moments())

    def _silence(self) -> timedelta | None:
        """How long somebody of the state given has been away; None where no state, or no silence, is given."""
        match self.given.get("visitor.state"):
            case "returned" | "lapsed":
                return self._at_least(self.lifecycle.lapsed_after)
            case "cooling":
                return self._at_least(self.lifecycle.cooling_after)
        return None

    def _at_least(self, silence: timedelta) -> timedelta:
        """As long as the latest moment says, if that is long enough."""
        latest = max(self._moments(), default=self.now - silence - _DAY)
        return max(self.now - latest, silence + _DAY)

    def _moments(self) -> Iterator[datetime]:
        """The moments given at which the persona was here."""
        for name, value in self.given.items():
            of_visitor = name in ("visitor.first_seen", "visitor.last_seen")
            of_event = not name.startswith(_WITHOUT_EVENTS) and name.endswith((".first", ".last"))
            if isinstance(value, datetime) and value <= self.now and (of_visitor or of_event):
                yield value
