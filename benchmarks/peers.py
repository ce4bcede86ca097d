"""Others that decide, given the same rules: each turns a condition into its own form and picks a rule for each slot.

Every peer gets what it has no word for ready made, outside of the timing: ages, the age of the k-th latest event, days
as numbers. What it needs for one request (its context object) is inside. GrowthBook, flagd and Unleash get segments
written out, LaunchDarkly has its own. Unleash and LaunchDarkly know no any/not: they get one strategy or rule for each
conjunction.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.shop import NOW, SLOTS, Shop, Visitor
from personalize.events.event import to_micros
from personalize.rules.conditions import All, Condition, InSegment, Leaf, Not
from personalize.rules.definitions import Rule
from personalize.rules.equality import Listed
from personalize.rules.times import Times
from personalize.rules.window import Window

Attributes = Mapping[str, Any]
#: What each slot shows, by the id of the winning rule; None for its default.
Winners = tuple[str | None, ...]
Ask = Callable[[Attributes], Winners]
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Test:
    """A question as every peer can ask it: `op` is one of in, ge, gt, le, lt, prefix; a missing attribute is a no."""

    attribute: str
    op: str
    value: Any


def tests_of(leaf: Leaf) -> tuple[Test, ...]:
    """What a leaf asks of ready-made attributes: all of these."""
    name, argument = leaf.fact.name.replace(".", "_"), leaf.argument
    assert not isinstance(argument, Window)
    match leaf.word:
        case "did":
            assert isinstance(argument, Times) and argument.within is not None
            return (Test(f"{name}_{argument.count}", "le", argument.within // _MICROSECOND),)
        case "within" | "older_than":
            assert isinstance(argument, timedelta)
            return (Test(name, "le" if leaf.word == "within" else "gt", argument // _MICROSECOND),)
        case "between":
            assert isinstance(argument, tuple)
            low, high = map(plain, argument)
            return (Test(name, "ge", low), Test(name, "le", high))
        case "is":
            return (Test(name, "in", (plain(argument),)),)
        case "one_of":
            assert isinstance(argument, Listed)
            return (Test(name, "in", tuple(map(plain, argument))),)
        case "starts_with":
            assert isinstance(argument, tuple)
            (beginning,) = argument
            return (Test(name, "prefix", beginning),)
    ops = {"at_least": "ge", "more_than": "gt", "after": "gt", "at_most": "le", "less_than": "lt", "before": "lt"}
    return (Test(name, ops[leaf.word], plain(argument)),)


def plain(value: object) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal()
    return float(value) if isinstance(value, Decimal) else value


def attributes_of(shop: Shop, visitor: Visitor) -> Attributes:
    """A visitor's facts as ready-made attributes; what is missing is left out."""
    found: dict[str, Any] = {}
    for name, value in visitor.items():
        attribute = name.replace(".", "_")
        if shop.facts[name].root == "did":
            assert isinstance(value, tuple)
            micros = to_micros(NOW)
            found |= {f"{attribute}_{k}": micros - at for k, at in enumerate(reversed(value), start=1)}
        elif isinstance(value, datetime):
            found[attribute] = (NOW - value) // _MICROSECOND
        elif value is not None:
            found[attribute] = plain(value)
    return found


@dataclass(frozen=True)
class Group:
    """Conditions of which all hold, or any, or (of a single one) not."""

    word: str
    parts: tuple["Form", ...]


#: A condition as peers can write it; a text is the id of a segment.
Form = Test | Group | str


def form_of(condition: Condition, shop: Shop, *, own_segments: bool = False) -> Form:
    """The condition for a peer; with segments written out where it has none of its own."""
    match condition:
        case Leaf():
            tests = tests_of(condition)
            return tests[0] if len(tests) == 1 else Group("all", tests)
        case InSegment(segment_id):
            who = shop.rule_set.segments[segment_id].who
            return segment_id if own_segments else form_of(who, shop)
        case Not(part):
            return Group("not", (form_of(part, shop, own_segments=own_segments),))
    parts = tuple(form_of(part, shop, own_segments=own_segments) for part in condition.parts)
    return Group("all" if isinstance(condition, All) else "any", parts)


Literals = tuple[tuple[Test | str, bool], ...]


