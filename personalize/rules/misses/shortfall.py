"""What is missing for a condition to hold, in words: "one more purchase within 30 days"."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from personalize.durations import format_duration
from personalize.rules.conditions import Leaf
from personalize.rules.describe import Describer
from personalize.rules.facts import NOW_INSTANT, Fact, is_of_event
from personalize.rules.misses.nearest_miss import Change, difference
from personalize.rules.misses.nearest_values import missing_times
from personalize.rules.misses.ways import Wanted
from personalize.rules.operators import OPERATORS
from personalize.rules.times import Times

#: What follows "would have to", for the words with which the phrases of operators begin.
_HAVE_TO = {"is": "be", "has": "have", "does": "do", "are": "be", "matches": "match"}
#: Where a value is known, the opposite of one order is another.
_OPPOSITES = {
    "at_least": "less_than",
    "more_than": "at_most",
    "at_most": "more_than",
    "less_than": "at_least",
    "within": "older_than",
    "older_than": "within",
}
#: Of several questions of one word, which asks for the most.
_STRICTEST: Mapping[str, Callable[[Iterable[Any]], Any]] = {
    **dict.fromkeys(("at_least", "more_than", "older_than", "after"), max),
    **dict.fromkeys(("at_most", "less_than", "within", "before"), min),
}
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Shortfall:
    """Says changes as a person would ask for them."""

    def __init__(self, describer: Describer) -> None:
        self._describer = describer

    def change(self, change: Change, at: datetime) -> str:
        """One change in words; `at` is the moment that it is told for."""
        if change.fact == NOW_INSTANT:
            return self._moment(change)
        asked = [_positive(change, leaf, wanted=wanted) for leaf, wanted in change.asked]
        return " and ".join(dict.fromkeys(self._asked(change, *one, at) for one in _strictest(asked)))

    def _moment(self, change: Change) -> str:
        away = difference(change.before, change.after)
        assert isinstance(away, timedelta)
        early_or_late = "early" if away > timedelta() else "late"
        then = self._describer.value(change.fact, _on_a_second(change.after, forward=away > timedelta()))
        return f"it is {_roughly(abs(away))} too {early_or_late}: {then} would do"

    def _asked(self, change: Change, leaf: Leaf, wanted: bool, at: datetime) -> str:
        again = self._again(change, leaf, at) if wanted else None
        if again is not None:
            return again
        if isinstance(leaf.argument, Times):
            return f"it must not be that {self._describer.condition(leaf)}"
        subject, phrase = self._describer.question(leaf, wanted=wanted)
        by = self._by(leaf.fact, change.before, change.after) if wanted else ""
        needed = have_to(phrase)
        if subject.startswith("none of "):
            needed = needed.replace("would have to", "may", 1)
        return f"{subject} {needed}{f', {by}' if by else ''}"

    def _again(self, change: Change, leaf: Leaf, at: datetime) -> str | None:
        """What would have to happen, and how often, for a question that asks just that; None for any other."""
        more, within, what = 1, None, leaf.fact.root
        between = difference(change.before or 0, change.after)
        if isinstance(leaf.argument, Times):
            happened = change.before if isinstance(change.before, tuple) else ()
            more, within, what = missing_times(leaf.argument, happened, at), leaf.argument.within, leaf.fact.title
        elif is_of_event(leaf.fact) and leaf.fact.key == "last" and leaf.word == "within":
            assert isinstance(leaf.argument, timedelta)
            within = leaf.argument
        elif is_of_event(leaf.fact) and leaf.fact.key == "count" and isinstance(between, int) and between > 0:
            more = between
        else:
            return None
        again = "more " if change.before else ""
        often = f"once {again}".rstrip() if more == 1 else f"{more} {again}times"
        lately = "" if within is None else f" within {format_duration(within)}"
        return f"{what} would have to happen {often}{lately}"

    def _by(self, fact: Fact, before: object, after: object) -> str:
        """How far the value is from the present one, where that can be told."""
        between = difference(before, after)
        match between:
            case timedelta():
                return f"{_roughly(abs(between))} {'later' if between > timedelta() else 'earlier'} than it is"
            case int() | Decimal():
                return f"{self._describer.value(fact, abs(between))} {'more' if between > 0 else 'less'} than now"
        return ""


def _positive(change: Change, leaf: Leaf, *, wanted: bool) -> Wanted:
    """The question, or, where its opposite is wanted and is an order of its own, that one."""
    if wanted or change.after is None or leaf.word not in _OPPOSITES:
        return leaf, wanted
    word = _OPPOSITES[leaf.word]
    return replace(leaf, word=word, operator=OPERATORS[word]), True


def _strictest(asked: Sequence[Wanted]) -> Iterator[Wanted]:
    """The questions without those that another one of the same word asks for, too."""
    for leaf, wanted in asked:
        same = [one.argument for one, also in asked if also and wanted and one.word == leaf.word]
        if leaf.word not in _STRICTEST or len(same) < 2 or _STRICTEST[leaf.word](same) == leaf.argument:
            yield leaf, wanted


def have_to(phrase: str) -> str:
    """What would have to be, from what is: `is "NO"` becomes `would have to be "NO"`."""
    verb, _, rest = phrase.partition(" ")
    if phrase.startswith(("is not ", "does not ")):
        return f"must not {'be ' if verb == 'is' else ''}{rest.removeprefix('not ')}"
    return f"would have to {_HAVE_TO.get(verb, verb.removesuffix('s'))} {rest}".rstrip()


def _roughly(length: timedelta) -> str:
    """A length of time, rounded up so that it is enough: to hours from two days on, to minutes from one hour on."""
    grain = _HOUR if length >= 48 * _HOUR else _MINUTE if length >= _HOUR else _SECOND
    return format_duration(-(-(length // _SECOND * _SECOND) // grain) * grain)


def _on_a_second(moment: object, *, forward: bool) -> object:
    """The moment on a full second, still on the right side."""
    if not isinstance(moment, datetime) or not moment.microsecond:
        return moment
    return moment.replace(microsecond=0) + (_SECOND if forward else timedelta())
