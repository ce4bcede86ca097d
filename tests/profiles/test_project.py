from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import Event, to_micros
from personalize.profiles.counters import Counter
from personalize.profiles.lifecycle import Lifecycle, is_new
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.profiles.replay import Anew
from personalize.visitors.consent import REFUSED, granting
from tests.profiles.histories import HAPPENINGS, Rows, event, join, minutes, projected, projector

BOTH = ["measure", "personalize"]


def one(*events: Event) -> Profile:
    """The only profile that these events make."""
    (profile,) = projected(events).values()
    return profile


def page(at: float, path: str = "/", **facts: str) -> Event:
    return event("page_view", "v:a", minutes(at), {"path": path, **facts})


def consent(at: float, granted: Any, profile_id: str = "v:a", **facts: str) -> Event:
    return event("consent", profile_id, minutes(at), {"granted": granted, **facts})


def purchase(at: float, amount: int | None = None, profile_id: str = "v:a") -> Event:
    return event("purchase", profile_id, minutes(at), {} if amount is None else {"amount": amount})


def test_a_declared_event_adds_to_its_totals_and_counters() -> None:
    profile = one(purchase(2, 2000), purchase(1, 6000), purchase(3, 1000))
    total = profile.totals["purchase"]
    assert (total.count, total.sum, total.first_value, total.last_value) == (3, 9000, 6000, 1000)
    assert (profile.first_seen_at, profile.last_seen_at) == (minutes(1), minutes(3))
    assert profile.recent == {
        "purchase-any": tuple(to_micros(minutes(at)) for at in (1, 2, 3)),
        "purchase-large": (to_micros(minutes(1)),),
    }
    assert profile.events == 3
    assert profile.visit is None


def test_a_type_without_a_value_is_counted_and_sums_to_zero() -> None:
    profile = one(event("search", "v:a", minutes(0), {"amount": 5}), event("gone", "v:a", minutes(0)))
    assert {type_: (total.count, total.sum) for type_, total in profile.totals.items()} == {
        "search": (1, 0),
        "gone": (1, 0),
    }


def test_numbers_that_are_no_money_stay_exact() -> None:
    ratings = [event("rating", "v:a", minutes(at), {"stars": Decimal("0.1")}) for at in range(3)]
    assert one(*ratings).totals["rating"].sum == Decimal("0.3")


@pytest.mark.parametrize("type_", ["impression", "click"])
def test_what_a_page_shows_is_counted_and_begins_no_visit(type_: str) -> None:
    profile = one(event(type_, "v:a", minutes(0), {"slot": "home-hero"}))
    assert profile.totals[type_].count == 1
    assert (profile.visit, profile.last_seen_at) == (None, None)


def test_page_views_make_visits() -> None:
    profile = one(page(0, "/", source="google"), page(10), page(50, "/tents", medium="mail", campaign="may"))
    assert profile.visit is not None
    assert (profile.visit.number, profile.visit.pages, profile.visit.landing_path) == (2, 1, "/tents")
    assert (profile.visit.source, profile.visit.medium, profile.visit.campaign) == (None, "mail", "may")
    assert profile.visit.previous_seen_at == minutes(10)
    assert profile.totals == {}


@given(st.lists(st.integers(0, 400), min_size=1, max_size=20))
def test_visits_are_the_runs_of_page_views_without_a_long_pause(times: list[int]) -> None:
    times.sort()
    begins = [at for before, at in zip([-999, *times], times, strict=False) if at - before > 30]
    visit = one(*(page(at) for at in times)).visit
    assert visit is not None
    assert (visit.number, visit.started_at) == (len(begins), minutes(begins[-1]))
    assert visit.pages == len([at for at in times if at >= begins[-1]])
    earlier = [at for at in times if at < begins[-1]]
    assert visit.previous_seen_at == (minutes(earlier[-1]) if earlier else None)


