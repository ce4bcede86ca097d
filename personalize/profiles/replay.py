"""Projecting profiles anew, from their histories, where an event changes what earlier ones meant.

A correction, the undoing of a join, or a decision on consent that arrives after the join it bears on: such an event
can't be added to a row. Everybody whom joins hold together is then projected once more, in the order of the log, with
what is in force now. So it comes out as a rebuilding would, at the cost of these histories alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from personalize.events.event import CONSENT, DERIVED_TYPES, JOIN, MARK, RETRACT, UNDO, Event, EventName
from personalize.profiles.in_force import (
    DECIDING_TYPES,
    InForce,
    anonymous_of,
    corrected_by,
    in_force,
    name_of,
)
from personalize.profiles.join import left_by, tied
from personalize.profiles.profile import Profile, Ties
from personalize.visitors.arms import is_arm

#: How many corrections of one profile wait for events that have not arrived; what comes beyond has no effect on those.
MOST_AWAITED = 200


@dataclass(frozen=True, slots=True)
class Anew:
    """A row that can't be told from what it was: it is to be projected anew. `row` stands in for it until then."""

    row: Profile


class ProfileReplay:
    """One profile and all that joins hold together with it.

    `step` projects an event onto a profile, and is told whether it teaches interests; `pour` joins two profiles.
    """

    types = DECIDING_TYPES

    def __init__(
        self,
        profile_id: str,
        step: Callable[[Profile, Event, bool], Profile],
        pour: Callable[[Profile, Profile], Profile],
    ) -> None:
        self._step = step
        self._pour = pour
        self._claims: dict[str, set[str]] = {profile_id: set()}
        self._missing = {profile_id}
        self._deciding: list[Event] = []
        self._force: InForce | None = None
        self._rows: dict[str, Profile] = {}
        self._to_pour: dict[str, Profile] = {}
        self._met: set[tuple[str, EventName]] = set()
        self._awaits: dict[str, set[EventName]] = {}
        self._void: set[tuple[str, EventName]] = set()

    @property
    def keys(self) -> tuple[str, ...]:
        """All profiles found so far, in order."""
        return tuple(sorted(self._claims))

    @property
    def missing(self) -> tuple[str, ...]:
        """Those whose rows and deciding events were not looked at yet."""
        return tuple(sorted(self._missing))

    def look(self, rows: Mapping[str, Profile | None], deciding: Iterable[Event]) -> None:
        """Take the rows of those that were missing, and what their histories have of `types`."""
        self._missing -= rows.keys()
        for profile_id, row in rows.items():
            for login in () if row is None else row.ties.claimed_by:
                self._claim(login, profile_id)
        for event in deciding:
            self._deciding.append(event)
            if event.type in (JOIN, UNDO) and (anonymous_id := anonymous_of(event)) is not None:
                self._claim(event.profile_id, anonymous_id)

    def project(self, event: Event) -> None:
        """Project an event that was sent with one of `keys`; all of them in the order of the log."""
        force = self._force or self._begun()
        if event.type == JOIN:
            self._joined(event, force)
        elif event.type in (RETRACT, MARK):
            self._corrected(event)
        elif event.type != UNDO and event.type not in DERIVED_TYPES and not is_arm(event.profile_id):
            self._happened(event, force)

    @property
    def touched(self) -> tuple[str, ...]:
        """No other rows change with these."""
        return ()

    def rows(self, touched: Mapping[str, Profile | None]) -> dict[str, Profile | None]:
        """The rows after the last event; None for a profile of which nothing is known."""
        force = self._force or self._begun()
        for profile_id, (consent, at) in force.consents.items():
            if profile_id in self._rows:
                self._rows[profile_id] = replace(self._rows[profile_id], consent=consent, consent_at=at)
        for profile_id, awaits in self._awaits.items():
            if awaits:
                row = self._row(profile_id)
                self._rows[profile_id] = replace(row, ties=replace(row.ties, awaits=frozenset(awaits)))
        return {profile_id: self._rows.get(profile_id) for profile_id in self.keys}

    def _claim(self, login: str, anonymous_id: str) -> None:
        for one in (login, anonymous_id):
            if one not in self._claims:
                self._claims[one] = set()
                self._missing.add(one)
        self._claims[anonymous_id].add(login)

    def _begun(self) -> InForce:
        force = self._force = in_force(self._deciding)
        self._deciding.clear()
        for profile_id, logins in self._claims.items():
            if logins:
                ties = Ties(claimed_by=tuple(sorted(logins)))
                self._rows[profile_id] = Profile(profile_id, ties=ties)
        return force

    def _row(self, profile_id: str) -> Profile:
        return self._rows.get(profile_id) or Profile(profile_id)

    def _joined(self, event: Event, force: InForce) -> None:
        known_id, anonymous_id = event.profile_id, anonymous_of(event)
        if anonymous_id is None:
            return
        known, anonymous = self._row(known_id), self._row(anonymous_id)
        if name_of(event) in force.refused:
            self._rows[known_id] = tied(known, event)
            self._rows[anonymous_id] = tied(anonymous, event)
        elif name_of(event) in force.joins and anonymous.joined is None:
            poured = self._to_pour.pop(anonymous_id, None) or Profile(anonymous_id)
            self._rows[known_id] = tied(self._pour(known, poured), event)
            self._rows[anonymous_id] = left_by(anonymous, event)

    def _corrected(self, event: Event) -> None:
        name = corrected_by(event)
        if name is None or (event.profile_id, name) in self._met:
            return
        awaits = self._awaits.setdefault(event.profile_id, set())
        if len(awaits) < MOST_AWAITED:
            awaits.add(name)
        else:
            self._void.add((event.profile_id, name))

    def _happened(self, event: Event, force: InForce) -> None:
        owner_id, teaches = force.owner(event), True
        if event.type != CONSENT and name_of(event) in force.corrected:
            said = self._said_of(event, owner_id)
            if said & force.retracted:
                return
            teaches = not said & force.marked
        rows = self._rows
        if owner_id != event.profile_id and self._row(event.profile_id).joined is None:
            owner_id, rows = event.profile_id, self._to_pour  # its join is still to come
        rows[owner_id] = self._step(rows.get(owner_id) or Profile(owner_id), event, teaches)

    def _said_of(self, event: Event, owner_id: str) -> set[tuple[str, EventName]]:
        """What corrections say that can be of this event: those of the profile that it was sent with, or belongs to."""
        named = {(one, name_of(event)) for one in (event.profile_id, owner_id)}
        self._met |= named
        for profile_id, name in named:
            self._awaits.get(profile_id, set()).discard(name)
        return named - self._void
