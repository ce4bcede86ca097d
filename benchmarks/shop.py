"""A shop's rules and visitors, made by chance from a seed: what the benchmarks of rules and segments measure.

Fixed before any figure was looked at: five slots, five predicates a rule, any/not groups in a third of the rules,
a segment in three of ten, segments that name one another in a fifth; a rule holds for about three visitors in a
thousand, so that who asks rules one by one has to ask most of them. With segments and counters a page probes about
37 facts and groups of segments; the `small` shop has 14 facts, no counters, no segments.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from jinja2 import DictLoader

from personalize.events.event import to_micros
from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.rules.ruleset import RuleSet, compile_rule_set, read_checked, version_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SLOTS = tuple(f"place-{number}" for number in range(1, 6))
GROUPED, IN_SEGMENT, NESTED_SEGMENT = 1 / 3, 0.3, 0.2
RULES_A_FILE = 200
TEMPLATE, TEMPLATE_TEXT = "thing.html", "<p>{{ item.title }}</p>"
SEGMENTS = {10: 5, 100: 20, 1_000: 40, 10_000: 60}
#: How often a messy visitor's fact is something else than the rules expect.
MESSY = 0.05

COUNTRIES = ("no", "se", "dk", "fi", "de", "nl", "gb", "fr", "es", "it", "pl", "us")
CITIES = tuple(f"city-{number}" for number in range(60))
TAGS = tuple(f"tag-{number}" for number in range(40))
PATHS = tuple(f"/{part}/{page}" for part in ("shop", "news", "help", "blog") for page in range(25))
WORDS: Mapping[str, tuple[str, ...]] = {
    "profile.country": COUNTRIES,
    "profile.city": CITIES,
    "profile.tier": ("basic", "silver", "gold"),
    "page.device": ("desktop", "mobile", "tablet"),
    "page.browser": ("chrome", "firefox", "safari", "edge"),
    "page.os": ("windows", "macos", "ios", "android", "linux"),
    "page.language": ("nb", "en", "de", "sv", "fr"),
    "visit.source": ("google", "newsletter", "facebook", "direct", "partner"),
    "visit.medium": ("cpc", "email", "organic", "social"),
    "visit.campaign": tuple(f"campaign-{number}" for number in range(30)),
    "visitor.state": ("new", "active", "cooling", "lapsed", "returned"),
    "page.host": ("shop.example", "www.shop.example", "m.shop.example"),
}
#: The largest number asked for, and how many different limits the rules use.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "profile.age": (90, 45),
    "profile.points": (5_000, 50),
    "purchase.count": (40, 20),
    "purchase.total": (2_000, 40),
    "visitor.visits": (100, 25),
    "visit.pages": (30, 15),
    "profile.children": (6, 6),
}
AGES = ("purchase.last", "visitor.last_seen", "profile.renewed")
LENGTHS = (1, 3, 7, 14, 30, 60, 90, 180, 365)
COUNTERS: tuple[Mapping[str, object], ...] = (
    {"did": "purchase"},
    {"did": "purchase", "where": {"category": "tents"}},
    {"did": "look"},
    {"did": "look", "where": {"category": "boots"}},
)
SMALL_WORDS = tuple(WORDS)[:8]
SMALL_FACTS = (
    *SMALL_WORDS,
    "profile.age",
    "profile.points",
    "purchase.count",
    "purchase.total",
    "page.path",
    "profile.tags",
)

DECLARED = {
    "attributes": {
        "country": {"type": "text", "fold": True},
        "city": {"type": "text"},
        "tier": {"type": "choice", "choices": list(WORDS["profile.tier"])},
        "age": {"type": "number"},
        "points": {"type": "number"},
        "children": {"type": "number"},
        "renewed": {"type": "time"},
        "birthday": {"type": "date"},
        "newsletter": {"type": "bool"},
        "tags": {"type": "list", "of": "text"},
    },
    "events": {
        "purchase": {"properties": {"amount": {"type": "money"}, "category": {"type": "text"}}, "value": "amount"},
        "look": {"properties": {"category": {"type": "text"}}},
    },
}

Written = dict[str, object]
Visitor = dict[str, object]


@dataclass(frozen=True)
class Shop:
    """Rule files by path, and what they make."""

    files: Mapping[str, str]
    rule_set: RuleSet

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts that its rules read, by name."""
        return self.rule_set.facts


