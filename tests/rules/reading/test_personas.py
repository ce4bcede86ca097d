"""Saved test visitors."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.rules.small_site import rule_set_of


def test_a_persona_is_given_values_of_each_facts_own_type() -> None:
    personas = rule_set_of("""
        attributes:
          country: {type: text, fold: true}
          likes: {type: list, of: text}
          born: {type: date}
        events:
          purchase: {properties: {amount: money}, value: amount}
        personas:
          lapsed:
            title: Olav
            given:
              purchase.count: 3
              purchase.total: 1299.50
              purchase.last: 100 days ago
              purchase.first: 2026-01-01
              profile.country: NO
              profile.likes: [tents, NO]
              profile.born: 1990-05-01
              visitor.known: true
              visitor.state: lapsed
              page.query.x: a
              now.time: 08:30
          nobody: {}
    """).personas
    assert personas["nobody"].title == "nobody" and not personas["nobody"].given
    assert personas["lapsed"].title == "Olav"
    assert personas["lapsed"].given == {
        "purchase.count": 3,
        "purchase.total": 129950,
        "purchase.last": timedelta(days=100),
        "purchase.first": datetime(2025, 12, 31, 23, tzinfo=UTC),
        "profile.country": "no",
        "profile.likes": ["tents", "NO"],
        "profile.born": date(1990, 5, 1),
        "visitor.known": True,
        "visitor.state": "lapsed",
        "page.query.x": ["a"],
        "now.time": timedelta(hours=8, minutes=30),
    }


def test_numbers_of_a_persona_are_exact() -> None:
    given = (
        rule_set_of("attributes: {n: {type: number}}\npersonas: {p: {given: {profile.n: 0.1}}}\n").personas["p"].given
    )
    assert given["profile.n"] == Decimal("0.1")
