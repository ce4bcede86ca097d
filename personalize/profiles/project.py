"""Projection: how events, one after the other, become profiles."""

from collections.abc import Callable, Mapping, Sequence

from personalize.events.event import (
    CLICK,
    CONSENT,
    DERIVED_TYPES,
    IMPRESSION,
    INTEREST,
    JOIN,
    KEPT_TOTALS,
    MARK,
    PAGE_VIEW,
    RETRACT,
    SEEN,
    SET,
    UNDO,
    Event,
    JSONValue,
    to_micros,
)
from personalize.events.schema import Schema
from personalize.profiles.counters import Counter, with_event
from personalize.profiles.encoding import decode_profile, encode_profile
from personalize.profiles.holding import holding_for
from personalize.profiles.in_force import anonymous_of, consent_of, name_of, newest, tells_nothing
from personalize.profiles.interests import taught
from personalize.profiles.join import claimed, joined, latest_of, left_by, newer, tied
from personalize.profiles.kept_totals import kept_totals_of
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import NO_TIES, AttributeValue, Changes, Joined, Profile, changed
from personalize.profiles.replay import Anew, ProfileReplay
from personalize.profiles.seen import last_seen_before, seen_at
from personalize.profiles.stated import statement_of
from personalize.profiles.stored_part import having
from personalize.profiles.totals import amount_of, together, with_one_more
from personalize.profiles.visits import PageFacts, visit_with_page
from personalize.visitors.arms import is_arm

#: A declared event with this property set to true counts, but tells nothing of what its visitor likes.
GIFT = "gift"


