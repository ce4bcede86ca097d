from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import Event, to_micros
from personalize.profiles.join import JOINED_KEPT, joined
from personalize.profiles.profile import AttributeValue, Joined, Profile, Ties, Visit
from personalize.visitors.consent import REFUSED, UNKNOWN, Consent, granting
from tests.profiles.histories import HAPPENINGS, event, join, minutes, projected

PAUSE = timedelta(minutes=30)
DAY = 24 * 60


def together(known: Profile, anonymous: Profile) -> Profile:
    return joined(known, anonymous, limits={"k": 3}, ends_after=PAUSE)


def attribute(value: str | None, at: float, *, from_join: bool = False) -> AttributeValue:
    return AttributeValue(value, to_micros(minutes(at)), from_join)


def test_the_anonymous_profile_is_poured_into_the_known_one() -> None:
    profiles = projected(
        [
            event("purchase", "v:a", minutes(1), {"amount": 100}),
            event("purchase", "u:1", minutes(2), {"amount": 200}),
            event("purchase", "v:a", minutes(3), {"amount": 300}),
            join("v:a", "u:1", minutes(4)),
        ]
    )
    total = profiles["u:1"].totals["purchase"]
    assert (total.count, total.sum, total.first_value, total.last_value) == (3, 600, 100, 300)
    assert (profiles["u:1"].first_seen_at, profiles["u:1"].last_seen_at) == (minutes(1), minutes(3))
    assert profiles["u:1"].joined_from == ("v:a",)
    assert profiles["u:1"].events == 4
    ties = Ties(claimed_by=("u:1",), joins_until=minutes(4))
    assert profiles["v:a"] == Profile("v:a", joined=Joined("u:1", minutes(4)), events=1, ties=ties)


def test_what_occurred_before_the_join_follows_it_and_what_occurred_after_stays() -> None:
    joining = join("v:a", "u:1", minutes(10))
    late, same, after = (event("search", "v:a", minutes(at)) for at in (9, 10, 11))
    profiles = projected([joining, late, same, after])
    assert profiles["u:1"].totals["search"].count == 2
    assert profiles["v:a"].totals["search"].count == 1


@pytest.mark.parametrize(("anonymous_id", "known_id"), [("u:2", "u:1"), ("v:a", "v:b"), ("", "u:1"), ("v:a", "x:1")])
def test_only_an_anonymous_profile_joins_and_only_a_known_one_takes_it(anonymous_id: str, known_id: str) -> None:
    before = [event("search", "v:a", minutes(0)), event("search", "u:2", minutes(0))]
    assert projected([*before, join(anonymous_id, known_id, minutes(1))]) == projected(before)


def test_a_join_that_names_nothing_changes_nothing() -> None:
    assert projected([event("join", "u:1", minutes(1), {"from": 5}), event("join", "u:1", minutes(1))]) == {}


@pytest.mark.parametrize("again", [join("v:a", "u:1", minutes(20)), join("v:a", "u:2", minutes(20))])
def test_a_profile_is_joined_once(again: Event) -> None:
    first = [event("search", "v:a", minutes(0)), join("v:a", "u:1", minutes(1)), event("search", "v:a", minutes(9))]
    profiles = projected([*first, again])
    assert profiles["u:1"] == projected(first)["u:1"]
    assert profiles["v:a"].joined == Joined("u:1", minutes(1))
    assert profiles.keys() == {"u:1", "v:a"}


def test_a_known_attribute_stays_whatever_the_anonymous_profile_was_told() -> None:
    known = Profile("u:1", attributes={"country": attribute("NO", 1), "tier": attribute(None, 1)})
    told = {name: attribute("SE", 5) for name in ("country", "tier", "city")}
    assert together(known, Profile("v:a", attributes=told)).attributes == {
        "country": attribute("NO", 1),
        "tier": attribute(None, 1),
        "city": attribute("SE", 5, from_join=True),
    }