@given(st.permutations([(at, f"/{at}") for at in range(0, 30, 3)]))
def test_the_pages_of_one_visit_may_arrive_in_any_order(pages: list[tuple[int, str]]) -> None:
    visit = one(*(page(at, path) for at, path in pages)).visit
    assert visit == one(*(page(at, path) for at, path in sorted(pages))).visit


@pytest.mark.parametrize("recorded_first", [True, False])
def test_what_the_first_page_records_itself_does_not_make_its_visitor_an_old_one(recorded_first: bool) -> None:
    events = [event("search", "v:a", minutes(0.01)), page(0)]
    profile = one(*(events if recorded_first else reversed(events)))
    assert is_new(profile, profile.visit, minutes(1), Lifecycle())


def test_what_a_page_records_itself_does_not_hide_when_the_visitor_was_here_before() -> None:
    day = 24 * 60
    profile = one(purchase(0, 500), purchase(100 * day, 700), page(100 * day))
    assert profile.visit is not None
    assert profile.visit.previous_seen_at == minutes(0)


def test_an_attribute_that_is_set_stays_until_a_newer_event_says_otherwise() -> None:
    def country(at: float, value: str | None) -> Event:
        return event("set", "v:a", minutes(at), {"country": value})

    assert one(country(1, "NO"), country(2, "SE")).attributes["country"].value == "SE"
    assert one(country(2, "SE"), country(1, "NO")).attributes["country"].value == "SE"
    assert one(country(1, "NO"), country(1, "SE")).attributes["country"].value == "SE"
    assert one(country(1, "NO"), country(2, None)).attributes["country"].value is None
    assert one(country(2, None), country(1, "NO")).attributes["country"].value is None


def test_consent_begins_a_visit_with_the_facts_of_the_page_where_it_was_asked() -> None:
    asked = consent(0, BOTH, landing_path="/tents", source="google", medium="cpc", campaign="may")
    begun = one(asked).visit
    assert begun is not None
    assert (begun.number, begun.pages, begun.landing_path, begun.source) == (1, 0, "/tents", "google")
    shown_again = one(asked, page(0.1, "/tents")).visit
    assert shown_again is not None
    assert (shown_again.number, shown_again.pages, shown_again.source) == (1, 1, "google")
    assert one(page(0.1, "/tents"), asked).visit == shown_again


def test_consent_amid_a_visit_counts_no_page_and_leaves_its_source() -> None:
    visit = one(page(0, "/", source="mail"), consent(1, BOTH, landing_path="/tents", source="google")).visit
    assert visit is not None
    assert (visit.number, visit.pages, visit.source, visit.landing_path) == (1, 1, "mail", "/")


def test_the_newest_decision_holds_and_the_stricter_of_two_as_old() -> None:
    assert one(consent(1, BOTH), consent(2, ["measure"])).consent == granting(["measure"])
    assert one(consent(2, ["measure"]), consent(1, BOTH)).consent == granting(["measure"])
    assert one(consent(1, BOTH), consent(1, [])).consent == REFUSED
    assert one(consent(1, []), consent(1, BOTH)).consent == REFUSED


def test_a_refusal_begins_no_visit() -> None:
    refused = one(consent(0, []))
    assert (refused.consent, refused.visit, refused.first_seen_at) == (REFUSED, None, None)


@pytest.mark.parametrize("granted", [None, "personalize", 5])
def test_consent_that_says_nothing_decides_nothing(granted: Any) -> None:
    assert one(consent(0, granted)).consent.granted is None


@pytest.mark.parametrize("type_", ["page_view", "consent", "purchase", "set"])
def test_properties_of_the_wrong_kind_are_left_out(type_: str) -> None:
    properties = {"path": 5, "source": ["x"], "amount": "12", "granted": [5]}
    profile = one(event(type_, "v:a", minutes(0), properties))
    assert profile.events == 1
    assert profile.visit is None or profile.visit.landing_path is None
    assert all(total.sum == 0 for total in profile.totals.values())


