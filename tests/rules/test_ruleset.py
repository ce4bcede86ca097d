"""One version of all rules: its name, and what it reads."""

from personalize.rules.ruleset import version_of
from tests.rules.small_site import CONTENT, RULES_FILE, load, rule_set_of

SLOTS = """
attributes:
  first_name: {type: text}
  country: {type: text, purpose: mail}
events:
  purchase: {}
segments:
  evening: {title: It is late, who: {now.hour: {at_least: 18}}}
  buyers: {who: {purchase.count: {at_least: 1}}}
  mobile: {who: {page.device: mobile}}
  late-buyers: {who: {all: [{segment: buyers}, {segment: evening}]}}
slots:
"""


def test_the_facts_of_a_rule_set_are_those_that_any_condition_reads() -> None:
    rule_set = rule_set_of(SLOTS + "  it: {rules: [{id: a, to: {visit.pages: 1}, when: {}, show: notes/hello}]}\n")
    assert set(rule_set.facts) == {"now.hour", "purchase.count", "page.device", "visit.pages", "now.instant"}


def test_a_rule_set_knows_the_purpose_of_each_attribute() -> None:
    assert rule_set_of(SLOTS + "  it: {}\n").ground.purposes == {"first_name": "personalize", "country": "mail"}


def test_a_version_is_named_for_every_path_and_every_text() -> None:
    files = {"rules/a.yaml": "x", "rules/b.yaml": ""}
    versions = [
        version_of(files),
        version_of({"rules/a.yaml": "x"}),
        version_of({"rules/a.yaml": "", "rules/b.yaml": "x"}),
        version_of({"rules/a.yaml": "x", "rules/b.yaml": " "}),
        version_of({"rules/a.yamlx": "", "rules/b.yaml": ""}),
        version_of({}),
    ]
    assert len(set(versions)) == len(versions)
    assert version_of(dict(reversed(files.items()))) == versions[0]
    assert all(len(version) == 16 for version in versions)


def test_the_version_is_that_of_rules_and_content() -> None:
    rules = "slots:\n  a: {}\n"
    assert rule_set_of(rules).version == version_of({RULES_FILE: rules, **CONTENT})
    changed = {**CONTENT, "content/notes/bye.md": CONTENT["content/notes/bye.md"] + "!"}
    assert rule_set_of(rules).version != rule_set_of(rules, changed).version


def test_a_warning_is_no_reason_to_refuse_the_files() -> None:
    rule_set, problems = load("slots:\n  a:\n    rules:\n      - {id: a, show: {in: notes, tagged: [none]}}\n")
    assert rule_set is not None
    assert [problem.severity for problem in problems.list] == ["warning"]
