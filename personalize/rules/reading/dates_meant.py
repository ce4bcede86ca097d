"""Dates and months as people write them elsewhere, and how they are written here."""

import calendar
import re
from datetime import date

from personalize.guesses import Guess

_DAY_FIRST = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})", re.ASCII)
_EITHER_FIRST = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})", re.ASCII)
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SHORT_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}


def date_meant(text: str) -> str | None:
    """A hint for a date such as `3.4.2026` or `2026-4-3`; with strokes, where either is the day, both are offered."""
    plain = text.strip()
    if found := _DAY_FIRST.fullmatch(plain):
        day = _date(found[3], found[2], found[1])
        return None if day is None else Guess(f"write {day}: year, month, day", text, str(day))
    if found := _YEAR_FIRST.fullmatch(plain):
        day = _date(found[1], found[2], found[3])
        if day is None or str(day) == plain:
            return None
        return Guess(f"write {day}: two digits for the month and the day", text, str(day))
    found = _EITHER_FIRST.fullmatch(plain)
    days = found and {_date(found[3], *pair) for pair in ((found[2], found[1]), (found[1], found[2]))} - {None}
    if not days:
        return None
    return f"write {' or '.join(sorted(map(str, days)))}: year, month, day"


def month_meant(text: str) -> Guess | None:
    """A hint for the name of a month where its number stands."""
    plain = text.strip().rstrip(".").casefold()
    number = _MONTHS.get(plain) or _SHORT_MONTHS.get(plain)
    return None if number is None else Guess(f"months are numbers: write {number}", text, str(number))


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
