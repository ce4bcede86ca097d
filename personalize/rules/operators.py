"""The one table of operators: the words editors write, the types each takes, and what each means.

A positive operator holds or doesn't; a missing value or one of the wrong type never holds. A negative word
(`is_not`, `none_of`) is exactly the `not` of its positive one. Serving, explaining and counting ask the same
predicate, so there is nothing to drift apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from personalize.rules import predicates, scales
from personalize.rules.arguments import (
    read_bound,
    read_day_or_moment,
    read_days,
    read_duration,
    read_flag,
    read_pair,
    read_set,
    read_texts,
    read_value,
)
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.rules.predicates import Predicate
from personalize.rules.scales import Cuts
from personalize.yaml_tree import Node

TEXTS = frozenset({FactType.TEXT, FactType.CHOICE})
NUMBERS = frozenset({FactType.NUMBER, FactType.MONEY})
DAYS = frozenset({FactType.DATE, FactType.TIME})
TIME_ONLY = frozenset({FactType.TIME})
ORDERED = NUMBERS | {FactType.TEXT, FactType.CLOCK}
EQUAL = TEXTS | NUMBERS | {FactType.BOOL, FactType.DATE, FactType.CLOCK}
ANYTHING = EQUAL | DAYS

Reader = Callable[[Node, Fact, Conventions], object]


@dataclass(frozen=True, slots=True)
class Operator:
    """One positive operator.

    `read` turns what an editor wrote into the argument, or raises ArgumentError. `holds(element, argument, now)`
    is asked for one present element and guards its type. `phrase` says it in words, `denied` says its opposite,
    both with `{}` for the argument. `uses_now` operators change their answer as time goes by. `cuts` says at which
    points of which scale the answer can change; where it can't be said, every value is asked.
    """

    word: str
    types: frozenset[FactType]
    read: Reader
    holds: Predicate
    phrase: str
    denied: str
    uses_now: bool = False
    cuts: Callable[[object], Cuts | None] | None = None


def _not_written(node: Node, fact: Fact, conventions: Conventions) -> object:
    raise AssertionError("made by `did` and `when`, never written as an operator")


# fmt: off
_TABLE = (
    Operator("is", EQUAL, read_value, predicates.equal, "is {}", "is not {}",
             cuts=scales.at_argument),
    Operator("one_of", EQUAL, read_set, predicates.in_set, "is {}", "is not {}",
             cuts=scales.at_each),

    Operator("at_least", ORDERED, read_bound, predicates.at_least, "is at least {}", "is not at least {}",
             cuts=scales.from_argument_on),
    Operator("more_than", ORDERED, read_bound, predicates.more_than, "is more than {}", "is not more than {}",
             cuts=scales.above_argument),
    Operator("at_most", ORDERED, read_bound, predicates.at_most, "is at most {}", "is not at most {}",
             cuts=scales.above_argument),
    Operator("less_than", ORDERED, read_bound, predicates.less_than, "is less than {}", "is not less than {}",
             cuts=scales.from_argument_on),
    Operator("between", ORDERED | {FactType.DATE}, read_pair, predicates.between,
             "is between {}", "is not between {}", cuts=scales.at_ends),

    Operator("contains", TEXTS, read_texts, predicates.contains, "contains {}", "does not contain {}"),
    Operator("starts_with", TEXTS, read_texts, predicates.starts_with, "starts with {}", "does not start with {}",
             cuts=scales.at_beginnings),
    Operator("ends_with", TEXTS, read_texts, predicates.ends_with, "ends with {}", "does not end with {}"),

    Operator("exists", ANYTHING, read_flag, predicates.exists, "is known", "is not known",
             cuts=scales.nowhere),

    Operator("within", TIME_ONLY, read_duration, predicates.age_at_most, "is at most {} ago", "is not within {}",
             uses_now=True, cuts=scales.at_age),
    Operator("older_than", TIME_ONLY, read_duration, predicates.age_more_than,
             "is more than {} ago", "is not older than {}", uses_now=True, cuts=scales.at_age),
    Operator("before", DAYS, read_day_or_moment, predicates.before, "is before {}", "is not before {}",
             cuts=scales.from_argument_on),
    Operator("after", DAYS, read_day_or_moment, predicates.after, "is after {}", "is not after {}",
             cuts=scales.above_argument),
    Operator("on", DAYS, read_days, predicates.on, "is {}", "is not {}", uses_now=True),
    Operator("anniversary", DAYS, read_days, predicates.anniversary,
             "has an anniversary {}", "does not have an anniversary {}", uses_now=True),
)
# fmt: on

#: Made by `did:` and by the `when:` of a rule; editors never write these two as operators.
HAPPENED = Operator(
    "did",
    frozenset({FactType.TIMES}),
    _not_written,
    predicates.happened,
    "{}",
    "not {}",
    uses_now=True,
    cuts=scales.at_window,
)
IN_WINDOW = Operator("when", frozenset({FactType.INSTANT}), _not_written, predicates.in_window, "{}", "not {}")

#: The positive operators by their word.
OPERATORS: Mapping[str, Operator] = MappingProxyType({operator.word: operator for operator in _TABLE})
#: A negative word and the positive one whose `not` it is.
NEGATIVES: Mapping[str, str] = MappingProxyType({"is_not": "is", "none_of": "one_of"})
