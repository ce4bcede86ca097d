"""Joining: what an anonymous profile knows is poured, once, into the known one behind a login."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce

from personalize.events.event import Event, from_micros
from personalize.profiles.counters import MOST_TIMES, merged
from personalize.profiles.interests import together as interests_together
from personalize.profiles.profile import AttributeValue, Joined, Profile, Visit
from personalize.profiles.seen import latest_before
from personalize.profiles.totals import together
from personalize.profiles.unit import is_of_two, unit_after_join
from personalize.visitors.consent import stricter

#: How many of the joined anonymous profiles a known one names; the log names them all.
JOINED_KEPT = 50


def joined(known: Profile, anonymous: Profile, *, limits: Mapping[str, int], ends_after: timedelta) -> Profile:
    """The known profile with all of the anonymous one in it.

    Totals add up, first and last keep their values, counters (`limits` by counter key) and interests the latest times.
    An attribute, or a word on one's own taste, that the known profile was told itself stays, even where it was told to
    remove it; among those that came from joins the newest stays. The later visit goes on and the numbers add up;
    visits that overlap, or have no pause of `ends_after` between them, are one. Of two decisions on consent the
    stricter holds.
    """
    visit = _visits_together(known.visit, anonymous.visit, ends_after)
    last = _latest(known.last_seen_at, anonymous.last_seen_at)
    moments = (*_moments(known), *_moments(anonymous))
    if visit is not None:
        visit = replace(visit, previous_seen_at=latest_before(moments, visit.started_at - ends_after))
    names = [name for name in known.joined_from if name != anonymous.profile_id]
    return Profile(
        profile_id=known.profile_id,
        attributes=_told_together(known.attributes, anonymous.attributes),
        totals={
            type_: total
            for type_ in (*known.totals, *anonymous.totals)
            if (total := together(known.totals.get(type_), anonymous.totals.get(type_))) is not None
        },
        recent=_counters_together(known.recent, anonymous.recent, limits),
        visit=visit,
        first_seen_at=_earliest(known.first_seen_at, anonymous.first_seen_at),
        last_seen_at=last,
        seen_before_at=None if last is None else latest_before(moments, last - ends_after),
        consent=stricter(known.consent, anonymous.consent),
        consent_at=_latest(known.consent_at, anonymous.consent_at),
        joined=known.joined,
        joined_from=(*names, anonymous.profile_id)[-JOINED_KEPT:],
        events=known.events + anonymous.events + 1,
        unit=unit_after_join(known, anonymous),
        interests=interests_together(known.interests, anonymous.interests),
        stated=_told_together(known.stated, anonymous.stated),
        ties=known.ties,
        of_two_units=is_of_two(known, anonymous),
    )


def left_by(own: Profile, join: Event) -> Profile:
    """The anonymous profile after a join, `own` being what is its own: what occurred later. It knows where the rest
    went, and what late events have to mind."""
    joined = Joined(join.profile_id, join.occurred_at)
    return replace(tied(own, join), joined=joined, events=own.events + 1)


def latest_of(profile: Profile) -> datetime | None:
    """When the latest of all that the profile tells of occurred."""
    told = (profile.last_seen_at, profile.consent_at, *(total.last_at for total in profile.totals.values()))
    micros = max((value.set_at_micros for value in profile.attributes.values()), default=None)
    return reduce(_latest, told, None if micros is None else from_micros(micros))


def claimed(anonymous: Profile, login: str) -> Profile:
    """The anonymous profile, which from now on knows that it was to be joined into this login."""
    claimed_by = tuple(sorted({*anonymous.ties.claimed_by, login}))
    return replace(anonymous, ties=replace(anonymous.ties, claimed_by=claimed_by))


def tied(profile: Profile, join: Event) -> Profile:
    """The profile, which from now on knows of a join that occurred, or was refused."""
    until = _latest(profile.ties.joins_until, join.occurred_at)
    return replace(profile, ties=replace(profile.ties, joins_until=until))


def newer(present: AttributeValue | None, other: AttributeValue) -> AttributeValue:
    """Which of two values of an attribute holds: one told to this profile before one from a join, then the
    newer; `other` where they are equally old."""
    if present is None or (present.from_join and not other.from_join):
        return other
    if other.from_join and not present.from_join:
        return present
    return other if other.set_at_micros >= present.set_at_micros else present


def _told_together(
    known: Mapping[str, AttributeValue], anonymous: Mapping[str, AttributeValue]
) -> Mapping[str, AttributeValue]:
    told = dict(known)
    for name, value in anonymous.items():
        told[name] = newer(told.get(name), value._replace(from_join=True))
    return told


def _counters_together(
    known: Mapping[str, tuple[int, ...]], other: Mapping[str, tuple[int, ...]], limits: Mapping[str, int]
) -> Mapping[str, tuple[int, ...]]:
    return {
        key: merged(known.get(key, ()), other.get(key, ()), limits.get(key, MOST_TIMES)) for key in (*known, *other)
    }


def _visits_together(known: Visit | None, other: Visit | None, ends_after: timedelta) -> Visit | None:
    if known is None or other is None:
        return known or other
    earlier, later = sorted((known, other), key=lambda visit: visit.last_page_at)
    if later.started_at - earlier.last_page_at > ends_after:
        return replace(later, number=known.number + other.number)
    beginning = other if other.started_at < known.started_at else known
    return replace(
        beginning,
        number=known.number + other.number - 1,
        last_page_at=later.last_page_at,
        pages=known.pages + other.pages,
    )


def _moments(profile: Profile) -> tuple[datetime | None, ...]:
    visit = profile.visit
    from_visit = () if visit is None else (visit.last_page_at, visit.previous_seen_at)
    return (profile.last_seen_at, profile.seen_before_at, *from_visit)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
