import pytest

from personalize.profiles.holding import NOTHING_HELD, Holding
from personalize.stores.holding_text import holding_as_text, holding_from_text

ORDERS = Holding(interests=frozenset({("order", "tags")}))
SEARCHES = Holding(interests=frozenset({("search", "q")}))
BOTH = Holding(interests=ORDERS.interests | SEARCHES.interests)


@pytest.mark.parametrize("held", [NOTHING_HELD, SEARCHES, BOTH])
def test_interests_are_right_only_where_the_same_events_taught_them(held: Holding) -> None:
    assert ORDERS.covers(ORDERS)
    assert not held.covers(ORDERS)
    assert held.covers(NOTHING_HELD)


def test_interests_taught_by_other_events_meanwhile_are_not_kept() -> None:
    assert ORDERS.kept_under(ORDERS) == ORDERS
    assert not BOTH.kept_under(ORDERS).covers(ORDERS)
    assert not ORDERS.kept_under(NOTHING_HELD).covers(ORDERS)


def test_a_holding_is_read_back_as_it_was_written_also_one_of_before_there_were_interests() -> None:
    assert holding_from_text(holding_as_text(BOTH)) == BOTH
    assert holding_from_text('{"counters":{},"values":[]}') == NOTHING_HELD