def without_arrival(profile: Profile) -> tuple[object, ...]:
    """What the projector promises to be the same in whatever order events of different moments arrive."""
    return (
        profile.attributes,
        profile.totals,
        profile.recent,
        profile.first_seen_at,
        profile.last_seen_at,
        profile.consent,
        profile.events,
    )


consents = st.tuples(
    st.just("consent"),
    st.fixed_dictionaries({"granted": st.lists(st.sampled_from(BOTH), unique=True, max_size=2)}),
)


@st.composite
def histories_in_two_orders(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    happenings = draw(st.lists(HAPPENINGS | consents, max_size=15))
    times = draw(st.lists(st.integers(0, 3000), min_size=len(happenings), max_size=len(happenings), unique=True))
    events = [
        event(type_, "v:a", minutes(at), properties) for at, (type_, properties) in zip(times, happenings, strict=True)
    ]
    return sorted(events, key=lambda event: event.occurred_at), draw(st.permutations(events))


@given(histories_in_two_orders())
def test_late_events_give_what_the_same_events_in_order_give(both: tuple[list[Event], list[Event]]) -> None:
    in_order, shuffled = (projected(events).get("v:a", Profile("v:a")) for events in both)
    assert without_arrival(in_order) == without_arrival(shuffled)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A log of several visitors with joins of every kind, also such as nothing may follow from."""
    ids = st.sampled_from(["v:a", "v:b", "u:1", "u:2"])
    entries = st.tuples(st.one_of(HAPPENINGS, consents, st.tuples(st.just("join"), st.builds(_joining, ids))), ids)
    return [
        event(type_, profile_id, minutes(draw(st.integers(0, 120))), properties)
        for (type_, properties), profile_id in draw(st.lists(entries, max_size=25))
    ]


def _joining(anonymous_id: str) -> Mapping[str, str]:
    return {"from": anonymous_id}


@given(logs(), st.integers(1, 9))
def test_rebuilt_equals_live_whatever_the_batches(log: Sequence[Event], batch: int) -> None:
    rebuilt = Rows(projector())
    rebuilt.apply(log)
    assert projected(log, batch) == rebuilt.profiles()


@given(logs())
def test_no_event_is_lost_or_counted_twice_whoever_joins_whom(log: Sequence[Event]) -> None:
    profiles = projected(log).values()
    for type_ in ("purchase", "rating"):
        happened = [event for event in log if event.type == type_]
        totals = [profile.totals[type_] for profile in profiles if type_ in profile.totals]
        assert sum(total.count for total in totals) == len(happened)
        values = [event.properties.get("amount" if type_ == "purchase" else "stars") for event in happened]
        assert sum(total.sum for total in totals) == sum(value or 0 for value in values)  # type: ignore[misc]


@given(logs())
def test_only_what_was_named_is_read_and_written(log: Sequence[Event]) -> None:
    rows: dict[str, Profile | None] = dict.fromkeys(["v:a", "v:b", "u:1", "u:2"])
    asked = projector()
    for entry in log:
        changed = asked.project(entry, rows)
        assert set(changed) <= set(asked.reads(entry, rows))
        rows.update((key, row.row if isinstance(row, Anew) else row) for key, row in changed.items())


def test_a_counter_named_twice_keeps_as_many_times_as_the_larger_asks_for() -> None:
    twice = [Counter("k", "search", limit, lambda _properties: True) for limit in (1, 3, 2)]
    rows: dict[str, Profile | None] = {}
    for at in range(5):
        rows.update(ProfileProjector(counters=twice).project(event("search", "v:a", minutes(at)), rows))
    assert rows["v:a"] is not None
    assert len(rows["v:a"].recent["k"]) == 3


def test_the_projection_is_called_profiles() -> None:
    assert projector().name == "profiles"


def test_a_join_reads_both_rows() -> None:
    assert projector().reads(join("v:a", "u:1", minutes(0)), {}) == ("u:1", "v:a")