def test_a_known_profile_that_is_told_later_overrules_what_came_by_a_join() -> None:
    profiles = projected(
        [
            event("set", "v:a", minutes(5), {"country": "SE"}),
            join("v:a", "u:1", minutes(6)),
            event("set", "u:1", minutes(1), {"country": "NO"}),
        ]
    )
    assert profiles["u:1"].attributes == {"country": attribute("NO", 1)}


def test_counters_keep_the_latest_times_of_both() -> None:
    known, anonymous = Profile("u:1", recent={"k": (1, 5, 9)}), Profile("v:a", recent={"k": (4, 6), "old": (7,)})
    assert together(known, anonymous).recent == {"k": (5, 6, 9), "old": (7,)}


def visit(number: int, start: float, end: float, path: str) -> Visit:
    return Visit(number, minutes(start), minutes(end), 2, path)


def with_visit(profile_id: str, its: Visit) -> Profile:
    return Profile(profile_id, visit=its, first_seen_at=its.started_at, last_seen_at=its.last_page_at)


def test_the_later_visit_goes_on_and_the_numbers_add_up() -> None:
    known = with_visit("u:1", visit(3, 0, 10, "/known"))
    anonymous = with_visit("v:a", visit(1, DAY, DAY + 5, "/anonymous"))
    expected = Visit(4, minutes(DAY), minutes(DAY + 5), 2, "/anonymous", previous_seen_at=minutes(10))
    assert together(known, anonymous).visit == expected
    assert together(anonymous, known).visit == expected


@pytest.mark.parametrize("pause", [-5, 0, 30])
def test_visits_without_a_pause_between_them_are_one(pause: float) -> None:
    known = with_visit("u:1", visit(3, 10 + pause, 20 + pause, "/known"))
    anonymous = with_visit("v:a", visit(1, 0, 10, "/anonymous"))
    assert together(known, anonymous).visit == Visit(3, minutes(0), minutes(20 + pause), 4, "/anonymous")


def test_a_login_does_not_split_the_visit_whichever_arrives_first() -> None:
    anonymous = [event("page_view", "v:a", minutes(at), {"path": f"/{at}"}) for at in (0, 1)]
    known = event("page_view", "u:1", minutes(2), {"path": "/2"})
    joining = join("v:a", "u:1", minutes(2))
    orders = [
        [*anonymous, joining, known],
        [*anonymous, known, joining],
        [known, joining, *anonymous],
        [joining, *reversed(anonymous), known],
    ]
    expected = Visit(1, minutes(0), minutes(2), 3, "/0")
    assert [projected(order)["u:1"].visit for order in orders] == [expected] * 4


def test_a_visit_before_the_join_is_seen_before_the_visit_that_goes_on() -> None:
    known = Profile("u:1", first_seen_at=minutes(0), last_seen_at=minutes(5 * DAY + 1))
    anonymous = with_visit("v:a", visit(1, 5 * DAY, 5 * DAY + 5, "/"))
    both = together(known, anonymous)
    assert both.visit is not None
    assert both.visit.previous_seen_at is None, "a minute into the visit is not before it"
    anonymous = with_visit("v:a", visit(1, 6 * DAY, 6 * DAY, "/"))
    both = together(known, anonymous)
    assert both.visit is not None
    assert both.visit.previous_seen_at == both.seen_before_at == minutes(5 * DAY + 1)


BOTH = granting(["measure", "personalize"])
MEASURE = granting(["measure"])


@pytest.mark.trust
@pytest.mark.parametrize(
    ("known", "anonymous", "expected"),
    [(UNKNOWN, BOTH, BOTH), (BOTH, UNKNOWN, BOTH), (BOTH, MEASURE, MEASURE), (MEASURE, BOTH, MEASURE)],
)
def test_the_stricter_of_two_decisions_holds(known: Consent, anonymous: Consent, expected: Consent) -> None:
    assert together(Profile("u:1", consent=known), Profile("v:a", consent=anonymous)).consent == expected


