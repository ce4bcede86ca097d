"""Names of a site's own facts that are taken, and what they read that isn't there."""

import pytest

from personalize.problems import Problems
from personalize.rules.own_facts import OwnFacts
from personalize.rules.reading.load import read_definitions
from tests.rules.small_site import CONVENTIONS

FILE = "attributes: {city: {type: text}}\nevents: {purchase: {}}\n"


def said_of(own: OwnFacts, file: str = FILE) -> list[str]:
    problems = Problems()
    read_definitions({"rules/a.yaml": file}, CONVENTIONS, problems, own)
    return [str(problem) for problem in problems.list]


@pytest.mark.parametrize("name", ["page.open", "profile.city", "now", "any", "did", "purchase.count"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    own = OwnFacts()
    own.fact(name, "bool")(lambda occasion: True)
    [problem] = said_of(own)
    assert f'error E251: the site\'s own fact "{name}" is called like something else' in problem


@pytest.mark.parametrize("name", ["shop.open", "near", "purchase.likely", "nothing"])
def test_any_other_name_is_free(name: str) -> None:
    own = OwnFacts()
    own.fact(name, "bool")(lambda occasion: True)
    assert not said_of(own)


def test_a_fact_reads_what_is_known_and_what_stands_before_it() -> None:
    own = OwnFacts()
    own.fact("shop.early", "bool", reads=["shop.late"])(lambda occasion: True)
    own.fact("shop.late", "bool", reads=["profile.city", "page.query.x", "purchase.last"])(lambda occasion: True)
    own.fact("shop.later", "bool", reads=["shop.late", "profile.cty"])(lambda occasion: True)
    early, typed = said_of(own)
    assert early.startswith('error E252: the site\'s own fact "shop.early" reads "shop.late", which is not a fact')
    assert typed.endswith('reads "profile.cty", which is not a fact we know (did you mean `profile.city`?)')


def test_what_a_broken_file_may_declare_is_not_complained_about() -> None:
    own = OwnFacts()
    own.fact("shop.late", "bool", reads=["profile.other"])(lambda occasion: True)
    assert not any("E252" in line for line in said_of(own, "attributes: {city: {type: text}}\n  x: :\n"))
