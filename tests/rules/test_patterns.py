"""Patterns are refused at load or quick, however hostile they and the text are."""

from contextlib import suppress

import pytest

from personalize.rules.patterns import PatternError, expression, like
from tests.effort import effort

HOSTILE = [
    "(a+)+$",
    "(x+x+)+y",
    "(a|aa)+$",
    "(.*)*b",
    "(.*a){20}z",
    "(a|b)*a(a|b){60}c",
    "(?:a?){100}a{100}z",
    "((a{100}){100}){10}",
    "(x{1,200}y{1,200})+",
    ".{0,300}a.{0,300}b.{0,300}c",
    r"\pL{300}",
    r"(?i)(\pL*\d?){80}q",
    "a" * 501,
    "(" * 300 + ")" * 300,
    "(?=a)b",
    r"(a)\1",
    "(?P<n>a",
    "[",
    "*",
    "a**" * 50,
    "|" * 400,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:30])
def test_a_hostile_pattern_is_refused_or_quick(text: str) -> None:
    pattern = None
    with effort() as reading, suppress(PatternError):
        pattern = expression(text)
    assert reading.seconds < 0.1
    if pattern is None:
        return
    for hostile in ("a" * 2000, "ab" * 1000, "x" * 2000, "ß" * 2000):
        times = []
        for _ in range(3):
            with effort() as searching:
                pattern.found_in(hostile)
            times.append(searching.seconds)
        assert min(times) < 0.02


def test_likenesses_with_many_stars_are_quick() -> None:
    pattern = like("*a" * 30 + "*b")
    with effort() as searching:
        assert not pattern.found_in("a" * 5000)
    assert searching.seconds < 0.1


@pytest.mark.parametrize("text", ["a\nb", "é", "(", "\\", "^a$"])
def test_any_text_is_like_itself(text: str) -> None:
    assert like(text).found_in(text)
    assert not like(text).found_in(f"{text}x")
    assert not like(text).found_in(f"x{text}")


def test_two_patterns_of_one_text_are_equal() -> None:
    assert expression("a") == expression("a")
    assert hash(expression("a")) == hash(expression("a"))
    assert expression("a") != expression("a", ignore_case=True)
    assert str(like("a*")) == '"a*"'
