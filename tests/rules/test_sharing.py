"""What caches have to know of all pages together: the soonest change of any, remembered for as long as it is true."""

from datetime import UTC, datetime, timedelta

from tests.rules.small_site import rule_set_of

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
RULES = """
slots:
  a: {rules: [{id: a, when: {until: 2026-12-01T12:30:00Z}, show: notes/hello}]}
  b: {page: home, rules: [{id: b, when: {from: 2026-12-01T12:10:00Z}, show: notes/hello}]}
  c: {page: home, rules: [{id: c, to: {page.path: /}, show: notes/bye}]}
"""


def test_the_soonest_change_of_any_page_is_found_anew_when_it_has_come() -> None:
    rule_set = rule_set_of(RULES)
    found = []
    for minutes in (0, 5, 9, 10, 29, 30, 99, 5):
        found.append(rule_set.sharing.next_change_of_any(rule_set.pages.values(), NOW + timedelta(minutes=minutes)))
    first, second = NOW + timedelta(minutes=10), NOW + timedelta(minutes=30)
    assert found == [first, first, first, second, second, None, None, first]


def test_what_may_change_at_any_moment_is_never_remembered() -> None:
    rule_set = rule_set_of("slots: {a: {rules: [{id: a, to: {now.time: {same_as: now.time}}, show: notes/hello}]}}")
    for moment in (NOW, NOW + timedelta(seconds=1)):
        assert rule_set.sharing.next_change_of_any(rule_set.pages.values(), moment) == moment
