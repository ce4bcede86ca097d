"""Conditions and values in words."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.describe import Describer
from personalize.rules.facts import Fact, FactType
from personalize.yaml_tree import Mapping, Scalar, Sequence, parse_yaml
from tests.rules.asking import CASES, read_question, read_site

PATH = CASES / "words_for_conditions.yaml"
ROOT = parse_yaml(PATH.read_text(encoding="utf-8"), PATH.name, Problems())
assert isinstance(ROOT, Mapping)
ALL_CASES = ROOT.get("cases")
assert isinstance(ALL_CASES, Sequence)


@pytest.mark.parametrize("case", ALL_CASES.items, ids=lambda case: f"line {case.place.line}")
def test_a_condition_in_words(case: Mapping) -> None:
    assert isinstance(ROOT, Mapping)
    site, problems = read_site(ROOT), Problems()
    question = read_question(case, site, problems)
    assert not problems.list, problems.list
    says = case.get("says")
    assert isinstance(says, Scalar)
    titles = {"lapsed": "Long time no see", "untitled": ""}
    assert Describer(site.conventions, titles).condition(question.condition) == says.text


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (FactType.TEXT, None, "not known"),
        (FactType.BOOL, True, "true"),
        (FactType.TEXT, "a\x1b[31m", '"a\ufffd[31m"'),
        (FactType.TEXT, "x" * 5000, '"' + "x" * 59 + '…"'),
        (FactType.TEXT, ["a", "b"], '"a" and "b"'),
        (FactType.TEXT, [], "none"),
        (FactType.NUMBER, Decimal("1.50"), "1.50"),
        (FactType.MONEY, 129950, "EUR 1,299.50"),
        (FactType.MONEY, Decimal("129950.4"), "EUR 1,299.50"),
        (FactType.MONEY, Decimal("NaN"), "NaN"),
        (FactType.TIME, datetime(2026, 7, 1), "2026-07-01T00:00:00"),
        (FactType.TIMES, (), "0 times remembered"),
        (FactType.TIMES, (1,), "1 time remembered"),
        (FactType.TIMES, (1, 2), "2 times remembered"),
        (FactType.DATE, date(2026, 1, 2), "2026-01-02"),
        (FactType.TIME, datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "2026-07-01 22:30"),
        (FactType.CLOCK, timedelta(hours=9, minutes=5, seconds=7), "09:05"),
        (FactType.NUMBER, {"a": 1}, "{a: 1}"),
    ],
)
def test_a_value_in_words(type_: FactType, value: object, words: str) -> None:
    assert Describer(Conventions()).value(Fact("x", "profile", "x", type_), value) == words
