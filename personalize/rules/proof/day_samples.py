"""Days that tell questions in words apart, such as `this week` or `30 days ago`: each beside a day that is today."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from personalize.rules.conditions import Leaf
from personalize.rules.days import Days
from personalize.rules.facts import FactType
from personalize.rules.proof.samples import Sample

_DAY = timedelta(days=1)
_NOON = time(12, tzinfo=UTC)
#: In so many days all days of the week fall on all days of the year.
_FIRST, _ROUND = date(2000, 1, 1), 28 * 366
#: Words that count days and weeks alone mean as many days whatever day it is, but for the day of the week.
_BY_DAYS = re.compile(r"today|yesterday|tomorrow|(this|last|next) week|today ± .*|.*[0-9]+ (day|week)s?( ago)?")


def told_in_words(leaves: Sequence[Leaf]) -> bool:
    """Whether all of these questions are about days in words, and nothing that comes round each year."""
    return all(isinstance(leaf.argument, Days) and leaf.word != "anniversary" for leaf in leaves)


def day_samples(type_: FactType, leaves: Sequence[Leaf]) -> list[Sample]:
    """A day, or a noon, for each mixture of answers that there is on some day that is today."""
    words = list(dict.fromkeys(leaf.argument for leaf in leaves if isinstance(leaf.argument, Days)))
    found: dict[tuple[bool, ...], Sample] = {}
    for today, ends in _different(words).items():
        now = datetime.combine(today, _NOON)
        for day in sorted({end + step * _DAY for end in ends for step in (-1, 0, 1)} or {today}):
            value = day if type_ is FactType.DATE else datetime.combine(day, _NOON)
            found.setdefault(tuple(leaf.holds(value, now) for leaf in leaves), Sample(value, now))
    return list(found.values())


def _different(words: Sequence[Days]) -> dict[date, list[date]]:
    """The days from which those in words lie differently far away, with the first and last days meant."""
    seen: dict[tuple[int | None, ...], tuple[date, list[date]]] = {}
    by_days = all(_BY_DAYS.fullmatch(days.text) for days in words)
    for today in (_FIRST + step * _DAY for step in range(7 if by_days else _ROUND)):
        ends = [end for days in words for end in days.span(today) or (None, None)]
        far = tuple(None if end is None else (end - today).days for end in ends)
        seen.setdefault(far, (today, [end for end in ends if end is not None]))
    return dict(seen.values())
