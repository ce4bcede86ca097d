from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import Event, JSONValue, to_micros
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.profiles.interests import (
    LONGEST_TAG,
    TIMES_OF_ALL,
    TIMES_OF_TAG,
    Interests,
    strength,
    strongest,
    taught,
    together,
)
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from tests.profiles.histories import Rows, event, join, minutes

MONTH = timedelta(days=30)
NOW = minutes(0)
PATH = ("items", "category")
SCHEMA = Schema(events={"order": EventType("order", {"tags": Shape(ValueType.LIST)}, interest="tags")})

#: Few tags and moments, so that the bounds, equal moments and the same tag twice in one event come up all the time.
LESSONS = st.lists(st.tuples(st.lists(st.sampled_from("ABCa"), max_size=3), st.integers(0, 60)), max_size=60)
#: Many tags, each taught a few times: together more than a profile keeps.
CROWDS = st.lists(st.tuples(st.lists(st.sampled_from(range(40)), max_size=12), st.integers(0, 30)), max_size=60).map(
    lambda lessons: [([str(tag) for tag in tags], at) for tags, at in lessons]
)


def lived(lessons: list[tuple[list[str], int]]) -> Interests:
    """The interests after all these events, each with its tags and its minute."""
    interests: Interests = {}
    for tags, at in lessons:
        interests = taught(interests, {"tags": list(tags)}, ("tags",), minutes(at))
    return interests


@given(st.one_of(LESSONS, CROWDS), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_two_joined_profiles_give_the_same_interests(lessons, random, data) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(lessons)
    random.shuffle(shuffled)
    cut = data.draw(st.integers(0, len(shuffled)))
    expected = lived(lessons)
    assert lived(shuffled) == expected
    assert together(lived(shuffled[:cut]), lived(shuffled[cut:])) == expected
    assert together(lived(shuffled[cut:]), lived(shuffled[:cut])) == expected
    assert all(len(times) <= TIMES_OF_TAG for times in expected.values())
    assert sum(map(len, expected.values())) <= TIMES_OF_ALL


def test_the_latest_stay_where_more_is_taught_than_a_profile_keeps() -> None:
    often = lived([(["tents"], at) for at in range(TIMES_OF_TAG + 5)])
    assert often == {"tents": tuple(to_micros(minutes(at)) for at in range(5, TIMES_OF_TAG + 5))}
    much = lived([([f"tag {at}"], at) for at in range(TIMES_OF_ALL + 5)])
    assert set(much) == {f"tag {at}" for at in range(5, TIMES_OF_ALL + 5)}


def test_two_events_at_one_moment_teach_twice_and_one_event_teaches_each_tag_once() -> None:
    at = to_micros(minutes(1))
    assert lived([(["tents", "TENTS"], 1)]) == {"tents": (at,)}
    assert lived([(["tents"], 1), (["tents"], 1)]) == {"tents": (at, at)}
    assert together({"tents": (at,)}, {"tents": (at,)}) == {"tents": (at, at)}


@pytest.mark.parametrize(
    ("properties", "tags"),
    [
        ({"items": [{"category": "Tents"}, {"category": " tents "}, {"category": "Stoves"}]}, {"tents", "stoves"}),
        ({"items": {"category": ["a", "b"]}}, {"a", "b"}),
        ({"items": [{"category": 5}, {"price": 3}, "tents", None, {"category": ""}, {"category": "  "}]}, set()),
        ({"items": [{"category": "x" * (LONGEST_TAG + 1)}, {"category": "ok"}]}, {"ok"}),
        ({}, set()),
    ],
)
def test_a_path_leads_to_texts_through_lists_and_mappings(properties: Mapping[str, JSONValue], tags: set[str]) -> None:
    assert taught({}, properties, PATH, NOW) == {tag: (to_micros(NOW),) for tag in tags}


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ((), "0.000"),
        ((0,), "0.500"),
        ((0, 0), "0.750"),
        ((30,), "0.293"),
        ((60,), "0.159"),
        ((0, 30), "0.646"),
        ((-5,), "0.500"),
        ((36500,), "0.000"),
        ((0,) * TIMES_OF_TAG, "1.000"),
    ],
)
def test_strength_grows_with_every_time_and_halves_its_weight_every_half_life(
    ages: tuple[int, ...], expected: str
) -> None:
    times = [to_micros(NOW - timedelta(days=age)) for age in ages]
    assert str(strength(times, NOW, MONTH)) == expected


def test_another_half_life_counts_at_once() -> None:
    month_ago = (to_micros(NOW - MONTH),)
    assert strength(month_ago, NOW, MONTH) < Decimal("0.3") < Decimal("0.4") < strength(month_ago, NOW, 12 * MONTH)


def test_the_strongest_is_what_is_liked_best_now_and_by_name_among_equals() -> None:
    now, long_ago = to_micros(NOW), to_micros(NOW - 10 * MONTH)
    assert strongest({"often": (long_ago,) * 9, "lately": (now,)}, NOW, MONTH) == "lately"
    assert strongest({"b": (now,), "a": (now,)}, NOW, MONTH) == "a"
    assert strongest({}, NOW, MONTH) is None


def projected(*events: Event) -> Mapping[str, Profile]:
    rows = Rows(ProfileProjector(SCHEMA))
    rows.apply(events)
    return rows.profiles()


def test_an_event_teaches_whoever_did_it_and_a_login_brings_it_along() -> None:
    early, late = (event("order", "v:a", minutes(at), {"tags": ["Tents"]}) for at in (1, 2))
    own = event("order", "u:1", minutes(3), {"tags": ["stoves"]})
    other = event("undeclared", "u:1", minutes(3), {"tags": ["lamps"]})
    login = join("v:a", "u:1", minutes(4))
    expected = {"tents": tuple(to_micros(minutes(at)) for at in (1, 2)), "stoves": (to_micros(minutes(3)),)}
    for order in ((early, late, own, other, login), (late, own, login, early, other)):
        profiles = projected(*order)
        assert profiles["u:1"].interests == expected
        assert profiles["v:a"].interests == {}
