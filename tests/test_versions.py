"""Versions of software: read leniently, ordered as Semantic Versioning 2.0 orders them."""

from itertools import pairwise

import pytest

from personalize.versions import parse_version, parse_version_range

#: From the earliest to the latest; those of one line are the same.
IN_ORDER = [
    ["0", "0.0.0", "v0"],
    ["0.0.1"],
    ["0.9.99"],
    ["1.0.0-0"],
    ["1.0.0-1"],
    ["1.0.0-100"],
    ["1.0.0--"],
    ["1.0.0-ALPHA"],
    ["1.0.0-alpha"],
    ["1.0.0-alpha.1"],
    ["1.0.0-alpha.beta"],
    ["1.0.0-beta"],
    ["1.0.0-beta.2", "1-beta.2", "1.0-beta.2+build"],
    ["1.0.0-beta.11"],
    ["1.0.0-rc.1", "v1.0.0-rc.1"],
    ["1", "1.0", "1.0.0", "V1.0.0.0", "1.0.0+build.5", "01.0"],
    ["1.0.0.1"],
    ["1.2"],
    ["1.10"],
    ["120.0.6099.109"],
]


def test_versions_are_in_their_order() -> None:
    for line in IN_ORDER:
        assert len({parse_version(text) for text in line}) == 1, line
    for (lower, *_), (higher, *_) in pairwise(IN_ORDER):
        low, high = parse_version(lower), parse_version(higher)
        assert low is not None and high is not None
        assert low < high and high > low and low <= high and low != high, (lower, higher)


@pytest.mark.parametrize(
    "text",
    ["", "v", "a.b.c", "1-2-3", "1.2-3", "1.", ".1", "1..2", " 1", "1 ", "1,2", "-1", "1.0-", "1.0.0-a..b", "1\n", "١"],
)
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("^1.2", ["1.2", "1.2.0.1", "1.99", "1.9.9-rc1"], ["1.1", "2", "2.0.0-a", "1.2.0-a"]),
        ("^1", ["1", "1.9"], ["0.9", "2"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]),
        ("^0", ["0", "0.9"], ["1"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3", "1.2.2"]),
        ("~1.2", ["1.2", "1.2.9"], ["1.3"]),
        ("~1", ["1", "1.9"], ["2"]),
        ("1.2.*", ["1.2", "1.2.9"], ["1.3", "1.1"]),
        ("v1.x", ["1", "1.9"], ["2"]),
        ("^1.2.3-beta.2", ["1.2.3-beta.3", "1.2.3", "1.9"], ["1.2.3-beta.1", "2"]),
    ],
)
def test_ranges(range_: str, inside: list[str], outside: list[str]) -> None:
    found = parse_version_range(range_)
    assert found is not None and str(found) == range_
    for text in inside + outside:
        version = parse_version(text)
        assert version is not None
        assert (version in found) is (text in inside), text


@pytest.mark.parametrize("text", ["", "1.2", "^", "*", "^1.*", "^x", ">=1", "1.2 - 1.3", "~~1"])
def test_what_is_no_range(text: str) -> None:
    assert parse_version_range(text) is None
