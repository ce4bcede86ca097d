"""Fields hold typed values, exactly as written."""

from decimal import Decimal

import pytest

from personalize.content.collection import Field, FieldType
from personalize.content.values import Currency, read_value, text_of
from personalize.events.event import JSONValue
from personalize.problems import Problems
from personalize.yaml_tree import Mapping, parse_yaml

NOK = Currency("NOK")


def read(written: str, field: Field, currency: Currency = NOK) -> tuple[JSONValue, list[str]]:
    problems = Problems()
    node = parse_yaml(f"x: {written}", "x", problems)
    assert isinstance(node, Mapping)
    inner = node.get("x")
    assert inner is not None
    value = read_value(field, inner, currency, problems)
    return value, [problem.code for problem in problems.list]


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [
        (FieldType.TEXT, "Hello", "Hello"),
        (FieldType.TEXT, '" Hello "', "Hello"),
        (FieldType.TEXT, "50", "50"),
        (FieldType.TEXT, "1.10", "1.10"),
        (FieldType.TEXT, "true", "true"),
        (FieldType.TEXT, "NO", "NO"),
        (FieldType.TEXT, '""', None),
        (FieldType.TEXT, "", None),
        (FieldType.NUMBER, "3", 3),
        (FieldType.NUMBER, "-0.10", Decimal("-0.10")),
        (FieldType.NUMBER, '"4.5"', Decimal("4.5")),
        (FieldType.MONEY, "299", 29900),
        (FieldType.MONEY, "29.33", 2933),
        (FieldType.MONEY, '"1299.90"', 129990),
        (FieldType.BOOL, "true", True),
        (FieldType.BOOL, "False", False),
        (FieldType.DATE, "2026-12-24", "2026-12-24"),
        (FieldType.CHOICE, "small", "small"),
        (FieldType.CHOICE, "2", "2"),
        (FieldType.URL, "/tents?page=2#top", "/tents?page=2#top"),
        (FieldType.URL, "https://example.org/a", "https://example.org/a"),
        (FieldType.URL, '"#sizes"', "#sizes"),
        (FieldType.URL, '"?page=2"', "?page=2"),
        (FieldType.URL, "/bl%C3%A5bær", "/bl%C3%A5bær"),
        (FieldType.IMAGE, "/static/a.svg#rust", {"src": "/static/a.svg#rust", "alt": ""}),
        (
            FieldType.IMAGE,
            "{src: https://a.example/b, alt: Tent}",
            {"src": "https://a.example/b", "alt": "Tent"},
        ),
    ],
)
def test_a_value_is_what_was_written(type_: FieldType, written: str, value: JSONValue) -> None:
    field = Field("x", type_, choices=("small", "2"))
    found, problems = read(written, field)
    assert problems == []
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        *((FieldType.NUMBER, text) for text in ("1,5", "1e3", "0x10", ".inf", "true", "1 000", "4.", "١")),
        *((FieldType.MONEY, text) for text in ("1,5", "NOK 5", "5 kr", "1e3", "true", "1_000", "'1 000'", "5-")),
        *((FieldType.BOOL, text) for text in ("yes", "no", "1", "'true'", "on")),
        *((FieldType.DATE, text) for text in ("20261224", "2026-W52-4", "24.12.2026", "2026-2-3", "2026-12-24T00:00")),
        *((FieldType.CHOICE, text) for text in ("Small", "true", "large")),
        *((FieldType.URL, text) for text in ("tents", "../a", "https:/a", "https://", "mailto:a@b", "HTTPS:a")),
        *(
            (FieldType.URL, text)
            for text in ("JAVASCRIPT:a", "'/\\\\a'", "https://a@b", "//a", "'/\u00a0a'", "'/a\tb'")
        ),
        *((FieldType.URL, text) for text in ("'/a\"b'", "'/a<b'", "'/a`b'", "'/{a}'", "'javascript:a'")),
        *((FieldType.IMAGE, text) for text in ("a.jpg", "data:image/png;base64,A", "{alt: a}", "[/a]", "{src: [a]}")),
        (FieldType.TEXT, "[a]"),
        (FieldType.TEXT, "{a: b}"),
    ],
)
def test_what_does_not_fit_the_type_is_refused(type_: FieldType, written: str) -> None:
    value, problems = read(written, Field("x", type_, choices=("small",)))
    assert value is None
    assert problems
    assert set(problems) <= {"E425", "E019"}


def test_a_currency_without_decimals_takes_none() -> None:
    field = Field("x", FieldType.MONEY)
    assert read("500", field, Currency("JPY", 0)) == (500, [])
    assert read("5.5", field, Currency("JPY", 0)) == (None, ["E425"])


def test_an_image_that_has_to_say_what_it_shows_does() -> None:
    field = Field("x", FieldType.IMAGE, needs_alt=True)
    assert read("{src: /a.png, alt: A tent}", field)[1] == []
    assert read("{src: /a.png, alt: ' '}", field)[1] == ["E424"]
    assert read("/a.png", field)[1] == ["E424"]


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        (FieldType.MONEY, 129900, "NOK 1,299.00"),
        (FieldType.NUMBER, Decimal("4.50"), "4.50"),
        (FieldType.NUMBER, 3, "3"),
        (FieldType.DATE, "2026-12-24", "2026-12-24"),
        (FieldType.BOOL, True, None),
        (FieldType.IMAGE, {"src": "/a", "alt": ""}, None),
    ],
)
def test_a_value_is_shown_as_people_read_it(type_: FieldType, value: JSONValue, shown: str | None) -> None:
    assert text_of(Field("x", type_), value, NOK) == shown
