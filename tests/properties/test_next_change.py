"""Until the next change that is foretold, no clock changes what a page shows: stepped through, whatever the rules."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.decisions.context import make_context
from personalize.decisions.decide import decide
from personalize.profiles.lifecycle import Lifecycle
from personalize.rules.conventions import Conventions
from personalize.rules.ruleset import RuleSet
from personalize.visitors.identity import Identity
from tests.rules.small_site import COLLECTIONS, item, rule_set_of

#: Zones, and when their clocks are put forward and back: at midnight in Cairo and Beirut, by half an hour on Lord Howe.
ZONES = {
    "UTC": ["2026-01-01T00:00Z"],
    "Europe/Oslo": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
    "Africa/Cairo": ["2026-04-23T22:00Z", "2026-10-29T21:00Z"],
    "Asia/Beirut": ["2026-03-28T22:00Z", "2026-10-24T21:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z"],
    "America/New_York": ["2026-03-08T07:00Z", "2026-11-01T06:00Z"],
}
#: Each quarter of an hour for most of a night, and the moments around it.
_NEAR = [
    number * timedelta(minutes=15) + away
    for number in range(-14, 15)
    for away in (timedelta(microseconds=-1), timedelta(), timedelta(seconds=1), timedelta(seconds=2))
]
_TIMES = ("2026-03-29", "2026-03-29T02:30", "2026-10-25T02:30", "2026-12-24", "2026-04-24", "2026-11-01T01:15:07")
_HOURS = ("00:00-06:00", "02:30-04:00", "22:00-02:30", "00:30-24:00", "01:15-23:45")
_WHEN = (
    "",
    *(f"from: {at}" for at in _TIMES),
    *(f"until: {at}" for at in _TIMES),
    *(f"hours: {hours}" for hours in _HOURS),
    *("weekdays: [sat, sun]", "weekdays: [fri], hours: 22:00-02:30"),
    *("on: first sunday of the month", "on: 24 december", "on: 2026-03-29"),
)
_ASKED = (
    "",
    "now.time: {at_least: '02:30'}",
    "now.time: {more_than: '02:30'}",
    "now.time: {between: ['01:00', '03:15']}",
    "now.time: '00:00'",
    "now.hour: {at_least: 2}",
    "now.hour: [0, 23]",
    "now.weekday: sun",
    "now.date: 2026-03-29",
    "now.date: {before: today}",
    "now.date: {on: this week}",
    "now.date: {anniversary: this week}",
    "now.month: {one_of: [3, 10]}",
    "now.hour: {same_as: now.month}",
    "segment: late",
    "not: {segment: late}",
)
_VALIDITY = ("", "from: 2026-10-24", "until: 2026-03-28", "from: 2026-03-28 23:30\nuntil: 2026-04-25")


def site(zone: str, rules: Sequence[tuple[str, str]], validity: Sequence[str] = ("",)) -> RuleSet:
    """Rules that look at nothing but the clock, over items that come and go."""
    written = [
        f"{{id: r{number}, to: {{{asked}}}, when: {{{when}}}, show: heroes/h{number}}}"
        for number, (asked, when) in enumerate(rules)
    ]
    text = (
        "segments: {late: {who: {any: [{now.hour: 23}, {now.time: {less_than: '02:00'}}]}}}\n"
        f"slots:\n  hero:\n    rules: [{', '.join(written)}]\n    otherwise: heroes/calm\n"
    )
    content = {
        "content/collections.yaml": COLLECTIONS,
        **{f"content/heroes/h{number}.md": item("H", validity[number % len(validity)]) for number in range(len(rules))},
        "content/heroes/calm.md": item("Calm"),
    }
    return rule_set_of(
        text.replace("to: {}, ", "").replace("when: {}, ", ""), content, Conventions(zone=ZoneInfo(zone))
    )


def shown(rule_set: RuleSet, at: datetime) -> Mapping[str, object]:
    """What the page shows to whomever at a moment."""
    context = make_context(
        rule_set.ground,
        Lifecycle(),
        identity=Identity(),
        profile=None,
        facts=None,
        now=at,
    )
    return decide(rule_set.pages["hero"], context, rule_set)


def holds(rule_set: RuleSet, zone: str) -> None:
    """Each change around the moments of a zone is foretold, at its moment or before."""
    for moment in (*ZONES[zone], "2026-12-23T23:00Z"):
        moments = [datetime.fromisoformat(moment) + away for away in _NEAR]
        first, *others = (list(same) for _, same in groupby(moments, key=lambda at: shown(rule_set, at)))
        for then in others:
            for now in first:
                change = rule_set.sharing.next_change(rule_set.pages["hero"], now)
                assert change is not None and now <= change <= then[0], (now, then[0], change)
            first = then


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Africa/Cairo", "Australia/Lord_Howe"])
def test_no_single_rule_changes_its_mind_before_the_next_change(zone: str) -> None:
    for rule in (*((asked, "") for asked in _ASKED), *(("", when) for when in _WHEN)):
        holds(site(zone, [rule]), zone)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(sorted(ZONES)),
    st.lists(st.tuples(st.sampled_from(_ASKED), st.sampled_from(_WHEN)), min_size=1, max_size=3),
    st.lists(st.sampled_from(_VALIDITY), min_size=1, max_size=3),
)
def test_no_page_changes_before_its_next_change(zone: str, rules: list[tuple[str, str]], validity: list[str]) -> None:
    holds(site(zone, rules, validity), zone)


def test_what_never_changes_by_the_clock_has_no_next_change() -> None:
    rule_set = site("Europe/Oslo", [("page.path: /", "")])
    assert rule_set.sharing.next_change(rule_set.pages["hero"], datetime(2026, 3, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("asked", "when", "change"),
    [
        ("", "until: 2026-03-29T18:00", "2026-03-29T16:00Z"),
        ("", "hours: 08:00-18:00", "2026-03-29T06:00Z"),
        ("now.time: {more_than: '04:00'}", "", "2026-03-29T02:00:01Z"),
        ("", "weekdays: [mon]", "2026-03-29T22:00Z"),
        ("now.hour: 5", "", "2026-03-29T02:00Z"),
    ],
)
def test_the_next_change_is_as_late_as_it_can_be_told(asked: str, when: str, change: str) -> None:
    rule_set = site("Europe/Oslo", [(asked, when)])
    now = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # summer has begun half an hour ago
    assert rule_set.sharing.next_change(rule_set.pages["hero"], now) == datetime.fromisoformat(change)
