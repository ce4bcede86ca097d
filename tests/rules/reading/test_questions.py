"""Questions that would be slow are refused when they are read, or quick when they are asked."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.effort import effort
from tests.rules.neutral_rules import yaml_of
from tests.rules.small_site import load

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ATTRIBUTES = "attributes: {n: {type: text}, l: {type: list, of: text}, it: {type: any}}\n"
MANY = [f"v{number}" for number in range(10_000)]
TEXTS = ("v9999", "10.5.6.7", "9.9", "y" * 2000, "v" * 2000)


def nested(depth: int, inner: object, word: str) -> object:
    for _ in range(depth):
        inner = {word: inner}
    return inner


QUICK: Mapping[str, Mapping[str, object]] = {
    "one of many": {"profile.n": MANY},
    "none of many": {"profile.n": {"none_of": MANY}},
    "exactly one of many": {"profile.n": {"exactly": MANY}},
    "many beginnings": {"profile.n": {"starts_with": MANY}},
    "many ends": {"profile.n": {"ends_with": MANY}},
    "all of many": {"profile.l": {"all_of": MANY}},
    "a whole list of many": {"profile.l": {"is": MANY}},
    "many networks": {"profile.n": {"in_network": [f"10.{n // 250}.{n % 250}.0/24" for n in range(10_000)]}},
    "many ranges of versions": {"profile.n": {"version_in": [f"^{n}.1" for n in range(1, 2_000)]}},
    "many questions": {"any": [{"profile.n": one} for one in MANY[:500]]},
    "many opposites": {"all": [{"profile.n": {"is_not": one}} for one in MANY[:500]]},
    "many ways": {"all": [{"any": [{"profile.n": f"{n}{m}"} for m in range(3)]} for n in range(12)]},
    "deep opposites": nested(40, {"profile.n": "x"}, "not"),  # type: ignore[dict-item]
    "deep elements": {"profile.it": nested(40, "x", "some")},
}
REFUSED: Mapping[str, tuple[object, str]] = {
    "many questions": ({"any": [{"profile.n": one} for one in MANY]}, "E244"),
    "many parts": ({"profile.n": {"contains": MANY}}, "E242"),
    "many likenesses": ({"profile.n": {"like": MANY}}, "E242"),
    "many patterns": ({"profile.n": {"matches": MANY}}, "E242"),
    "too deep": (nested(60, {"profile.n": "x"}, "not"), "E016"),
    "elements too deep": ({"profile.it": nested(60, "x", "some")}, "E016"),
}


@pytest.mark.parametrize("name", QUICK)
def test_what_is_read_is_answered_quickly(name: str) -> None:
    rule_set, problems = load(f"{ATTRIBUTES}segments: {{a: {{who: {yaml_of(QUICK[name])}}}}}")
    assert rule_set is not None, problems.list
    deep: object = "x"
    for _ in range(20):
        deep = [deep, deep] if isinstance(deep, str) else [deep]
    slowest = 0.0
    for text in TEXTS:
        values = {"profile.n": text, "profile.l": MANY[:1000], "profile.it": deep}
        reach = rule_set.index.reach((), ["a"])
        with effort() as asking:
            rule_set.index.answers(reach, values, NOW).in_segment("a")
        slowest = max(slowest, asking.seconds)
    assert slowest < 0.05


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_slow_is_refused(name: str) -> None:
    who, code = REFUSED[name]
    with effort() as loading:
        rule_set, problems = load(f"{ATTRIBUTES}segments: {{a: {{who: {yaml_of(who)}}}}}")
    assert loading.seconds < 2
    assert rule_set is None
    assert code in [problem.code for problem in problems.list]