@pytest.mark.trust
@pytest.mark.planted
@pytest.mark.sources
def test_a_join_that_takes_the_looser_of_two_decisions_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize.profiles.join.stricter", lambda one, other: max(one, other, key=_granted))
    with pytest.raises(AssertionError):
        test_the_stricter_of_two_decisions_holds(BOTH, MEASURE, MEASURE)


def _granted(consent: Consent) -> int:
    return len(consent.granted or ())


def decided(profile_id: str, at: float, granted: list[str]) -> Event:
    return event("consent", profile_id, minutes(at), {"granted": granted})


@pytest.mark.trust
def test_nothing_moves_where_one_side_has_refused() -> None:
    searches = [event("search", profile_id, minutes(0)) for profile_id in ("v:a", "u:1")]
    for refusing in ("v:a", "u:1"):
        before = [*searches, decided("v:a", 1, ["measure"]), decided("u:1", 1, ["measure"]), decided(refusing, 2, [])]
        profiles = projected([*before, join("v:a", "u:1", minutes(3))])
        assert {key: row.totals["search"].count for key, row in profiles.items()} == {"v:a": 1, "u:1": 1}
        assert profiles["u:1"].consent == REFUSED
        assert profiles["v:a"].joined is None


def test_a_decision_that_follows_a_join_late_cannot_loosen_what_holds() -> None:
    start = [decided("u:1", 1, ["measure"]), join("v:a", "u:1", minutes(5))]
    assert projected([*start, decided("v:a", 3, ["measure", "personalize"])])["u:1"].consent == MEASURE
    assert projected([*start, decided("v:a", 3, [])])["u:1"].consent == REFUSED
    newer = decided("u:1", 6, ["measure", "personalize"])
    assert projected([*start, newer, decided("v:a", 3, [])])["u:1"].consent == BOTH


def test_a_known_profile_names_a_bounded_number_of_those_that_went_in() -> None:
    profiles = projected([join(f"v:{number}", "u:1", minutes(number)) for number in range(60)])
    assert profiles["u:1"].joined_from == tuple(f"v:{number}" for number in range(60 - JOINED_KEPT, 60))


@st.composite
def joined_histories(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Two browsers that are joined to one login, no two events at one moment, in the order of time and in another.

    Anonymous events come before their join; after it that browser has another id.
    """
    happenings = draw(st.lists(st.tuples(HAPPENINGS, st.sampled_from(["v:a", "v:b", "u:1"])), max_size=15))
    times = draw(st.lists(st.integers(0, 3000), min_size=len(happenings), max_size=len(happenings), unique=True))
    events = [
        event(type_, profile_id, minutes(at + (4000 if late and profile_id == "u:1" else 0)), properties)
        for at, ((type_, properties), profile_id), late in zip(
            times, happenings, draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times))), strict=True
        )
    ]
    events += [join("v:a", "u:1", minutes(3500)), join("v:b", "u:1", minutes(3501))]
    return sorted(events, key=lambda event: event.occurred_at), draw(st.permutations(events))


def promised(profile: Profile) -> tuple[object, ...]:
    return (
        profile.attributes,
        profile.totals,
        profile.recent,
        profile.first_seen_at,
        profile.last_seen_at,
        sorted(profile.joined_from),
        profile.joined,
        profile.events,
    )


@given(joined_histories())
def test_joins_and_what_occurred_before_them_may_arrive_in_any_order(both: tuple[list[Event], list[Event]]) -> None:
    in_order, shuffled = (projected(events) for events in both)
    assert {key: promised(row) for key, row in in_order.items()} == {
        key: promised(row) for key, row in shuffled.items()
    }


@given(joined_histories(), st.data())
def test_a_join_that_is_told_again_changes_nothing(both: tuple[list[Event], list[Event]], data: st.DataObject) -> None:
    _, log = both
    again = data.draw(st.sampled_from([entry for entry in log if entry.type == "join"]))
    place = data.draw(st.integers(log.index(again) + 1, len(log)))
    assert projected([*log[:place], again, *log[place:]]) == projected(log)
