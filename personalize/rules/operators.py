"""The one table of operators: the words editors write, the types each takes, and what each means.

A positive operator holds or doesn't; a missing value or one of the wrong type never holds. A negative word
(`is_not`, `none_of`) is exactly the `not` of its positive one. Serving, explaining and counting ask the same
predicate, so there is nothing to drift apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from personalize.rules import arguments, predicates, scales
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.rules.predicates import Predicate
from personalize.rules.scales import Cuts
from personalize.yaml_tree import Node

TEXTS = frozenset({FactType.TEXT, FactType.CHOICE, FactType.ANY})
NUMBERS = frozenset({FactType.NUMBER, FactType.MONEY})
MOMENTS = frozenset({FactType.TIME, FactType.ANY})
DAYS = MOMENTS | {FactType.DATE}
ORDERED = NUMBERS | {FactType.TEXT, FactType.CLOCK, FactType.VERSION, FactType.ANY}
EQUAL = TEXTS | NUMBERS | {FactType.BOOL, FactType.DATE, FactType.CLOCK, FactType.VERSION}
SAME = EQUAL - {FactType.ANY, FactType.VERSION}
ANYTHING = EQUAL | DAYS
ELEMENTS = EQUAL - {FactType.CLOCK}
IN_LISTS = ELEMENTS | DAYS | {FactType.MAPPING}
VERSIONS = frozenset({FactType.TEXT, FactType.VERSION, FactType.ANY})
ADDRESSES = frozenset({FactType.TEXT, FactType.ANY})
IDS = TEXTS | {FactType.NUMBER}
ANY_VALUE = frozenset({FactType.ANY})

Reader = Callable[[Node, Fact, Conventions], object]


class Asked(Enum):
    """What an operator is asked of where a fact's value is a list: each element, until one will do; the list as a
    whole; or either."""

    EACH = "each"
    WHOLE = "whole"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Operator:
    """One positive operator.

    `read` turns what an editor wrote into the argument, or raises ArgumentError. `holds(element, argument, now)`
    is asked for one present element and guards its type. `phrase` says it in words, `denied` says its opposite,
    both with `{}` for the argument. `uses_now` operators change their answer as time goes by. `cuts` says at which
    points of which scale the answer can change; where it can't be said, every value is asked. `lists_only` operators
    go with lists alone. Where it `reads_as` a type, texts and values of the type `any` are read so before it is asked.
    One that minds case itself does not have values `fold`ed for it.
    """

    word: str
    types: frozenset[FactType]
    read: Reader
    holds: Predicate
    phrase: str
    denied: str
    uses_now: bool = False
    cuts: Callable[[object], Cuts | None] | None = None
    asked: Asked = Asked.EACH
    lists_only: bool = False
    reads_as: FactType | None = None
    folds: bool = True


def _read_by_the_parser(node: Node, fact: Fact, conventions: Conventions) -> object:
    raise AssertionError("what stands here names more than values of the fact")


# fmt: off
_TABLE = (
    Operator("is", EQUAL, arguments.read_value, predicates.equal, "is {}", "is not {}",
             cuts=scales.at_argument),
    Operator("same_as", SAME, _read_by_the_parser, predicates.equal, "is the same as {}", "is not the same as {}"),
    Operator("one_of", EQUAL, arguments.read_set, predicates.in_set, "is {}", "is not {}",
             asked=Asked.EITHER,
             cuts=scales.at_each),
    Operator("in_list", IDS, _read_by_the_parser, predicates.in_list, "is in the list {}", "is not in the list {}"),

    Operator("at_least", ORDERED, arguments.read_bound, predicates.at_least, "is at least {}", "is not at least {}",
             cuts=scales.from_argument_on),
    Operator("more_than", ORDERED, arguments.read_bound, predicates.more_than, "is more than {}", "is not more than {}",
             cuts=scales.above_argument),
    Operator("at_most", ORDERED, arguments.read_bound, predicates.at_most, "is at most {}", "is not at most {}",
             cuts=scales.above_argument),
    Operator("less_than", ORDERED, arguments.read_bound, predicates.less_than, "is less than {}", "is not less than {}",
             cuts=scales.from_argument_on),
    Operator("between", ORDERED | {FactType.DATE}, arguments.read_pair, predicates.between,
             "is between {}", "is not between {}",
             cuts=scales.at_ends),

    Operator("contains", TEXTS, arguments.read_parts, predicates.contains, "contains {}", "does not contain {}"),
    Operator("starts_with", TEXTS, arguments.read_texts, predicates.starts_with,
             "starts with {}", "does not start with {}",
             cuts=scales.at_beginnings),
    Operator("ends_with", TEXTS, arguments.read_texts, predicates.ends_with, "ends with {}", "does not end with {}"),
    Operator("like", TEXTS, arguments.read_likenesses, predicates.matches, "is like {}", "is not like {}"),
    Operator("matches", TEXTS, arguments.read_patterns, predicates.matches, "matches {}", "does not match {}",
             folds=False),
    Operator("exactly", TEXTS, arguments.read_exact_texts, predicates.in_set, "is exactly {}", "is not exactly {}",
             cuts=scales.at_each),

    Operator("any_of", ELEMENTS, arguments.read_some_values, predicates.any_of,
             "has any of {}", "does not have any of {}", asked=Asked.WHOLE, lists_only=True),
    Operator("all_of", ELEMENTS, arguments.read_some_values, predicates.all_of,
             "has all of {}", "does not have all of {}", asked=Asked.WHOLE, lists_only=True),
    Operator("some", IN_LISTS, _read_by_the_parser, predicates.some,
             "has an element where {}", "does not have an element where {}",
             asked=Asked.WHOLE, lists_only=True, folds=False),
    Operator("size", IN_LISTS, _read_by_the_parser, predicates.size,
             "has {} elements", "does not have {} elements", asked=Asked.WHOLE, lists_only=True),

    Operator("exists", ANYTHING | IN_LISTS, arguments.read_flag, predicates.exists, "is known", "is not known",
             asked=Asked.WHOLE,
             cuts=scales.nowhere),
    Operator("type", ANY_VALUE, arguments.read_json_types, predicates.is_of_type,
             "is of the type {}", "is not of the type {}", asked=Asked.WHOLE),

    Operator("within", MOMENTS, arguments.read_duration, predicates.age_at_most,
             "is at most {} ago", "is not within the last {}", uses_now=True, reads_as=FactType.TIME,
             cuts=scales.at_age),
    Operator("older_than", MOMENTS, arguments.read_duration, predicates.age_more_than,
             "is more than {} ago", "is not more than {} ago", uses_now=True, reads_as=FactType.TIME,
             cuts=scales.at_age),
    Operator("before", DAYS, arguments.read_day_or_moment, predicates.before, "is before {}", "is not before {}",
             reads_as=FactType.TIME, cuts=scales.from_argument_on),
    Operator("after", DAYS, arguments.read_day_or_moment, predicates.after, "is after {}", "is not after {}",
             reads_as=FactType.TIME, cuts=scales.above_argument),
    Operator("on", DAYS, arguments.read_days, predicates.on, "is {}", "is not {}",
             uses_now=True, reads_as=FactType.TIME),
    Operator("anniversary", DAYS, arguments.read_days, predicates.anniversary,
             "comes round {}", "does not come round {}", uses_now=True, reads_as=FactType.TIME),

    Operator("version_is", VERSIONS, arguments.read_value, predicates.equal,
             "is version {}", "is not version {}", reads_as=FactType.VERSION),
    Operator("version_at_least", VERSIONS, arguments.read_value, predicates.at_least,
             "is version {} or later", "is not version {} or later", reads_as=FactType.VERSION),
    Operator("version_more_than", VERSIONS, arguments.read_value, predicates.more_than,
             "is later than version {}", "is not later than version {}", reads_as=FactType.VERSION),
    Operator("version_at_most", VERSIONS, arguments.read_value, predicates.at_most,
             "is version {} or earlier", "is not version {} or earlier", reads_as=FactType.VERSION),
    Operator("version_less_than", VERSIONS, arguments.read_value, predicates.less_than,
             "is earlier than version {}", "is not earlier than version {}", reads_as=FactType.VERSION),
    Operator("version_in", VERSIONS, arguments.read_version_ranges, predicates.in_version_range,
             "is a version in {}", "is not a version in {}", reads_as=FactType.VERSION),

    Operator("in_network", ADDRESSES, arguments.read_networks, predicates.in_network,
             "is in the network {}", "is not in the network {}"),
)
# fmt: on

#: Made by `did:` and by the `when:` of a rule; editors never write these two as operators.
HAPPENED = Operator(
    word="did",
    types=frozenset({FactType.TIMES}),
    read=_read_by_the_parser,
    holds=predicates.happened,
    phrase="{}",
    denied="not {}",
    uses_now=True,
    cuts=scales.at_window,
    asked=Asked.WHOLE,
)
IN_WINDOW = Operator(
    "when",
    frozenset({FactType.INSTANT}),
    _read_by_the_parser,
    predicates.in_window,
    "{}",
    "not {}",
    cuts=scales.each_minute,
)

#: The positive operators by their word.
OPERATORS: Mapping[str, Operator] = MappingProxyType({operator.word: operator for operator in _TABLE})
#: A negative word and the positive one whose `not` it is.
NEGATIVES: Mapping[str, str] = MappingProxyType({"is_not": "is", "none_of": "one_of"})