class ProfileProjector:
    """Keeps one `Profile` per visitor; the keys are profile ids.

    Projecting the log in its order always gives the same rows. Totals, counters, interests, attributes, consent,
    first and last seen are the same in whatever order a visitor's events arrive; of events at the same moment the
    order of arrival decides. Visits take in late page views as `visit_with_page` says. A join takes what
    arrived before it; events that occurred before it and arrive later follow into the known profile.

    Of arms there are no profiles: whoever lets us only measure is nobody that rules could know.

    Types that are no longer declared are counted without a value, so old logs can always be read. `holding` is
    what the rows hold once the whole log was projected so.
    """

    name = "profiles"

    def __init__(
        self,
        schema: Schema | None = None,
        counters: Sequence[Counter] = (),
        lifecycle: Lifecycle | None = None,
    ) -> None:
        self.holding = holding_for(schema or Schema(), counters)
        self._value_names = dict(self.holding.values)
        self._teaches = {type_: tuple(path.split(".")) for type_, path in self.holding.interests}
        self._counters = _by_type(counters)
        self._ends_after = (lifecycle or Lifecycle()).visit_ends_after
        self._steps: Mapping[str, Callable[[Profile, Event, bool], Changes]] = {
            PAGE_VIEW: self._page_view,
            IMPRESSION: _one_more,
            SEEN: _one_more,
            CLICK: _one_more,
            SET: _attributes,
            INTEREST: _statement,
            CONSENT: self._consent,
            KEPT_TOTALS: self._kept_totals,
        }
        self._turns: Mapping[str, Callable[[Event, Mapping[str, Profile | None]], Mapping[str, Profile | Anew]]] = {
            JOIN: self._joined,
            UNDO: _undone,
            RETRACT: _corrected,
            MARK: _corrected,
        }

    def reads(self, event: Event, rows: Mapping[str, Profile | None]) -> tuple[str, ...]:
        """The event's own row, and the known one that it was joined into; both sides of a join."""
        if event.type in DERIVED_TYPES or is_arm(event.profile_id):
            return ()
        if event.type in self._turns:
            anonymous_id = anonymous_of(event) if event.type in (JOIN, UNDO) else None
            return (event.profile_id,) if anonymous_id is None else (event.profile_id, anonymous_id)
        through = _followed(event, rows.get(event.profile_id))
        return (event.profile_id,) if through is None else (event.profile_id, through.into)

    def project(self, event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile | Anew]:
        """The profiles that this event changes, as they are after it."""
        if event.type in DERIVED_TYPES or is_arm(event.profile_id):
            return {}
        turn = self._turns.get(event.type)
        if turn is not None:
            return {} if tells_nothing(event) else turn(event, rows)
        sent = rows.get(event.profile_id)
        through = _followed(event, sent)
        owner_id = event.profile_id if through is None else through.into
        before = rows.get(owner_id) or Profile(owner_id)
        after = self._after(before, event, True)
        if _is_minded(event, before) or (sent is not None and through is not None and _is_minded(event, sent)):
            return {owner_id: Anew(after)}
        return {owner_id: after}

    def replay(self, key: str) -> ProfileReplay:
        """Projecting a profile anew, with all that joins hold together with it."""
        return ProfileReplay(key, self._after, self._poured)

    def encode(self, row: Profile) -> bytes:
        """The profile as bytes; see `profiles.encoding`."""
        return encode_profile(row)

    def decode(self, data: bytes) -> Profile:
        """The profile that `encode` wrote."""
        return decode_profile(data)

    def _after(self, profile: Profile, event: Event, teaches: bool) -> Profile:
        """The profile after an event of its own, or of one that was joined into it."""
        changes = self._steps.get(event.type, self._declared)(profile, event, teaches)
        counters = self._counters.get(event.type)
        if counters is not None:
            changes["recent"] = with_event(profile.recent, counters, event)
        changes["events"] = profile.events + 1
        return changed(profile, changes)

    def _poured(self, known: Profile, anonymous: Profile) -> Profile:
        return joined(known, anonymous, limits=self.holding.counters, ends_after=self._ends_after)

    def _joined(self, event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile | Anew]:
        known, anonymous = _both(event, rows)
        claiming = claimed(anonymous, known.profile_id)
        if anonymous.joined is not None and _comes_second(event, anonymous.joined):
            return {} if claiming == anonymous else {anonymous.profile_id: claiming}
        if anonymous.ties.claimed_by or known.ties.awaits or _has_more_to_it(event, known, anonymous):
            return {known.profile_id: Anew(known), anonymous.profile_id: Anew(claiming)}
        return {
            known.profile_id: tied(self._poured(known, anonymous), event),
            anonymous.profile_id: left_by(Profile(anonymous.profile_id, ties=claiming.ties), event),
        }

    def _page_view(self, profile: Profile, event: Event, _teaches: bool) -> Changes:
        return self._page(profile, event, pages=1)

    def _page(self, profile: Profile, event: Event, pages: int) -> Changes:
        at = event.occurred_at
        before = last_seen_before(profile, at, self._ends_after)
        page = _page_facts(event.properties)
        visit = visit_with_page(profile.visit, page, at, before, self._ends_after, pages=pages)
        return seen_at(profile, visit, at, self._ends_after)

    def _declared(self, profile: Profile, event: Event, teaches: bool) -> Changes:
        value = event.properties.get(self._value_names.get(event.type, ""))
        changes = _counted(profile, event, value)
        path = self._teaches.get(event.type)
        if path is not None and teaches and event.properties.get(GIFT) is not True:
            changes["interests"] = taught(profile.interests, event.properties, path, event.occurred_at)
        return changes | seen_at(profile, profile.visit, event.occurred_at, self._ends_after)

    def _kept_totals(self, profile: Profile, event: Event, _teaches: bool) -> Changes:
        kept = kept_totals_of(event)
        if kept is None:
            return {}
        added = kept.by(self._value_names.get(kept.of))
        first = seen_at(profile, profile.visit, added.first_at, self._ends_after)
        seen = changed(profile, first)
        last = seen_at(seen, seen.visit, added.last_at, self._ends_after)
        total = together(profile.totals.get(kept.of), added) or added
        return {"totals": having(profile.totals, kept.of, total), **first, **last}

    def _consent(self, profile: Profile, event: Event, _teaches: bool) -> Changes:
        given = consent_of(event.properties)
        if given is None:
            return {}
        consent, at = newest((profile.consent, profile.consent_at), given, event.occurred_at)
        decided = {"consent": consent, "consent_at": at}
        if given.forbids_identifier:
            return decided
        # The form's own page is shown again when the answer has been taken, and counts then.
        return decided | self._page(profile, event, pages=0)


