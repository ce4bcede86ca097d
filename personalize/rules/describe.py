"""Conditions in words, from the same table that decides them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from personalize.durations import format_duration
from personalize.money import format_amount
from personalize.problems import quoted
from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.conventions import Conventions
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.times import Times
from personalize.rules.unanswerable import Unanswerable
from personalize.rules.window import Window

#: What is said of a value that is missing.
NOT_KNOWN = "not known"
_UNANSWERABLE = {
    Unanswerable.PENDING: "pending: still being counted from the log",
    Unanswerable.RAISED: "not answered: the site's own code raised an error",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Describer:
    """Says conditions and values as a person of this site would write them.

    `titles` are those of segments, by their id.
    """

    def __init__(self, conventions: Conventions, titles: Mapping[str, str] | None = None) -> None:
        self._conventions = conventions
        self._titles = titles or {}

    def condition(self, condition: Condition) -> str:
        """The condition as part of an English sentence."""
        if condition == EVERYONE:
            return "everyone"
        match condition:
            case Leaf():
                return self._leaf(condition, denied=False)
            case InSegment():
                return f'in "{self._titles.get(condition.segment_id) or condition.segment_id}"'
            case Not(part=Leaf() as leaf):
                return self._leaf(leaf, denied=True)
            case Not(part=InSegment(segment_id)):
                return f'outside "{self._titles.get(segment_id) or segment_id}"'
            case Not():
                return f"not {self._inside(condition.part)}"
            case All():
                return " and ".join(map(self._inside, condition.parts))
            case Any():
                return " or ".join(map(self._inside, condition.parts)) or "nobody"

    def _inside(self, condition: Condition) -> str:
        text = self.condition(condition)
        return f"({text})" if isinstance(condition, All | Any) and len(condition.parts) > 1 else text

    def _leaf(self, leaf: Leaf, *, denied: bool) -> str:
        if isinstance(leaf.argument, Times):
            return f"{leaf.fact.title} {_times(leaf.argument, denied=denied)}"
        if leaf.fact.type is FactType.INSTANT:
            return str(leaf.argument)
        phrase = leaf.operator.denied if denied else leaf.operator.phrase
        return f"{leaf.fact.name} {phrase.format(self._argument(leaf))}"

    def _argument(self, leaf: Leaf) -> str:
        if isinstance(leaf.argument, tuple) and leaf.word != "between":
            return " or ".join(self.value(leaf.fact, one) for one in leaf.argument)
        return self.value(leaf.fact, leaf.argument)

    def seen(self, leaf: Leaf, value: object) -> str:
        """The value that a question looked at, or why there is none; beside weekdays, with the day of the week."""
        if isinstance(value, Unanswerable):
            return _UNANSWERABLE[value]
        text = self.value(leaf.fact, value)
        if isinstance(leaf.argument, Window) and leaf.argument.weekdays and isinstance(value, datetime):
            return f"{_DAYS[value.astimezone(leaf.argument.zone).weekday()]} {text}"
        return text

    def value(self, fact: Fact, value: object) -> str:
        """A fact's value, or the argument of a question about it; None is not known."""
        match value:
            case None:
                return NOT_KNOWN
            case bool():
                return "true" if value else "false"
            case tuple() if fact.type is FactType.TIMES:
                return f"{len(value)} {'time' if len(value) == 1 else 'times'} remembered"
            case Listed():
                return ", ".join(self.value(fact, one) for one in value)
            case tuple() | list():
                return " and ".join(self.value(fact, one) for one in value) or "none"
            case _:
                return self._single(fact, value)

    def _single(self, fact: Fact, value: object) -> str:
        match value:
            case str():
                return quoted(value)
            case int() if fact.type is FactType.MONEY:
                return format_amount(value, self._conventions.currency, self._conventions.currency_digits)
            case Decimal() if fact.type is FactType.MONEY and value.is_finite():
                return self._single(fact, round(value))
            case timedelta() if fact.type is FactType.CLOCK:
                hours, rest = divmod(value, timedelta(hours=1))
                return f"{hours:02}:{rest // timedelta(minutes=1):02}"
            case timedelta():
                return format_duration(value)
            case datetime() if value.tzinfo is not None:
                return value.astimezone(self._conventions.zone).strftime("%Y-%m-%d %H:%M")
            case date():
                return value.isoformat()
        return str(value)


def _times(times: Times, *, denied: bool) -> str:
    if times.count == 1:
        often = "never" if denied else "at least once"
    else:
        often = f"{'fewer than' if denied else 'at least'} {times.count} times"
    return often if times.within is None else f"{often} within {format_duration(times.within)}"
