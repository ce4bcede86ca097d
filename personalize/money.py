"""Amounts of money: a whole number of the smallest unit inside, text at the edges, exact in between."""

from __future__ import annotations

import re
from decimal import Decimal

from personalize.problems import quoted

#: Ten trillion in a currency of two decimals: a sum of thousands of such amounts still fits 64 bits.
LARGEST = 10**15

_AMOUNT = re.compile(r"[-+]?[0-9]{1,30}(?:\.[0-9]{1,30})?")


def parse_amount(value: str | int | float | Decimal, digits: int = 2) -> int:
    """The amount in the smallest unit: `parse_amount("29.33")` is 2933, with `digits=0` "500" is 500.

    Takes text with a point ("1299.00", no separators, no currency), whole numbers and decimals in the main
    unit. A float counts as its shortest decimal text, which is what was written for it. Nothing is ever
    rounded: ValueError, with a sentence for the author, for more decimals than the currency has, for what is
    not a number (also bool, nan and inf), and for amounts above `LARGEST` smallest units.
    """
    number = _decimal(value)
    sign, figures, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{quoted(str(value))} is not an amount of money")
    if number and number.adjusted() > 20:
        raise ValueError(f"{quoted(str(value))} is too large for an amount of money")
    significant = "".join(map(str, figures)).rstrip("0")
    shift = exponent + digits + len(figures) - len(significant)
    if significant and shift < 0:
        raise ValueError(f"{quoted(str(value))} has more than the {digits} decimals of the currency")
    amount = int(significant or "0") * (10**shift if significant else 1)
    if amount > LARGEST:
        raise ValueError(f"{quoted(str(value))} is too large for an amount of money")
    return -amount if sign else amount


def _decimal(value: str | int | float | Decimal) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(f'"{str(value).lower()}" is not an amount of money')
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        return Decimal(_checked(value))
    return value if isinstance(value, Decimal) else Decimal(value)


def _checked(text: str) -> str:
    plain = text.strip(" ")
    if not _AMOUNT.fullmatch(plain):
        raise ValueError(
            f'{quoted(text)} is not an amount of money: write figures and a point, such as "1299.00",'
            " without separators or a currency"
        )
    return plain


def format_amount(amount: int, currency: str, digits: int = 2) -> str:
    """The amount as plain text that needs no locale: `NOK 1,299.00`, `JPY 500`, `EUR -0.05`."""
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    decimals = f".{part:0{digits}d}" if digits else ""
    return f"{currency} {sign}{whole:,}{decimals}"
