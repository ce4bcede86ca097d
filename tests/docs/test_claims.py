"""What docs/editors.md says of conditions in words, asked of personas."""

from pathlib import Path

import pytest

from personalize import RequestFacts
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import load_files, read_draft
from personalize.runtime.offline import persona_context
from personalize.settings import Settings, load_settings
from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import folder_of_desk

TEXT = " ".join((REPOSITORY / "docs" / "editors.md").read_text(encoding="utf-8").split())
STRANGER = "{visitor.known: false}"
CUSTOMER = "{visitor.known: true}"

#: What the page says, a condition, whom it is asked of, and the answer.
CLAIMS = (
    ("it *is* not NO", "profile.country: NO", CUSTOMER, False),
    ("so it is answered with **yes**", "profile.country: {is_not: NO}", CUSTOMER, True),
    ("so it is answered with **yes**", "profile.country: {none_of: [NO, SE]}", STRANGER, True),
    ("so it is answered with **yes**", "not: {profile.country: NO}", CUSTOMER, True),
    ("add `exists: true`", "profile.country: {is_not: NO, exists: true}", CUSTOMER, False),
    ("add `exists: true`", "profile.country: {is_not: NO, exists: true}", "{profile.country: SE}", True),
    ("Only `visitor.known` is always answered", "visitor.known: false", STRANGER, True),
    ("Only `visitor.known` is always answered", "visitor.new: false", STRANGER, False),
    ("what never happened is 0", "purchase.count: 0", CUSTOMER, True),
    ("what never happened is 0", "purchase.total: {at_most: 0}", CUSTOMER, True),
    (
        "The first and the last purchase and averages are not known then",
        "purchase.last: {exists: true}",
        CUSTOMER,
        False,
    ),
    (
        "The first and the last purchase and averages are not known then",
        "purchase.average: {at_most: 9}",
        CUSTOMER,
        False,
    ),
    ("`purchase.count: 0` does not reach strangers", "purchase.count: 0", STRANGER, False),
    ("`not: {purchase.count: {at_least: 1}}` does", "not: {purchase.count: {at_least: 1}}", STRANGER, True),
    ("`did: purchase` with `times: 0` and with `at_most`", "{did: purchase, times: 0}", STRANGER, True),
    ("`did: purchase` with `times: 0` and with `at_most`", "{did: purchase, times: {at_most: 2}}", STRANGER, True),
    (
        "answers with yes if any of its elements does",
        "profile.likes: winter",
        "{profile.likes: [summer, winter]}",
        True,
    ),
    ("mean that no element does", "profile.likes: {is_not: winter}", "{profile.likes: [summer, winter]}", False),
    ("`Gold` is not `gold`", "profile.first_name: ada", "{profile.first_name: Ada}", False),
    ("Countries, languages, devices", "page.country: no", "{page.country: NO}", True),
    ("medium and campaign of a visit", "visit.campaign: SPRING", "{visit.campaign: spring}", True),
    ("attributes that are declared with `fold: true`", "profile.country: no", "{profile.country: NO}", True),
    (
        "`ignore_case: true` beside the operator",
        "profile.first_name: {is: ada, ignore_case: true}",
        "{profile.first_name: Ada}",
        True,
    ),
    ("includes 30 days to the second", "purchase.last: {within: 30 days}", "{purchase.last: 30 days ago}", True),
    ("begins right after", "purchase.last: {older_than: 30 days}", "{purchase.last: 30 days ago}", False),
    ("`between` includes both ends", "purchase.count: {between: [2, 3]}", "{purchase.count: 3}", True),
    (
        "leave their own day or moment out",
        "profile.birthday: {before: 2000-01-01}",
        "{profile.birthday: 2000-01-01}",
        False,
    ),
    ("is before the 24th", "purchase.last: {before: 2026-12-24}", "{purchase.last: 2026-12-24T00:00}", False),
    ("is before the 24th", "purchase.last: {before: 2026-12-24}", "{purchase.last: 2026-12-23T23:59}", True),
    ("the opposite of `one_of`", "profile.tier: {none_of: [gold]}", "{profile.tier: silver}", True),
    ("with a list, one of these", "page.path: {contains: [tent, mat]}", "{page.path: /winter-mat}", True),
    ("with a list, in any of them", "segment: [lapsed-buyers, others]", "{profile.tier: gold}", True),
    ("it counts as that number", "page.query.size: {at_least: 40}", "{page.query.size: ['42']}", True),
    ("`false`: it is not", "profile.tier: {exists: false}", CUSTOMER, True),
    ("What else is not given is not known, but counts", "purchase.count: 0", "{profile.tier: gold}", True),
    (
        "Several operators in one pair of braces all have to fit",
        "purchase.total: {at_least: 100, less_than: 500}",
        "{purchase.total: 500}",
        False,
    ),
)


def asked(condition: str, given: str, folder: Path) -> bool:
    """The answer to a condition about somebody of whom this is given."""
    bench = Bench(folder / "site", folder_of_desk())
    who = condition if condition.startswith("{") else f"{{{condition}}}"
    (bench.folder / "rules" / "asked.yaml").write_text(
        f"segments:\n  asked: {{who: {who}}}\n  others: {{who: {{profile.tier: gold}}}}\n"
        f"personas:\n  somebody: {{given: {given}}}\n",
        encoding="utf-8",
    )
    settings = load_settings(bench.folder / "personalize.toml", {})
    return is_in(loaded(settings), settings)


def loaded(settings: Settings) -> RuleSet:
    problems = Problems()
    rule_set = load_files(read_draft(settings, problems).files, settings, problems)
    assert rule_set is not None, problems.list
    return rule_set


def is_in(rule_set: RuleSet, settings: Settings) -> bool:
    now = rule_set.conventions.moment("2026-12-24T12:00")
    context = persona_context(rule_set.personas["somebody"], rule_set, settings, now=now, facts=RequestFacts())
    answers = rule_set.index.answers(rule_set.index.reach((), ("asked",)), context, now)
    return answers.in_segment("asked")


@pytest.mark.parametrize(("says", "condition", "given", "holds"), CLAIMS)
def test_a_condition_means_what_the_page_says(
    says: str, condition: str, given: str, holds: bool, tmp_path: Path
) -> None:
    assert says in TEXT
    assert asked(condition, given, tmp_path) is holds
