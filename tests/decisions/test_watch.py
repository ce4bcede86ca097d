"""Watched segments: nobody comes or goes before the moment at which to look again, whatever the conditions ask."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.decisions.context import Context
from personalize.decisions.watch import LOOK_AGAIN, SegmentWatch
from personalize.rules.ruleset import RuleSet
from tests.decisions.visitors import NOW, Happened, context_for
from tests.rules.small_site import rule_set_of

DECLARED = """
attributes:
  birthday: {type: date}
  renewed: {type: time}
  zone: {type: text, zone: true}
  company: {type: text}
organization: {by: company}
events:
  purchase:
    properties: {amount: {type: money}, category: {type: text}}
    value: amount
    interest: category
segments:
"""
ASKED = (
    "purchase.last: {older_than: 30 days}",
    "purchase.last: {within: 2 hours}",
    "purchase.first: {within: 7 days}",
    "did: purchase\n      times: {at_least: 2}\n      within: 10 days",
    "did: purchase\n      where: {category: tents}\n      times: {at_most: 1}\n      within: 1 day",
    "purchase.count: {at_least: 2}",
    "visitor.state: lapsed",
    "visitor.state: [active, new]",
    "visitor.state: {is_not: cooling}",
    "visitor.new: true",
    "visitor.last_seen: {older_than: 45 minutes}",
    "now.time: {between: ['08:00', '18:30']}",
    "now.weekday: [sat, sun]",
    "now.hour: {at_least: 17}",
    "now.date: {before: 2026-12-24}",
    "now.month: 12",
    "profile.birthday: {anniversary: today}",
    "profile.birthday: {anniversary: this week}",
    "profile.renewed: {older_than: 90 days}",
    "profile.renewed: {before: today}",
    "purchase.last: {on: this week}",
    "interest.tents: {at_least: 0.5}",
    "segment: s0",
)
#: But for interests, which fade: who cares enough is looked at each hour, whatever happens in between.
_FORESEEN = [one for one in ASKED[:-1] if not one.startswith("interest")]
_SPANS = st.integers(0, 200 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
_events: st.SearchStrategy[Happened] = st.one_of(
    st.tuples(st.just("purchase"), _SPANS, st.fixed_dictionaries({"amount": st.just(5), "category": st.just("tents")})),
    st.tuples(st.just("page_view"), _SPANS, st.just({"path": "/"})),
    st.tuples(st.just("set"), _SPANS, st.just({"birthday": "1980-12-01"})),
    st.tuples(st.just("set"), _SPANS, st.just({"renewed": "2026-09-01T10:00:00+00:00"})),
    st.tuples(st.just("set"), _SPANS, st.sampled_from([{"zone": "Pacific/Auckland"}, {"zone": "America/New_York"}])),
)
#: When to look whether somebody has come or gone: closely for an hour, then ever more seldom.
_STEPS = [
    timedelta(minutes=minutes)
    for minutes in (*range(0, 60, 7), *range(60, 10_000, 331), *range(10_000, 200_000, 4_999))
]


def site(asked: Sequence[str]) -> RuleSet:
    """A site with a segment for each of these conditions."""
    text = "".join(
        f"  s{number}:\n    who:\n      {'not:' if number % 3 == 2 else 'all:'}\n"
        + (f"        {one}\n".replace("\n      ", "\n        ") if number % 3 == 2 else "")
        + ("" if number % 3 == 2 else f"        - {one}\n".replace("\n      ", "\n          "))
        for number, one in enumerate(asked)
    )
    return rule_set_of(DECLARED + text)


def seen(rule_set: RuleSet, happened: Sequence[Happened], now: datetime) -> Context:
    return context_for(rule_set, *happened, facts=None, now=now)


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(st.sampled_from(_FORESEEN), min_size=1, max_size=3, unique=True),
    happened=st.lists(_events, max_size=5),
)
def test_nobody_comes_or_goes_before_it_is_time_to_look_again(asked: list[str], happened: list[Happened]) -> None:
    rule_set = site(asked)
    watch = SegmentWatch(rule_set, rule_set.segments)
    now = seen(rule_set, happened, NOW)
    members, again = watch.members(now), watch.next_look(now)
    moments = [NOW + step for step in _STEPS]
    if again is not None:
        assert again > NOW
        moments = [at for at in moments if at < again] + [again - timedelta(microseconds=1)]
    for at in moments:
        assert watch.members(seen(rule_set, happened, at)) == members, at


@pytest.mark.parametrize("asked", ASKED)
def test_somebody_who_changes_by_the_clock_is_looked_at_in_time(asked: str) -> None:
    rule_set = site([asked] if "segment" not in asked else ["purchase.last: {older_than: 30 days}", asked])
    watch = SegmentWatch(rule_set, rule_set.segments)
    happened: list[Happened] = [
        ("page_view", NOW - timedelta(days=3), {"path": "/"}),
        ("purchase", NOW - timedelta(days=2), {"amount": 5, "category": "tents"}),
        ("set", NOW - timedelta(days=2), {"birthday": "1980-12-01", "renewed": "2026-09-01T10:00:00+00:00"}),
    ]
    at, looks, found = NOW, 0, [watch.members(seen(rule_set, happened, NOW))]
    while at < NOW + timedelta(days=40) and looks < 400:
        again = watch.next_look(seen(rule_set, happened, at))
        if again is None:
            break
        at, looks = again, looks + 1
        found.append(watch.members(seen(rule_set, happened, at)))
    later = NOW + timedelta(days=40)
    assert found[-1] == watch.members(seen(rule_set, happened, max(at, later) if looks < 400 else at))


def test_only_what_nobody_can_foretell_is_looked_at_every_hour() -> None:
    happened: list[Happened] = [("purchase", NOW - timedelta(days=2), {"amount": 5, "category": "tents"})]

    def again(asked: str) -> datetime | None:
        rule_set = site([asked])
        return SegmentWatch(rule_set, rule_set.segments).next_look(seen(rule_set, happened, NOW))

    assert again("purchase.count: {at_least: 2}") is None
    assert again("purchase.last: {older_than: 30 days}") == NOW + timedelta(days=28, microseconds=1)
    assert again("interest.tents: {at_least: 0.5}") == again("organization.known: true") == NOW + LOOK_AGAIN


def test_segments_that_there_are_not_are_not_watched() -> None:
    rule_set = site(["purchase.count: {at_least: 1}"])
    assert SegmentWatch(rule_set, ["s0", "gone", "s0"]).segment_ids == ("s0",)
