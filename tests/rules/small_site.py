"""A small site of files for tests of rules: three collections, eight items, and whatever rules a test writes."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from jinja2 import DictLoader

from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.ruleset import RuleSet, compile_rule_set, read_checked, version_of

RULES_FILE = "rules/site.yaml"
CONVENTIONS = Conventions(zone=ZoneInfo("Europe/Oslo"))
TEMPLATES = DictLoader({"offer.html": "<p>{{ item.title }}</p>{{ item.body }}", "note.html": "<b>{{ item.title }}</b>"})

COLLECTIONS = """
collections:
  offers: {kind: offer, template: offer.html}
  heroes: {kind: hero, template: offer.html}
  notes: {kind: note, template: note.html}
"""


def item(title: str, front: str = "", body: str = "") -> str:
    """The file of an item; `front` are further lines of its front matter."""
    return f"---\ntitle: {title}\n{front}\n---\n{body}\n"


CONTENT: Mapping[str, str] = {
    "content/collections.yaml": COLLECTIONS,
    "content/offers/one.md": item("One", "tags: [outdoor]\npriority: 1"),
    "content/offers/two.md": item("Two", "tags: [outdoor, winter]"),
    "content/offers/three.md": item("Three", "tags: [winter]"),
    "content/offers/christmas.md": item("Christmas", "from: 2026-12-01\nuntil: 2026-12-24"),
    "content/heroes/calm.md": item("Calm"),
    "content/heroes/bold.md": item("Bold"),
    "content/notes/hello.md": item("Hello"),
    "content/notes/bye.md": item("Bye"),
}


#: An item that needs the attribute `first_name`.
BY_NAME = {"content/heroes/by-name.md": item("Hello", body="Hello {{ visitor.first_name | you }}")}


def load(
    rules: str | Mapping[str, str], content: Mapping[str, str] = CONTENT, conventions: Conventions = CONVENTIONS
) -> tuple[RuleSet | None, Problems]:
    """The rule set of these rules (one file's text, or path -> text) with this content, and all problems."""
    problems = Problems()
    files = {RULES_FILE: rules} if isinstance(rules, str) else rules
    read = read_checked(files, content, templates=TEMPLATES, conventions=conventions, problems=problems)
    version = version_of({**files, **content})
    return None if read is None else compile_rule_set(version, *read, conventions), problems


def rule_set_of(
    rules: str | Mapping[str, str], content: Mapping[str, str] = CONTENT, conventions: Conventions = CONVENTIONS
) -> RuleSet:
    """The rule set of rules that are as they should be."""
    rule_set, problems = load(rules, content, conventions)
    assert rule_set is not None, "\n".join(map(str, problems.list))
    return rule_set
