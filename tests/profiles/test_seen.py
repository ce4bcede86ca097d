from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from personalize.profiles.profile import Profile, Visit
from personalize.profiles.seen import last_seen_before, latest_before, seen_at
from tests.profiles.histories import minutes

PAUSE = timedelta(minutes=30)
DAY = 24 * 60


def seen(*times: float) -> Profile:
    profile = Profile("v:a")
    for at in times:
        profile = seen_again(profile, at)
    return profile


def seen_again(profile: Profile, at: float) -> Profile:
    return replace(profile, **seen_at(profile, profile.visit, minutes(at), PAUSE))


@given(st.lists(st.integers(0, 500), min_size=1))
def test_first_and_last_are_the_same_in_any_order(times: list[int]) -> None:
    profile = seen(*times)
    assert (profile.first_seen_at, profile.last_seen_at) == (minutes(min(times)), minutes(max(times)))


def test_what_was_recorded_shortly_before_the_first_page_belongs_to_its_visit() -> None:
    profile = seen(0, 100 * DAY)
    assert last_seen_before(profile, minutes(100 * DAY + 1), PAUSE) == minutes(0)


def test_who_was_last_seen_longer_than_a_pause_ago_was_seen_before_the_visit() -> None:
    assert last_seen_before(seen(0, 100 * DAY), minutes(101 * DAY), PAUSE) == minutes(100 * DAY)


def test_nobody_was_seen_before_their_first_visit() -> None:
    assert last_seen_before(Profile("v:a"), minutes(0), PAUSE) is None
    assert last_seen_before(seen(0), minutes(1), PAUSE) is None


def test_the_visit_before_counts_where_only_other_events_came_after_it() -> None:
    visit = Visit(1, minutes(0), minutes(0), 1)
    profile = seen_again(Profile("v:a", visit=visit, first_seen_at=minutes(0), last_seen_at=minutes(0)), 20)
    profile = seen_again(profile, 40)
    assert last_seen_before(profile, minutes(45), PAUSE) == minutes(0)


def test_a_late_moment_from_before_the_visit_is_when_the_visitor_was_seen_before() -> None:
    visit = Visit(1, minutes(10 * DAY), minutes(10 * DAY), 1)
    profile = Profile("v:a", visit=visit, first_seen_at=visit.started_at, last_seen_at=visit.started_at)
    for at, expected in ((5 * DAY, 5 * DAY), (2 * DAY, 5 * DAY), (10 * DAY - 5, 5 * DAY), (10 * DAY + 5, 5 * DAY)):
        profile = seen_again(profile, at)
        assert profile.visit is not None
        assert profile.visit.previous_seen_at == minutes(expected)
    assert profile.seen_before_at == minutes(5 * DAY)


def test_the_latest_before_a_limit_leaves_out_the_limit_itself() -> None:
    assert latest_before([minutes(3), None, minutes(1), minutes(2)], minutes(3)) == minutes(2)
    assert latest_before([minutes(3), None], minutes(3)) is None
