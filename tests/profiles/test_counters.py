from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import to_micros
from personalize.profiles.counters import MOST_TIMES, Counter, merged, room_for, with_event
from tests.profiles.histories import COUNTERS, event, is_large, minutes


def all_of(limit: int) -> Counter:
    return Counter("k", "purchase", limit, lambda _properties: True)


@given(st.lists(st.integers(-50, 50)), st.integers(1, 7))
def test_a_counter_keeps_the_latest_times_in_order_whatever_the_order_of_arrival(times: list[int], limit: int) -> None:
    recent = {}
    for number in times:
        recent = with_event(recent, [all_of(limit)], event("purchase", "v:a", minutes(number)))
    expected = sorted(to_micros(minutes(number)) for number in times)[-limit:]
    assert recent.get("k", ()) == tuple(expected)


def test_only_events_of_the_type_that_pass_the_filter_count() -> None:
    recent = {}
    for type_, amount in (("purchase", 100), ("purchase", 5000), ("search", 9000), ("purchase", 7000)):
        recent = with_event(recent, COUNTERS, event(type_, "v:a", minutes(0), {"amount": amount}))
    assert {key: len(times) for key, times in recent.items()} == {"purchase-any": 3, "purchase-large": 2}


def test_two_events_of_one_moment_count_twice() -> None:
    purchase = event("purchase", "v:a", minutes(1))
    once = with_event({}, [all_of(5)], purchase)
    assert with_event(once, [all_of(5)], purchase)["k"] == (to_micros(minutes(1)),) * 2


def test_times_are_kept_to_the_microsecond() -> None:
    at = minutes(0) + timedelta(microseconds=1)
    assert with_event({}, [all_of(1)], event("purchase", "v:a", at))["k"] == (to_micros(minutes(0)) + 1,)


def test_counters_of_another_rule_set_stay_as_they_are() -> None:
    recent = with_event({"other": (1, 2)}, COUNTERS, event("purchase", "v:a", minutes(0)))
    assert recent["other"] == (1, 2)


def test_an_event_that_no_counter_asks_for_changes_nothing() -> None:
    recent = {"k": (1,)}
    large = Counter("k", "purchase", 2, is_large)
    assert with_event(recent, [large], event("purchase", "v:a", minutes(0), {"amount": 1})) is recent


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_counter_keeps_at_least_one_and_at_most_a_thousand_times(limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        all_of(limit)


@given(st.lists(st.integers()), st.lists(st.integers()), st.integers(1, 5))
def test_two_counters_together_keep_the_latest_of_both(one: list[int], other: list[int], limit: int) -> None:
    assert merged(tuple(one), tuple(other), limit) == tuple(sorted(one + other)[-limit:])


def test_a_counter_has_room_for_what_is_asked_and_seldom_needs_more() -> None:
    rooms = [room_for(count) for count in range(1, MOST_TIMES + 1)]
    assert all(count <= room <= 4 * count for count, room in enumerate(rooms, start=1))
    assert sorted(set(rooms)) == [3, 10, 30, 100, 300, MOST_TIMES]
