"""Conditions in words, from the same table that decides them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from personalize.durations import format_duration
from personalize.money import format_amount
from personalize.problems import quoted
from personalize.rules.beside import Beside, Pair
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.conventions import Conventions
from personalize.rules.days import DAY_NAMES, Days
from personalize.rules.equality import Listed
from personalize.rules.facts import SPLIT_ROOT, Fact, FactType
from personalize.rules.filters import HOW_MANY, Filter
from personalize.rules.operators import Asked
from personalize.rules.times import Times
from personalize.rules.unanswerable import Unanswerable
from personalize.rules.window import Window

#: What is said of a value that is missing.
NOT_KNOWN = "not known"
#: How often something happened that has not happened.
NEVER = "never"
#: What stands before a split, of which visitors have a place each.
PLACE_IN = "their place in "
_UNANSWERABLE = {
    Unanswerable.PENDING: "pending: still being counted from the log",
    Unanswerable.RAISED: "not answered: the site's own code raised an error",
}
_READ_AS = {
    FactType.NUMBER: "a number",
    FactType.DATE: "a date",
    FactType.TIME: "a moment",
    FactType.VERSION: "a version",
}
#: Roots of facts that may hold several values and are said as if they held one.
_SELDOM_SEVERAL = frozenset({"page", "event"})


class Describer:
    """Says conditions and values as a person of this site would write them.

    `titles` are those of segments, by their id.
    """

    def __init__(self, conventions: Conventions, titles: Mapping[str, str] | None = None) -> None:
        self._conventions = conventions
        self._titles = titles or {}

    def condition(self, condition: Condition, *, wanted: bool = True) -> str:
        """The condition as part of an English sentence, or its opposite where that is `wanted`."""
        match condition:
            case Leaf():
                return self.clause(" ".join(filter(None, self.question(condition, wanted=wanted))))
            case InSegment():
                return f'{"in" if wanted else "outside"} "{self.title(condition)}"'
            case Not():
                return self.condition(condition.part, wanted=not wanted)
            case All() | Any():
                return self._group(condition, wanted=wanted)

    def clause(self, text: str) -> str:
        """The words of one question, as they stand in a sentence."""
        return text

    def title(self, named: InSegment) -> str:
        """What a segment is called."""
        return self._titles.get(named.segment_id) or named.segment_id

    def _group(self, group: All | Any, *, wanted: bool) -> str:
        """The parts of a group; the opposite of a group is said as the group of their opposites."""
        is_all = isinstance(group, All) == wanted
        texts = list(self._parts(group.parts, wanted=wanted, is_all=is_all))
        return listed(texts, "and" if is_all else "or") or ("everyone" if is_all else "nobody")

    def _parts(self, parts: Sequence[Condition], *, wanted: bool, is_all: bool) -> Iterator[str]:
        waiting = list(parts)
        while waiting:
            one = waiting.pop(0)
            between = _happened_between(one, waiting[0]) if waiting and wanted and is_all else None
            if between is not None:
                waiting.pop(0)
                yield self.clause(" ".join(filter(None, self.happened(*between))))
            else:
                yield self.part(one, wanted=wanted, within_all=is_all)

    def part(self, part: Condition, *, wanted: bool, within_all: bool) -> str:
        """The words of a part of a group, so that they can't be taken apart where it is a group of the other kind."""
        return _bracketed(self.condition(part, wanted=wanted), part, wanted=wanted, within_all=within_all)

    def question(self, leaf: Leaf, *, wanted: bool) -> tuple[str, str]:
        """Who or what a question is about, and what is asked of it, or the opposite of that."""
        if isinstance(leaf.argument, Times):
            return self.happened(leaf.fact.title, _often(leaf.argument, wanted=wanted), _window_of(leaf.argument))
        if leaf.fact.type is FactType.INSTANT:
            return "", f"{'' if wanted else 'not '}{leaf.argument}"
        if leaf.fact.argument is not None:
            return quoted(leaf.fact.title), f"is{'' if wanted else ' not'} true"
        if leaf.fact.root == SPLIT_ROOT:
            return self._place(leaf.fact), f"is{'' if wanted else ' not'} among the first {_percent(leaf.argument)}"
        asked = leaf.fact.parts[0] if leaf.fact.type is FactType.PAIR else leaf.fact
        operator, subject = leaf.operator, self.subject(asked) + self._read_as(leaf)
        literal = _literal(leaf)
        if literal is not None:
            return subject, f"{'is' if wanted else 'is not'} exactly {self.value(leaf.fact, literal)}"
        if leaf.fact.many and operator.asked is not Asked.WHOLE and leaf.fact.root not in _SELDOM_SEVERAL:
            return f"{'one' if wanted else 'none'} of {subject}", operator.phrase.format(self._argument(leaf))
        return subject, (operator.phrase if wanted else operator.denied).format(self._argument(leaf))

    def happened(self, what: str, often: str, within: str) -> tuple[str, str]:
        """How often something happened, which may be `NEVER`, in which time."""
        return what, f"never happened{within}" if often == NEVER else f"happened {often}{within}"

    def subject(self, fact: Fact) -> str:
        """What a question is about, as rule files call it."""
        return fact.name

    def _read_as(self, leaf: Leaf) -> str:
        """What a value is read as, where the rule says so."""
        is_said = leaf.cast is not None and leaf.operator.reads_as is None and leaf.fact.type is not leaf.cast.type
        return f", read as {_READ_AS.get(leaf.cast.type, leaf.cast.type)}," if is_said and leaf.cast is not None else ""

    def _argument(self, leaf: Leaf) -> str:
        if isinstance(leaf.argument, Beside):
            return self._beside(leaf.argument)
        if isinstance(leaf.argument, Days):
            return str(leaf.argument) if leaf.word in ("before", "after") else leaf.argument.said
        if isinstance(leaf.argument, Filter):
            text = Describer(self._conventions).condition(leaf.argument.condition)
            return text.replace(f"{HOW_MANY.name} is ", "")
        if isinstance(leaf.argument, Listed) and leaf.word == "all_of":
            return listed([self._part(leaf.fact, one) for one in leaf.argument])
        if isinstance(leaf.argument, Listed | tuple) and leaf.word != "between":
            return listed([self._part(leaf.fact, one) for one in leaf.argument], "or")
        return self.value(leaf.fact, leaf.argument)

    def _place(self, split: Fact) -> str:
        """Where somebody stands in a split: each visitor, or all who share the value of a fact."""
        by = f" by {self.subject(split.parts[0])}" if split.parts else ""
        return f"{PLACE_IN}the split {quoted(split.key)}{by}"

    def _beside(self, beside: Beside) -> str:
        """What a fact is compared with."""
        other = self.subject(beside.other)
        limit = other if beside.percent is None else f"{beside.percent} percent of {other}"
        if beside.plus is None:
            return limit
        return f"{limit} {'minus' if beside.takes_away else 'plus'} {self.value(beside.other, abs(beside.plus))}"

    def _part(self, fact: Fact, value: object) -> str:
        """A value inside another one, or beside others."""
        match value:
            case None:
                return "nothing"
            case list() | tuple():
                return f"[{', '.join(self._part(fact, one) for one in value)}]"
            case Mapping():
                return "{" + ", ".join(f"{name}: {self._part(fact, one)}" for name, one in value.items()) + "}"
        return self.value(fact, value)

    def seen(self, leaf: Leaf, value: object) -> str:
        """The value that a question looked at, or why there is none; beside weekdays, with the day of the week."""
        if isinstance(value, Unanswerable):
            return _UNANSWERABLE[value]
        if leaf.fact.root == SPLIT_ROOT and value is not None:
            return f"at {_percent(value)}"
        text = self.value(leaf.fact, value)
        if not (isinstance(leaf.argument, Window) and isinstance(value, datetime)):
            return text
        local = value if leaf.argument.zone is None else value.astimezone(leaf.argument.zone)
        text = local.strftime("%Y-%m-%d %H:%M")
        return f"{DAY_NAMES[local.weekday()]} {text}" if leaf.argument.weekdays or leaf.argument.on else text

    def value(self, fact: Fact, value: object) -> str:
        """A fact's value, or the argument of a question about it; None is not known."""
        match value:
            case None:
                return NOT_KNOWN
            case bool():
                return "true" if value else "false"
            case tuple() if fact.type is FactType.TIMES:
                return f"{len(value)} {'time' if len(value) == 1 else 'times'} remembered"
            case Mapping():
                return self._part(fact, value)
            case tuple() | list():
                return " and ".join(self._part(fact, one) for one in value) or "none"
            case _:
                return self._single(fact, value)

    def _single(self, fact: Fact, value: object) -> str:
        match value:
            case Pair():
                left, right = fact.parts
                return f"{self.value(left, value.left)}, and {self.value(right, value.right)} beside it"
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