def make_shop(rules: int, *, seed: int = 7, small: bool = False) -> Shop:
    """A shop with so many rules in its five slots."""
    files = rule_files(rules, seed=seed, small=small)
    return Shop(files, load(files))


def load(files: Mapping[str, str]) -> RuleSet:
    """The rule set of the files, with an item for each slot."""
    problems, conventions, content = Problems(), Conventions(), content_files(SLOTS)
    templates = DictLoader({TEMPLATE: TEMPLATE_TEXT})
    read = read_checked(files, content, templates=templates, conventions=conventions, problems=problems)
    assert read is not None, problems.list[:3]
    return compile_rule_set(version_of({**files, **content}), *read, conventions)


def content_files(slots: Sequence[str]) -> dict[str, str]:
    """The texts of an item for each slot, by path."""
    items = {f"content/things/{slot}.md": f"---\ntitle: {slot}\n---\nWords." for slot in slots}
    return {
        "content/collections.yaml": f"collections: {{things: {{kind: thing, template: {TEMPLATE}, fields: {{}}}}}}"
    } | items


def rule_files(rules: int, *, seed: int = 7, small: bool = False, slots: Sequence[str] = SLOTS) -> dict[str, str]:
    """The texts of a shop's rule files, by path, a file for each slot; JSON, which is YAML."""
    rng = random.Random(f"{seed} rules")
    segments = 0 if small else SEGMENTS.get(rules, max(5, min(60, rules // 25)))
    names = [f"crowd-{number}" for number in range(segments)]
    crowds = {name: {"who": _segment(rng, names[:at], small)} for at, name in enumerate(names)}
    files = {
        "rules/declared.yaml": json.dumps(DECLARED),
        "rules/segments.yaml": json.dumps({"segments": crowds} if crowds else {}),
    }
    for at, slot in enumerate(slots):
        made = [_rule(rng, number, slot, names, small) for number in range(at, rules, len(slots))]
        listed = "".join(f"      - {json.dumps(rule)}\n" for rule in made)
        files[f"rules/{slot}.yaml"] = f"slots:\n  {slot}:\n    page: home\n    rules:\n{listed}"
    return files


def _rule(rng: random.Random, number: int, slot: str, segments: list[str], small: bool) -> Written:
    parts = [_predicate(rng, small) for _ in range(5)]
    if segments and rng.random() < IN_SEGMENT:
        parts[0] = {"segment": rng.choice(segments)}
    if rng.random() < GROUPED:
        first, second, third, *rest = parts
        any_of: Written = {"any": [{"all": [first, {"not": second}]}, {"all": [second, third]}]}
        parts = [any_of, *rest] if rng.random() < 0.5 else [first, {"any": [second, third]}, *rest]
    return {"id": f"rule-{number}", "to": {"all": parts}, "show": f"things/{slot}"}


def _segment(rng: random.Random, earlier: list[str], small: bool) -> Written:
    parts = [_predicate(rng, small) for _ in range(3)]
    if earlier and rng.random() < NESTED_SEGMENT:
        parts[0] = {"segment": rng.choice(earlier)}
    if rng.random() < GROUPED:
        return {"all": [parts[0], {"any": parts[1:]}]}
    return {"all": parts}


def _predicate(rng: random.Random, small: bool) -> Written:
    kinds = ("words", "words", "number", "number", "tags", "path") if small else (
        "words", "words", "words", "number", "number", "number", "tags", "path", "age", "age", "counter", "counter",
        "flag", "birthday", "weekday", "hour",
    )  # fmt: skip
    kind = rng.choice(kinds)
    match kind:
        case "words":
            return _words(rng, small)
        case "number":
            return _number(rng, small)
        case "tags":
            return {"profile.tags": rng.choice([_skewed(rng, TAGS), rng.sample(TAGS, 3)])}
        case "path":
            return {
                "page.path": {"starts_with": rng.choice(["/help", "/blog", _skewed(rng, PATHS), _skewed(rng, PATHS)])}
            }
        case "age":
            word, days = rng.choice([("within", rng.choice(LENGTHS[:6])), ("older_than", rng.choice(LENGTHS[5:]))])
            return {rng.choice(AGES): {word: f"{days} days"}}
        case "counter":
            times, days = {"at_least": rng.randint(1, 4)}, rng.choice(LENGTHS)
            return {**rng.choice(COUNTERS), "times": times, "within": f"{days} days"}
        case "flag":
            return {"profile.newsletter": rng.random() < 0.5}
        case "birthday":
            year = rng.randint(1940, 2005)
            return {"profile.birthday": {"after": f"{year}-01-01", "before": f"{year + 10}-01-01"}}
        case "weekday":
            return {"now.weekday": rng.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 2)}
        case _:
            hour = rng.randint(0, 23)
            return {"now.hour": {"between": [hour, hour + 6]}}


def _words(rng: random.Random, small: bool) -> Written:
    name = rng.choice(SMALL_WORDS if small else list(WORDS))
    words = WORDS[name]
    match rng.randint(0, 5):
        case 0:
            return {name: {"is_not": rng.choice(words)}}
        case 1 | 2:
            return {name: _skewed(rng, words)}
        case _:
            return {name: rng.sample(words, 2 if len(words) > 5 else 1)}


def _number(rng: random.Random, small: bool) -> Written:
    name = rng.choice([one for one in NUMBERS if one in SMALL_FACTS] if small else list(NUMBERS))
    most, limits = NUMBERS[name]
    step = max(1, most // limits)
    low, high = sorted(rng.sample(range(0, most + 1, step), 2))
    near = low + step * rng.randint(1, max(1, limits // 4))
    return {name: rng.choice([{"at_least": high}, {"less_than": max(step, low // 2)}, {"between": [low, near]}])}


def _skewed(rng: random.Random, words: tuple[str, ...]) -> str:
    return words[int(len(words) * rng.random() ** 2)]


def make_visitors(shop: Shop, count: int, *, seed: int = 11, messy: bool = False) -> list[Visitor]:
    """What so many different visitors' facts are, every fact answered, None for what is missing."""
    rng = random.Random(f"{seed} visitors")
    return [_visitor(rng, shop.facts, messy) for _ in range(count)]


def _visitor(rng: random.Random, facts: Mapping[str, Fact], messy: bool) -> Visitor:
    values: Visitor = {}
    for name, fact in facts.items():
        if messy and fact.type is not FactType.TIMES and rng.random() < MESSY:
            values[name] = rng.choice(_MESSY)
        else:
            values[name] = _value(rng, fact)
    return values


_MESSY = (None, float("nan"), float("inf"), 10**400, {"a": 1}, ["x", 3, None], "12", "x" * 300, True, 2**53 + 1, b"")


def _value(rng: random.Random, fact: Fact) -> object:
    if fact.stored and rng.random() < 0.1:
        return () if fact.type is FactType.TIMES else None
    if fact.name in WORDS:
        return _skewed(rng, WORDS[fact.name])
    if fact.name in NUMBERS:
        most = NUMBERS[fact.name][0] * (100 if fact.type is FactType.MONEY else 1)
        return int(most * 1.1 * rng.random() ** 2)
    match fact.type:
        case FactType.TIMES:
            ages = sorted((rng.randint(0, 400 * 86_400) for _ in range(rng.randint(0, 4))), reverse=True)
            return tuple(to_micros(NOW - timedelta(seconds=age)) for age in ages)
        case FactType.TIME:
            return NOW - timedelta(seconds=rng.randint(0, 500 * 86_400))
        case FactType.DATE:
            return date(1940, 1, 1) + timedelta(days=rng.randint(0, 27_000))
        case FactType.BOOL:
            return rng.random() < 0.4
        case FactType.NUMBER | FactType.MONEY:
            return Decimal(rng.randint(0, 23)) if fact.name != "now.hour" else NOW.hour
        case FactType.CHOICE:
            return "sat"
    if fact.name == "profile.tags":
        return rng.sample(TAGS, rng.randint(1, 5))
    return f"{_skewed(rng, PATHS)}/{rng.randint(1, 400)}"
