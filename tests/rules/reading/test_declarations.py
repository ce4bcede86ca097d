"""What attributes and events declare."""

from personalize.events.schema import Attribute, EventType, Shape, ValueType
from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, Facts, FactType
from personalize.rules.reading.load import read_definitions

DECLARED = """
attributes:
  country:    {type: text, title: Country, fold: true}
  birthday:   {type: date, private: true}
  likes:      {type: list, of: text, from_browser: true}
  tags:       {type: list, fold: true}
  tier:       {type: choice, choices: [basic, Silver, NO], fold: true}
  newsletter: {type: bool, purpose: mail}
events:
  purchase:
    title: Bought something
    properties:
      amount: {type: money}
      items:  {type: list, of: {sku: text, parts: {type: list, of: {code: number}}}}
    value: amount
    purpose: measure
    from_browser: true
  search: {}
"""


def read(text: str = DECLARED) -> Facts:
    problems = Problems()
    definitions = read_definitions({"a.yaml": text}, Conventions(), problems)
    assert not problems.list, problems.list
    return Facts(definitions.schema)


def test_attributes_are_read_as_they_are_declared() -> None:
    problems = Problems()
    attributes = read_definitions(
        {"a.yaml": DECLARED.replace("  search:\n", "")}, Conventions(), problems
    ).schema.attributes
    assert list(attributes.values()) == [
        Attribute("country", Shape(ValueType.TEXT, fold=True), "Country"),
        Attribute("birthday", Shape(ValueType.DATE), "birthday", private=True),
        Attribute("likes", Shape(ValueType.LIST, of=Shape(ValueType.TEXT)), "likes", from_browser=True),
        Attribute("tags", Shape(ValueType.LIST, of=Shape(ValueType.TEXT, fold=True), fold=True), "tags"),
        Attribute("tier", Shape(ValueType.CHOICE, choices=("basic", "Silver", "NO"), fold=True), "tier"),
        Attribute("newsletter", Shape(ValueType.BOOL), "newsletter", purpose="mail"),
    ]


def test_events_are_read_as_they_are_declared() -> None:
    problems = Problems()
    events = read_definitions({"a.yaml": DECLARED}, Conventions(), problems)
    assert not problems.list
    parts = Shape(ValueType.LIST, of=Shape(ValueType.MAPPING, fields={"code": Shape(ValueType.NUMBER)}))
    items = Shape(ValueType.LIST, of=Shape(ValueType.MAPPING, fields={"sku": Shape(ValueType.TEXT), "parts": parts}))
    assert list(events.schema.events.values()) == [
        EventType(
            "purchase",
            {"amount": Shape(ValueType.MONEY), "items": items},
            "Bought something",
            value="amount",
            purpose="measure",
            from_browser=True,
        ),
        EventType("search", {}, "search"),
    ]


def test_every_declared_thing_is_a_fact_with_its_type_and_purpose() -> None:
    facts = read()
    assert facts.get("profile.newsletter") == Fact(
        "profile.newsletter", "profile", "newsletter", FactType.BOOL, purpose="mail", stored=True, title="newsletter"
    )
    likes, tags = facts.get("profile.likes"), facts.get("profile.tags")
    assert likes is not None and likes.many and likes.type is FactType.TEXT and not likes.fold
    assert tags is not None and tags.many and tags.fold
    total, count = facts.get("purchase.total"), facts.get("search.count")
    assert total is not None and total.type is FactType.MONEY and total.purpose == "measure"
    assert count is not None and count.purpose == "personalize"
    assert facts.get("search.total") is None
    assert facts.get("page.query.") is None and facts.get("page.query.x") is not None


def test_only_what_is_stored_needs_a_profile_and_only_that_needs_consent() -> None:
    facts = read("attributes: {}\n")
    for name in facts.names():
        fact = facts.get(name.replace("<name>", "x"))
        assert fact is not None
        assert fact.stored is (fact.root in ("visitor", "visit"))
        assert (fact.purpose == "personalize") is (fact.root == "visitor" and fact.name != "visitor.known")
