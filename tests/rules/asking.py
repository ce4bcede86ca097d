"""Asks a condition of a visitor through every part that a page view uses: parser, context, index.

A file of cases declares what a site knows and lists conditions with the visitors for whom they hold and do not.
A visitor is a mapping of facts. `profile.x` is stored as it is written, wrong types too; `page.x` comes with the
request; `history` lists events that are checked and projected; `at` is the moment of asking; `consent` lists the
purposes granted, all of them where it is left out; `profile: none` is somebody of whom nothing is stored. Any other
fact is given its value as it stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.events.event import Event
from personalize.events.schema import DEFAULT_PURPOSE, Schema
from personalize.events.validate import check_event
from personalize.problems import Problems
from personalize.profiles.counters import Counter
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import AttributeValue, Profile
from personalize.profiles.project import ProfileProjector
from personalize.rules.conditions import EVERYONE, Condition, Not, everything, leaves
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType, with_parts
from personalize.rules.ground import Ground
from personalize.rules.id_lists import IdLists
from personalize.rules.index.index import Answers, Index
from personalize.rules.reading.declarations import DeclarationReader
from personalize.rules.reading.gaps import Gaps
from personalize.rules.reading.parse import ConditionParser
from personalize.rules.reading.reading import Reading
from personalize.rules.reading.timing import read_window
from personalize.visitors.consent import granting
from personalize.visitors.identity import Identity
from personalize.yaml_tree import Mapping as Block
from personalize.yaml_tree import Node, Scalar, Sequence, parse_yaml, to_data

CASES = Path(__file__).resolve().parents[1] / "cases" / "rules"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

#: What YAML has no words for, or refuses.
_STRANGE: Mapping[str, object] = {
    "<nan>": Decimal("NaN"),
    "<inf>": Decimal("Infinity"),
    "<float nan>": float("nan"),
    "<huge>": 10**400,
}


@dataclass(frozen=True)
class Site:
    """What a file of cases declares, and how the site writes moments and money."""

    schema: Schema
    conventions: Conventions
    lists: IdLists


@dataclass(frozen=True)
class Case:
    """One question with one visitor and the answer that is right."""

    where: str
    site: Site
    question: Block
    visitor: Block
    expected: bool


@dataclass(frozen=True)
class Question:
    """A condition ready to be asked, with the segments and counters that it needs."""

    condition: Condition
    segments: Mapping[str, Condition]
    counters: tuple[Counter, ...]

    @property
    def catalogue(self) -> Mapping[str, Fact]:
        """The facts that it reads, by name."""
        trees = (self.condition, *self.segments.values())
        return {fact.name: fact for tree in trees for leaf in leaves(tree) for fact in with_parts(leaf.fact)}

    def answers(self, context: Context) -> Answers:
        """What the index makes of it: the condition as `asked`, and its opposite as `denied`."""
        index = Index({"asked": self.condition, "denied": Not(self.condition)}, self.segments)
        return index.answers(index.reach(["asked", "denied"]), context, context.now)


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of a file, each visitor with the question it stands under."""
    problems = Problems()
    root = parse_yaml(path.read_text(encoding="utf-8"), path.name, problems)
    assert isinstance(root, Block) and not problems.list, problems.list
    site = read_site(root)
    cases = root.get("cases")
    assert isinstance(cases, Sequence), path.name
    for question in cases.items:
        assert isinstance(question, Block)
        for answer, expected in (("holds", True), ("fails", False)):
            visitors = question.get(answer)
            for visitor in visitors.items if isinstance(visitors, Sequence) else ():
                assert isinstance(visitor, Block)
                yield Case(f"{path.stem}:{visitor.place.line}", site, question, visitor, expected)


def read_site(root: Block) -> Site:
    """The site that a block with `zone`, `attributes` and `events` describes."""
    problems = Problems()
    reading = Reading(problems)
    zone = reading.text(root, "zone", "a file of cases", "UTC")
    conventions = Conventions(zone=ZoneInfo(zone))
    reader = DeclarationReader(reading, conventions.currency_digits, Gaps())
    attributes = reading.entries(root.get("attributes"), "`attributes`")
    schema = reader.schema(attributes, reading.entries(root.get("events"), "`events`"))
    assert not problems.list, problems.list
    lists = {name.text: _text_of(node) for name, node in reading.entries(root.get("lists"), "`lists`")}
    return Site(schema, conventions, IdLists(lists))


def _text_of(node: Node) -> str:
    assert isinstance(node, Scalar)
    return node.text