def conjunctions(form: Form, wanted: bool = True) -> list[Literals]:
    """The form as an any of alls, without a bound; what contradicts itself is left out."""
    if not isinstance(form, Group):
        return [((form, wanted),)]
    if form.word == "not":
        return conjunctions(form.parts[0], not wanted)
    parts = [conjunctions(part, wanted) for part in form.parts]
    if (form.word == "all") is not wanted:
        return [one for part in parts for one in part]
    found: list[Literals] = [()]
    for part in parts:
        found = [tuple(dict.fromkeys((*left, *right))) for left in found for right in part]
        found = [one for one in found if not any((test, not side) in one for test, side in one)]
    return found


def rules_by_slot(shop: Shop) -> Iterator[tuple[str, Sequence[Rule]]]:
    """The rules of each slot in their order."""
    for slot in SLOTS:
        yield slot, shop.rule_set.slots[slot].rules


# Hand-written closures ---------------------------------------------------------------------------------


def closures(shop: Shop) -> Ask:
    """Functions inside functions, as an engineer would write them; a segment is asked once a visitor."""
    slots = [
        [(rule.rule_id, _closure(form_of(rule.condition, shop, own_segments=True), shop)) for rule in rules]
        for _, rules in rules_by_slot(shop)
    ]

    def ask(attributes: Attributes) -> Winners:
        memory: dict[str, bool] = {}
        return tuple(next((one for one, holds in rules if holds(attributes, memory)), None) for rules in slots)

    return ask


Closure = Callable[[Attributes, dict[str, bool]], bool]


def _closure(form: Form, shop: Shop) -> Closure:
    if isinstance(form, Test):
        return _plain_closure(form)
    if isinstance(form, str):
        who = form_of(shop.rule_set.segments[form].who, shop, own_segments=True)
        return _segment_closure(form, _closure(who, shop))
    parts = [_closure(part, shop) for part in form.parts]
    if form.word == "not":
        (inner,) = parts
        return lambda a, m: not inner(a, m)
    if form.word == "all":

        def every(a: Attributes, m: dict[str, bool]) -> bool:
            for part in parts:  # noqa: SIM110  (quicker than all() with a generator)
                if not part(a, m):
                    return False
            return True

        return every

    def some(a: Attributes, m: dict[str, bool]) -> bool:
        for part in parts:  # noqa: SIM110
            if part(a, m):
                return True
        return False

    return some


def _segment_closure(segment_id: str, inner: Closure) -> Closure:
    def member(a: Attributes, m: dict[str, bool]) -> bool:
        known = m.get(segment_id)
        if known is None:
            known = m[segment_id] = inner(a, m)
        return known

    return member


def _plain_closure(test: Test) -> Closure:
    name, value = test.attribute, test.value
    match test.op:
        case "in":
            values = frozenset(value)
            if name == "profile_tags":
                return lambda a, m: not values.isdisjoint(a.get(name, ()))
            return lambda a, m: a.get(name) in values
        case "prefix":
            return lambda a, m: name in a and a[name].startswith(value)
        case "ge":
            return lambda a, m: name in a and a[name] >= value
        case "gt":
            return lambda a, m: name in a and a[name] > value
        case "le":
            return lambda a, m: name in a and a[name] <= value
        case _:
            return lambda a, m: name in a and a[name] < value


# GrowthBook --------------------------------------------------------------------------------------------


def growthbook(shop: Shop) -> Ask:
    """One shared object; the attributes of a request are set once."""
    from growthbook import GrowthBook  # noqa: PLC0415

    features = {
        slot: {
            "defaultValue": None,
            "rules": [{"condition": _mongo(form_of(rule.condition, shop)), "force": rule.rule_id} for rule in rules],
        }
        for slot, rules in rules_by_slot(shop)
    }
    engine = GrowthBook(features=features)

    def ask(attributes: Attributes) -> Winners:
        engine.set_attributes(dict(attributes))
        return tuple(engine.eval_feature(slot).value for slot in SLOTS)

    return ask


def _mongo(form: Form) -> dict[str, Any]:
    if isinstance(form, Test):
        return {form.attribute: _mongo_test(form)}
    assert isinstance(form, Group)
    if form.word == "not":
        return {"$not": _mongo(form.parts[0])}
    return {"$and" if form.word == "all" else "$or": [_mongo(part) for part in form.parts]}