def _literal(leaf: Leaf) -> object | None:
    """The one list or mapping that the question compares the whole value with, None for any other question."""
    if leaf.word != "one_of" or not isinstance(leaf.argument, Listed):
        return None
    values = list(leaf.argument)
    return values[0] if len(values) == 1 and isinstance(values[0], list | Mapping) else None


def is_whole_list(leaf: Leaf) -> bool:
    """Whether a question is about a list as a whole."""
    return leaf.operator.asked is Asked.WHOLE or _literal(leaf) is not None


def _percent(share: object) -> str:
    """A share as percent, with as many digits as say where somebody stands."""
    assert isinstance(share, Decimal | float)
    return f"{Decimal(share) * 100:.4f}".rstrip("0").rstrip(".") + "%"


def listed(texts: Sequence[str], word: str = "and") -> str:
    """Texts as a list in a sentence: `a, b and c`."""
    return f" {word} ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def is_other_group(condition: Condition, *, wanted: bool, within_all: bool) -> bool:
    """Whether a part of a group is itself a group of some parts, and of the other kind."""
    while isinstance(condition, Not):
        condition, wanted = condition.part, not wanted
    is_group = isinstance(condition, All | Any) and len(condition.parts) > 1
    return is_group and (isinstance(condition, All) == wanted) != within_all


def _bracketed(text: str, condition: Condition, *, wanted: bool, within_all: bool) -> str:
    if not is_other_group(condition, wanted=wanted, within_all=within_all):
        return text
    if within_all:
        return f"either {text}"
    while isinstance(condition, Not):
        condition = condition.part
    return f"both {text}" if isinstance(condition, All | Any) and len(condition.parts) == 2 else f"({text})"


def _often(times: Times, *, wanted: bool) -> str:
    if times.count == 1:
        return "at least once" if wanted else NEVER
    return f"{'at least' if wanted else 'fewer than'} {times.count} times"


def _happened_between(first: Condition, second: Condition) -> tuple[str, str, str] | None:
    """Two questions that together say how often something happened, as one: at least so often, and not more."""
    match first, second:
        case Leaf(argument=Times() as low, fact=fact), Not(Leaf(argument=Times() as high, fact=same)):
            if fact == same and low.within == high.within and low.count < high.count:
                most = high.count - 1
                often = "exactly once" if most == 1 else f"exactly {most} times"
                return fact.title, often if low.count == most else f"{low.count} to {most} times", _window_of(low)
    return None


def _window_of(times: Times) -> str:
    return "" if times.within is None else f" within {format_duration(times.within)}"
