"""Laws of a log that tells the truth later: corrections, joins that are undone, and whatever arrives late."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.event import Event, JSONValue
from personalize.profiles.profile import NO_TIES, Profile
from personalize.profiles.project import ProfileProjector
from tests.profiles.histories import COUNTERS, SCHEMA, Rows, minutes
from tests.trust.trials import trials

#: How many logs are drawn for each law.
MOST_LOGS = trials(40, 3_000)
pytestmark = pytest.mark.trust(tries=MOST_LOGS)
BROWSERS = ("v:a", "v:b", "v:c")
LOGINS = ("u:1", "u:2")
EVERYBODY = (*BROWSERS, *LOGINS)
#: Events e0 to e7 happen; corrections name these.
HAPPENING = [f"e{number}" for number in range(8)]
_tags = st.lists(st.sampled_from(["tents", "maps", "stoves"]), min_size=1, max_size=2)
_granted = st.lists(st.sampled_from(["measure", "personalize"]), unique=True, max_size=2)
_WHAT = {
    "purchase": st.fixed_dictionaries({"amount": st.integers(-9000, 9000), "tags": _tags, "gift": st.booleans()}),
    "set": st.fixed_dictionaries({"country": st.sampled_from(["NO", "SE", None])}),
    "click": st.just({}),
}


def one(type_: str, profile_id: str, at: float, event_id: str, properties: Mapping[str, JSONValue]) -> Event:
    """An event of the till."""
    return Event(event_id, "till", type_, profile_id, minutes(at), minutes(at), properties)


@st.composite
def happenings(draw: st.DrawFn) -> list[Event]:
    """What some people did: no two things at one moment."""
    times = draw(st.lists(st.integers(0, 100), min_size=len(HAPPENING), max_size=len(HAPPENING), unique=True))
    kinds = [draw(st.sampled_from(sorted(_WHAT))) for _ in times]
    return [
        one(kind, draw(st.sampled_from(EVERYBODY)), at, event_id, draw(_WHAT[kind]))
        for kind, at, event_id in zip(kinds, times, HAPPENING, strict=True)
    ]


@st.composite
def decisions(draw: st.DrawFn) -> list[Event]:
    """Joins, undone ones, consents and corrections among the same people, at moments of their own."""
    known, anonymous = st.sampled_from(LOGINS), st.sampled_from(BROWSERS)
    named = st.sampled_from(HAPPENING).map(lambda event_id: {"event_id": event_id})
    between = anonymous.map(lambda anonymous_id: {"from": anonymous_id})
    kinds = st.one_of(
        st.tuples(st.just("join"), known, between),
        st.tuples(st.just("join"), known, between),
        st.tuples(st.just("undo"), known, between),
        st.tuples(st.just("consent"), st.sampled_from(EVERYBODY), _granted.map(lambda granted: {"granted": granted})),
        st.tuples(st.sampled_from(["retract", "mark"]), st.sampled_from(EVERYBODY), named),
    )
    drawn = draw(st.lists(kinds, max_size=7))
    times = draw(st.lists(st.integers(0, 100), min_size=len(drawn), max_size=len(drawn), unique=True))
    return [
        one(type_, profile_id, at + 0.5, f"d{number}", properties)
        for number, (at, (type_, profile_id, properties)) in enumerate(zip(times, drawn, strict=True))
    ]


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """All of that, as it may have arrived."""
    return draw(st.permutations(draw(happenings()) + draw(decisions())))


TEACHING = replace(SCHEMA, events={**SCHEMA.events, "purchase": replace(SCHEMA.events["purchase"], interest="tags")})


def told(log: Sequence[Event], cuts: Sequence[int] = ()) -> Mapping[str, Profile]:
    """The profiles that a log makes, arriving in batches that end at these places."""
    rows = Rows(ProfileProjector(TEACHING, COUNTERS))
    ends = [*sorted(cut for cut in cuts if cut < len(log)), len(log)]
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        rows.apply(log[begin:end])
    return rows.profiles()


def one_by_one(log: Sequence[Event]) -> Mapping[str, Profile]:
    """The same, event after event: as a site lives it."""
    return told(log, range(1, len(log)))


def facts(profiles: Mapping[str, Profile]) -> Mapping[str, object]:
    """What of profiles does not depend on the order of arrival; those of which there is nothing left out.

    A visit, and when somebody was seen before it, take in what arrives late as far as it belongs to them; a unit is
    what a page was filled by.
    """
    return {
        key: replace(row, visit=None, seen_before_at=None, unit=None, joined_from=tuple(sorted(row.joined_from)))
        for key, row in profiles.items()
        if row != Profile(key)
    }


def known_of(profiles: Mapping[str, Profile]) -> Mapping[str, object]:
    """What rules may read of profiles: all but the marks for late events."""
    bare = {key: replace(row, ties=NO_TIES) for key, row in profiles.items()}
    return {key: row for key, row in bare.items() if row != Profile(key)}


@settings(max_examples=MOST_LOGS)
@given(logs(), st.data())
def test_in_whatever_order_everything_arrives_the_profiles_are_the_same(log: list[Event], data: st.DataObject) -> None:
    assert facts(one_by_one(data.draw(st.permutations(log)))) == facts(one_by_one(log))


@settings(max_examples=MOST_LOGS)
@given(logs(), st.lists(st.integers(1, 14), max_size=4))
def test_how_the_log_falls_into_batches_makes_no_difference(log: list[Event], cuts: list[int]) -> None:
    assert told(log, sorted(set(cuts))) == one_by_one(log)


@settings(max_examples=MOST_LOGS)
@given(logs(), st.data())
def test_what_is_retracted_by_whom_it_is_of_is_as_if_it_had_not_been_sent(
    log: list[Event], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from([event for event in log if event.event_id in HAPPENING]))
    place = data.draw(st.integers(0, len(log)))
    retraction = one("retract", gone.profile_id, 200, "r", {"event_id": gone.event_id})
    without = [event for event in log if event != gone]
    profiles = one_by_one([*log[:place], retraction, *log[place:]])
    assert known_of(profiles) == known_of(one_by_one(without))


@settings(max_examples=MOST_LOGS)
@given(logs(), st.sampled_from(["retract", "mark"]), st.data())
def test_a_strangers_correction_changes_nothing(log: list[Event], type_: str, data: st.DataObject) -> None:
    of = data.draw(st.sampled_from([event for event in log if event.event_id in HAPPENING]))
    place = data.draw(st.integers(0, len(log)))
    correction = one(type_, "u:3", 200, "r", {"event_id": of.event_id})
    profiles = dict(one_by_one([*log[:place], correction, *log[place:]]))
    assert profiles.pop("u:3").totals == {}
    assert profiles == one_by_one(log)


@settings(max_examples=MOST_LOGS)
@given(logs(), st.data())
def test_a_mark_makes_an_event_what_it_would_be_as_a_gift(log: list[Event], data: st.DataObject) -> None:
    of = data.draw(st.sampled_from([event for event in log if event.event_id in HAPPENING]))
    place = data.draw(st.integers(0, len(log)))
    mark = one("mark", of.profile_id, 200, "m", {"event_id": of.event_id, "as": "gift"})
    sent_so = [replace(event, properties={**event.properties, "gift": True}) if event == of else event for event in log]
    if of.type == "purchase":
        profiles = one_by_one([*log[:place], mark, *log[place:]])
        assert known_of(profiles) == known_of(one_by_one(sent_so))


@settings(max_examples=MOST_LOGS)
@given(logs(), st.data())
def test_a_join_that_is_undone_is_as_if_it_had_not_been(log: list[Event], data: st.DataObject) -> None:
    known, anonymous = data.draw(st.sampled_from(LOGINS)), data.draw(st.sampled_from(BROWSERS))
    joins = [
        event
        for event in log
        if event.type == "join" and (event.profile_id, event.properties["from"]) == (known, anonymous)
    ]
    place = data.draw(st.integers(0, len(log)))
    undo = one("undo", known, 200, "u", {"from": anonymous})
    without = [event for event in log if event not in joins]
    assert known_of(one_by_one([*log[:place], undo, *log[place:]])) == known_of(one_by_one(without))


@settings(max_examples=MOST_LOGS)
@given(logs(), st.data())
def test_what_is_told_twice_changes_nothing(log: list[Event], data: st.DataObject) -> None:
    again = data.draw(
        st.sampled_from([event for event in log if event.type in ("join", "undo", "retract", "mark")] or log)
    )
    if again.event_id not in HAPPENING and again.type != "consent":
        later = replace(again, event_id="again", occurred_at=again.occurred_at + timedelta(seconds=1))
        place = data.draw(st.integers(log.index(again) + 1, len(log)))
        assert known_of(one_by_one([*log[:place], later, *log[place:]])) == known_of(one_by_one(log))


@settings(max_examples=MOST_LOGS)
@given(logs())
def test_no_login_has_anything_of_another(log: list[Event]) -> None:
    profiles = one_by_one(log)
    for login in LOGINS:
        browsers = {key for key, row in profiles.items() if row.joined is not None and row.joined.into == login}
        theirs = [event for event in log if event.profile_id in (login, *browsers)]
        alone = one_by_one(theirs)
        assert login not in profiles or profiles[login].totals == alone[login].totals
