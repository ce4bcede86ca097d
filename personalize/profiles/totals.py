"""Totals: what the events of one type add up to, exact and the same in whatever order they arrive."""

from datetime import datetime
from decimal import Context, Decimal
from typing import TypeAlias

from personalize.profiles.profile import Totals

Amount: TypeAlias = int | Decimal

# The default of 28 digits would round, and what is rounded depends on the order of the terms.
_EXACT = Context(prec=1000)


def with_one_more(totals: Totals | None, at: datetime, value: Amount | None) -> Totals:
    """The totals with one more event; of events at the same moment the first and last to arrive count."""
    if totals is None:
        return Totals(1, value or 0, at, at, value, value)
    earlier, later = at < totals.first_at, at >= totals.last_at
    return Totals(
        totals.count + 1,
        totals.sum if value is None else plus(totals.sum, value),
        at if earlier else totals.first_at,
        at if later else totals.last_at,
        value if earlier else totals.first_value,
        value if later else totals.last_value,
    )


def together(known: Totals | None, other: Totals | None) -> Totals | None:
    """The totals of two profiles as one; of events at the same moment those of `known` count."""
    if known is None or other is None:
        return known or other
    first = other if other.first_at < known.first_at else known
    last = other if other.last_at > known.last_at else known
    return Totals(
        known.count + other.count,
        plus(known.sum, other.sum),
        first.first_at,
        last.last_at,
        first.first_value,
        last.last_value,
    )


def plus(one: Amount, other: Amount) -> Amount:
    """The exact sum: an int of ints, else a Decimal."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return _EXACT.add(one, other)


def amount_of(value: object) -> Amount | None:
    """The value if it is a finite number that can be added up, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, int) else None
