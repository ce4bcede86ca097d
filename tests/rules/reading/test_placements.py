"""Where slots stand that have no mark in the page. What is wrong with them is said in tests/cases/rules/broken.yaml."""

import sys

import pytest

from personalize.rules.definitions import Placement
from personalize.rules.reading import placements
from tests.rules.small_site import load, rule_set_of


def test_a_place_is_a_selector_and_what_is_done_with_its_element() -> None:
    rule_set = rule_set_of("""
        slots:
          hero: {place: {css: "main > .hero"}}
          side: {place: {css: 'a[href*=":last-child"]:nth-child(2)', how: after}}
          marked: {}
    """)
    assert rule_set.placements == {
        "hero": Placement("main > .hero", "inside"),
        "side": Placement('a[href*=":last-child"]:nth-child(2)', "after"),
    }
    assert rule_set.slots["marked"].placement is None


def test_a_slot_says_in_words_where_it_stands() -> None:
    rule_set = rule_set_of('slots: {hero: {title: Top, place: {css: ".hero", how: replace}}}\n')
    sentence = rule_set.sentences().slot(rule_set.slots["hero"])
    assert sentence == '"Top" holds one item. It takes the place of the first element that .hero finds.'


def test_without_the_package_that_reads_selectors_a_place_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "turbohtml", None)
    placements._empty_page.cache_clear()
    _, problems = load('slots: {hero: {place: {css: ".hero"}}}\n')
    placements._empty_page.cache_clear()
    assert [(problem.code, str(problem.hint)) for problem in problems.list] == [
        ("E245", 'pip install "personalize[rewrite]"')
    ]