def _mongo_test(test: Test) -> Any:
    if test.op == "prefix":
        return {"$regex": f"^{test.value}"}
    if test.op == "in":
        is_single = len(test.value) == 1 and test.attribute != "profile_tags"
        return test.value[0] if is_single else {"$in": list(test.value)}
    return {{"ge": "$gte", "gt": "$gt", "le": "$lte", "lt": "$lt"}[test.op]: test.value}


# Unleash -----------------------------------------------------------------------------------------------


def unleash(shop: Shop) -> Ask:
    """The engine of Unleash's SDKs, in Rust: a toggle for each slot, a strategy for each conjunction."""
    from yggdrasil_engine.engine import UnleashEngine  # noqa: PLC0415

    toggles = [
        {"name": slot, "enabled": True, "type": "release", "project": "shop", "strategies": _strategies(rules, shop)}
        for slot, rules in rules_by_slot(shop)
    ]
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": toggles}))

    def ask(attributes: Attributes) -> Winners:
        tags = attributes.get("profile_tags", ())
        properties = {name: _as_text(value) for name, value in attributes.items() if name != "profile_tags"}
        properties |= {f"tag_{tag}": "yes" for tag in tags}
        context = {"userId": "1", "properties": properties}
        found = [engine.check_variant(slot, context).variant for slot in SLOTS]
        return tuple(one.name if one.enabled else None for one in found)

    return ask


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _strategies(rules: Sequence[Rule], shop: Shop) -> list[dict[str, Any]]:
    return [
        {
            "name": "default",
            "constraints": [_constraint(test, wanted) for test, wanted in literals],
            "variants": [{"name": rule.rule_id, "weight": 1000, "stickiness": "userId"}],
        }
        for rule in rules
        for literals in conjunctions(_one_tag_a_test(form_of(rule.condition, shop)))
    ]


def _one_tag_a_test(form: Form) -> Form:
    """A context of Unleash has no lists: each tag is a property of its own."""
    if isinstance(form, Group):
        return Group(form.word, tuple(map(_one_tag_a_test, form.parts)))
    if isinstance(form, Test) and form.attribute == "profile_tags":
        return Group("any", tuple(Test(f"tag_{tag}", "in", ("yes",)) for tag in form.value))
    return form


def _constraint(test: Test | str, wanted: bool) -> dict[str, Any]:
    assert isinstance(test, Test)
    words = {"in": "IN", "prefix": "STR_STARTS_WITH", "ge": "NUM_GTE", "gt": "NUM_GT", "le": "NUM_LTE", "lt": "NUM_LT"}
    found: dict[str, Any] = {"contextName": test.attribute, "operator": words[test.op], "inverted": not wanted}
    match test.op:
        case "in":
            return found | {"values": [_as_text(value) for value in test.value]}
        case "prefix":
            return found | {"values": [test.value]}
    return found | {"value": str(test.value)}


# flagd -------------------------------------------------------------------------------------------------


def flagd(shop: Shop) -> Ask:
    """The evaluator of flagd's in-process provider: JsonLogic, a chain of if and else for each slot."""
    from openfeature.contrib.tools.flagd.core import FlagdCore  # noqa: PLC0415
    from openfeature.evaluation_context import EvaluationContext  # noqa: PLC0415

    flags = {}
    for slot, rules in rules_by_slot(shop):
        chain = [part for rule in rules for part in (_json_logic(form_of(rule.condition, shop)), rule.rule_id)]
        variants = {rule.rule_id: rule.rule_id for rule in rules} | {"none": ""}
        targeting = {"if": [*chain, "none"]} if chain else {}
        flags[slot] = {"state": "ENABLED", "variants": variants, "defaultVariant": "none", "targeting": targeting}
    engine = FlagdCore()
    engine.set_flags({"flags": flags})

    def ask(attributes: Attributes) -> Winners:
        context = EvaluationContext("1", dict(attributes))
        return tuple(engine.resolve_string_value(slot, "", context).value or None for slot in SLOTS)

    return ask


