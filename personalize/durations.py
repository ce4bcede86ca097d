"""Lengths of time as people write them: `30 days`, `1 day 12 hours`."""

from __future__ import annotations

import re
from datetime import timedelta

from personalize.problems import did_you_mean, quoted

UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
#: Longer than any use has been seen for, and short enough that a date can always be moved by it.
LONGEST = timedelta(days=36_525)

_ALLOWED = "seconds, minutes, hours, days, weeks"
_SHORT_FORMS = {
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "hr": "hour",
    "d": "day",
    "w": "week",
}
_UNEVEN = {"month": 30, "year": 365}
_WHOLE = re.compile(r"(?:[0-9]+ *[a-z]+)(?: +[0-9]+ *[a-z]+)*")
_PART = re.compile(r"([0-9]+) *([a-z]+)")
_PRINTED = ("day", "hour", "minute", "second")


def parse_duration(text: str) -> timedelta:
    """The length of time that a text such as `30 days` or `1 day 12 hours` names.

    Whole numbers of seconds, minutes, hours, days and weeks, each unit once, up to 100 years.
    Raises ValueError with a sentence for the author, who sees what was found and what is allowed.
    """
    plain = text.strip(" ").lower()
    if len(plain) > 100 or not _WHOLE.fullmatch(plain):
        raise ValueError(
            f'{quoted(text)} is not a length of time: write whole numbers with a unit, such as "30 days"'
            f' or "1 day 12 hours"; the units are {_ALLOWED}'
        )
    total = timedelta()
    seen: set[str] = set()
    for digits, word in _PART.findall(plain):
        unit = _unit(digits, word, text)
        if unit in seen:
            raise ValueError(f"{quoted(text)} names {unit}s twice: add them up")
        seen.add(unit)
        total += _times(digits, UNITS[unit], text)
    return total


def _unit(digits: str, word: str, text: str) -> str:
    singular = word.removesuffix("s") or word
    if singular in UNITS:
        return singular
    if singular in _UNEVEN:
        days = _UNEVEN[singular] * min(int(digits) or 1, LONGEST.days // _UNEVEN[singular])
        raise ValueError(f'{quoted(text)}: {singular}s are not all of one length: count in days, such as "{days} days"')
    meant = _SHORT_FORMS.get(word) or _SHORT_FORMS.get(singular)
    guess = f"did you mean `{meant}s`?" if meant else did_you_mean(word, [f"{unit}s" for unit in UNITS])
    advice = f"; {guess}" if guess else ""
    raise ValueError(f"{quoted(word)} in {quoted(text)} is not a unit of time; the units are {_ALLOWED}{advice}")


def _times(digits: str, unit: timedelta, text: str) -> timedelta:
    count = int(digits)
    if count > LONGEST // unit:
        raise ValueError(f"{quoted(text)} is longer than 100 years")
    return count * unit


def format_duration(duration: timedelta) -> str:
    """The text for a length of time, as `parse_duration` reads it: days, hours, minutes, seconds.

    Parts of a second are dropped. Raises ValueError for a negative one.
    """
    if duration < timedelta():
        raise ValueError(f"a length of time cannot be negative: {duration!r}")
    rest = duration
    parts = []
    for unit in _PRINTED:
        count, rest = divmod(rest, UNITS[unit])
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts) or "0 seconds"