def _by_type(counters: Sequence[Counter]) -> Mapping[str, tuple[Counter, ...]]:
    """The counters by event type; of those with one key the one that keeps most."""
    widest: dict[str, Counter] = {}
    for counter in counters:
        present = widest.get(counter.key)
        if present is None or present.limit < counter.limit:
            widest[counter.key] = counter
    types = {counter.event_type for counter in widest.values()}
    return {type_: tuple(c for c in widest.values() if c.event_type == type_) for type_ in types}


def _both(event: Event, rows: Mapping[str, Profile | None]) -> tuple[Profile, Profile]:
    """The known and the anonymous profile of a join, or of the undoing of one."""
    known_id, anonymous_id = event.profile_id, anonymous_of(event) or ""
    return rows.get(known_id) or Profile(known_id), rows.get(anonymous_id) or Profile(anonymous_id)


def _undone(event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile | Anew]:
    known, anonymous = _both(event, rows)
    return {known.profile_id: Anew(known), anonymous.profile_id: Anew(claimed(anonymous, known.profile_id))}


def _corrected(event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile | Anew]:
    return {event.profile_id: Anew(rows.get(event.profile_id) or Profile(event.profile_id))}


def _followed(event: Event, row: Profile | None) -> Joined | None:
    """The join that an event goes through to another profile: one that did not occur before it."""
    joined = None if row is None else row.joined
    return joined if joined is not None and event.occurred_at <= joined.at else None


def _comes_second(join: Event, joined: Joined) -> bool:
    """Whether the profile had been joined already when this join occurred, or with this very one."""
    return join.occurred_at > joined.at or (join.occurred_at == joined.at and join.profile_id == joined.into)


def _has_more_to_it(join: Event, known: Profile, anonymous: Profile) -> bool:
    """Whether a join does not simply take all that there is: somebody had refused, or something occurred after it."""
    if known.consent.forbids_identifier or anonymous.consent.forbids_identifier:
        return True
    at, until, latest = join.occurred_at, known.ties.joins_until, latest_of(anonymous)
    if (latest is not None and latest > at) or (known.consent_at is not None and known.consent_at > at):
        return True
    is_decided = known.consent.decided or anonymous.consent.decided
    return is_decided and until is not None and until >= at


def _is_minded(event: Event, profile: Profile) -> bool:
    """Whether a late event has more to it than itself: it was corrected before it arrived, or is a decision on consent
    that a join has to mind."""
    ties = profile.ties
    if ties is NO_TIES:
        return False
    if event.type == CONSENT:
        return ties.joins_until is not None and event.occurred_at <= ties.joins_until
    return name_of(event) in ties.awaits


def _one_more(profile: Profile, event: Event, _teaches: bool) -> Changes:
    return _counted(profile, event, None)


def _counted(profile: Profile, event: Event, value: JSONValue) -> Changes:
    total = with_one_more(profile.totals.get(event.type), event.occurred_at, amount_of(value))
    return {"totals": having(profile.totals, event.type, total)}


def _attributes(profile: Profile, event: Event, _teaches: bool) -> Changes:
    attributes, set_at_micros = profile.attributes, to_micros(event.occurred_at)
    from_join = event.profile_id != profile.profile_id
    for name, value in event.properties.items():
        said = AttributeValue(value, set_at_micros, from_join)
        attributes = having(attributes, name, newer(attributes.get(name), said))
    return {"attributes": attributes}


def _statement(profile: Profile, event: Event, _teaches: bool) -> Changes:
    statement = statement_of(event.properties)
    if statement is None:
        return {}
    tag, likes = statement
    said = AttributeValue(likes, to_micros(event.occurred_at), event.profile_id != profile.profile_id)
    return {"stated": having(profile.stated, tag, newer(profile.stated.get(tag), said))}


def _page_facts(properties: Mapping[str, JSONValue]) -> PageFacts:
    return PageFacts(
        path=_text(properties, "landing_path") or _text(properties, "path"),
        source=_text(properties, "source"),
        medium=_text(properties, "medium"),
        campaign=_text(properties, "campaign"),
    )


def _text(properties: Mapping[str, JSONValue], name: str) -> str | None:
    value = properties.get(name)
    return value if isinstance(value, str) else None