def _json_logic(form: Form) -> dict[str, Any]:
    if isinstance(form, Group):
        word = {"all": "and", "any": "or", "not": "!"}[form.word]
        return {word: [_json_logic(part) for part in form.parts]}
    assert isinstance(form, Test)
    variable = {"var": form.attribute}
    match form.op:
        case "in" if form.attribute == "profile_tags":
            tests = [{"in": [tag, {"var": [form.attribute, []]}]} for tag in form.value]
            return tests[0] if len(tests) == 1 else {"or": tests}
        case "in" if len(form.value) == 1:
            return {"===": [variable, form.value[0]]}
        case "in":
            return {"in": [variable, list(form.value)]}
        case "prefix":
            return {"starts_with": [variable, form.value]}
    compared = {{"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}[form.op]: [variable, form.value]}
    # To JsonLogic, what is missing is 0.
    return {"and": [{"!==": [variable, None]}, compared]}


# LaunchDarkly ------------------------------------------------------------------------------------------


def launchdarkly(shop: Shop) -> Ask:
    """LaunchDarkly's server SDK, offline, from a file: a rule for each conjunction, and its own segments."""
    from ldclient import Context, LDClient  # noqa: PLC0415
    from ldclient.config import Config  # noqa: PLC0415
    from ldclient.integrations import Files  # noqa: PLC0415

    flags = {slot: _ld_flag(slot, rules, shop) for slot, rules in rules_by_slot(shop)}
    segments = {one: _ld_segment(one, shop) for one in shop.rule_set.segments}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        Path(file.name).write_text(json.dumps({"flags": flags, "segments": segments}), encoding="utf-8")
        config = Config("key", update_processor_class=Files.new_data_source(paths=[file.name]), send_events=False)
        client = LDClient(config, start_wait=60)

    # A negated clause does not hold for what is missing, so it has to be there.
    missing = {test.attribute: "(missing)" for test in _tests(shop)}

    def ask(attributes: Attributes) -> Winners:
        builder = Context.builder("1")
        for name, value in {**missing, **attributes}.items():
            builder.set(name, value)
        context = builder.build()
        return tuple(client.variation(slot, context, None) for slot in SLOTS)

    return ask


def _tests(shop: Shop) -> Iterator[Test]:
    """Every test of every rule."""
    waiting = [form_of(rule.condition, shop) for _, rules in rules_by_slot(shop) for rule in rules]
    while waiting:
        form = waiting.pop()
        if isinstance(form, Group):
            waiting += form.parts
        elif isinstance(form, Test):
            yield form


def _ld_flag(slot: str, rules: Sequence[Rule], shop: Shop) -> dict[str, Any]:
    written = [
        {"id": f"{number}", "variation": number, "clauses": [_ld_clause(*literal) for literal in literals]}
        for number, rule in enumerate(rules)
        for literals in conjunctions(form_of(rule.condition, shop, own_segments=True))
    ]
    return {
        "key": slot,
        "version": 1,
        "on": True,
        "variations": [*(rule.rule_id for rule in rules), None],
        "fallthrough": {"variation": len(rules)},
        "offVariation": len(rules),
        "salt": "",
        "rules": written,
    }


def _ld_segment(segment_id: str, shop: Shop) -> dict[str, Any]:
    form = form_of(shop.rule_set.segments[segment_id].who, shop, own_segments=True)
    rules = [{"clauses": [_ld_clause(*literal) for literal in literals]} for literals in conjunctions(form)]
    return {"key": segment_id, "version": 1, "included": [], "excluded": [], "salt": "", "rules": rules}


def _ld_clause(test: Test | str, wanted: bool) -> dict[str, Any]:
    if isinstance(test, str):
        return {"attribute": "", "op": "segmentMatch", "values": [test], "negate": not wanted}
    words = {
        "in": "in",
        "prefix": "startsWith",
        "ge": "greaterThanOrEqual",
        "gt": "greaterThan",
        "le": "lessThanOrEqual",
        "lt": "lessThan",
    }
    values = list(test.value) if test.op == "in" else [test.value]
    return {"attribute": test.attribute, "op": words[test.op], "values": values, "negate": not wanted}


PEERS: Mapping[str, Callable[[Shop], Ask]] = {
    "closures": closures,
    "growthbook": growthbook,
    "unleash": unleash,
    "flagd": flagd,
    "launchdarkly": launchdarkly,
}