def read_question(block: Block, site: Site, problems: Problems, key: str = "who") -> Question:
    """The condition under `who` (or under another key), the window under `when`, the `segments`."""
    reading = Reading(problems)
    parser = ConditionParser(site.schema, site.conventions, reading, Gaps(), lists=site.lists)
    who = block.get(key)
    tree = EVERYONE if who is None else parser.condition_of("gate", who, f"`{key}`")
    window = read_window(block.get("when"), site.conventions, reading, parser.local_now)
    named = reading.entries(block.get("segments"), "`segments`")
    segments = {name.text: parser.condition(node, "`who`") for name, node in named}
    condition = tree if window is None else everything(tree, window)
    return Question(condition, segments, parser.counters)


def context_of(visitor: Block, site: Site, question: Question) -> Context:
    """The context of a page view of this visitor."""
    at = visitor.get("at")
    now = NOW if not isinstance(at, Scalar) else site.conventions.moment(at.text)
    facts = {key.text: _plain(node) for key, node in visitor.entries}
    ground = Ground(
        facts=question.catalogue,
        zone=site.conventions.zone,
        purposes={name: one.purpose for name, one in site.schema.attributes.items()},
        zone_attribute=site.schema.zone_attribute,
    )
    context = make_context(
        ground,
        Lifecycle(),
        identity=Identity(profile_id="u:1", consent=granting(_purposes(facts, site))),
        profile=_profile(visitor, facts, site, question),
        facts=_request(facts),
        now=now,
    )
    for name, fact in question.catalogue.items():
        if name in facts and fact.root not in ("profile", "page"):
            context.give({name: _given(facts[name], fact, site)})
    return context


def _purposes(facts: Mapping[str, object], site: Site) -> list[str]:
    given = facts.get("consent")
    if isinstance(given, list):
        return [str(one) for one in given]
    declared = (*site.schema.attributes.values(), *site.schema.events.values())
    return [DEFAULT_PURPOSE, *(one.purpose for one in declared)]


def _profile(visitor: Block, facts: Mapping[str, object], site: Site, question: Question) -> Profile | None:
    if facts.get("profile") == "none":
        return None
    projector = ProfileProjector(site.schema, question.counters)
    profile = Profile("u:1")
    history = visitor.get("history")
    for number, event in enumerate(_events(history, site)):
        profile = projector.project(event, {"u:1": profile})["u:1"]
        assert profile.events == number + 1
    stored = {
        name.removeprefix("profile."): AttributeValue(value, 0)
        for name, value in facts.items()
        if name.startswith("profile.") and value is not None
    }
    return projector.decode(projector.encode(profile)) if not stored else replace(profile, attributes=stored)


def _events(history: Node | None, site: Site) -> Iterator[Event]:
    for number, entry in enumerate(history.items if isinstance(history, Sequence) else ()):
        assert isinstance(entry, Block)
        at_node = entry.get("at")
        assert isinstance(at_node, Scalar)
        type_ = next(key.text for key, _ in entry.entries if key.text != "at")
        at = site.conventions.moment(at_node.text)
        sent = _plain(entry.get(type_)) or {}
        assert isinstance(sent, dict)
        properties = check_event(type_, sent, site.schema, zone=site.conventions.zone)
        yield Event(str(number), "test", type_, "u:1", at, at, properties)


def _request(facts: Mapping[str, object]) -> RequestFacts | None:
    asked = {name.removeprefix("page."): value for name, value in facts.items() if name.startswith("page.")}
    single = {name: value for name, value in asked.items() if "." not in name}
    families: dict[str, dict[str, object]] = {"query": {}, "header": {}, "cookie": {}}
    for name, value in asked.items():
        family, dot, key = name.partition(".")
        if dot:
            families[family][key] = tuple(value) if isinstance(value, list) else value
    query = {name: value if isinstance(value, tuple) else (value,) for name, value in families["query"].items()}
    return RequestFacts(
        query=query,
        headers=families["header"],
        cookies=families["cookie"],
        **single,
    )


def _given(value: object, fact: Fact, site: Site) -> object:
    if isinstance(value, str) and fact.type is FactType.TIME:
        return site.conventions.moment(value)
    if isinstance(value, str) and fact.type is FactType.CLOCK:
        clock = time.fromisoformat(value)
        return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
    return value


def _plain(node: Node | None) -> object:
    """The plain value with exact numbers, as events and profiles hold it."""
    if isinstance(node, Block):
        return {key.text: _plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    if isinstance(node, Scalar) and isinstance(node.value, float):
        return Decimal(node.text)
    value = to_data(node)
    return _STRANGE.get(value, value) if isinstance(value, str) else value
