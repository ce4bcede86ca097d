"""The scheme that a browser would see is the one that counts."""

import pytest

from personalize.content.urls import scheme_of, what_is_wrong_with_address


@pytest.mark.parametrize(
    ("written", "scheme"),
    [
        ("https://a", "https"),
        ("HTTP:a", "http"),
        ("javascript:a", "javascript"),
        (" \x00\x1f javascript:a", "javascript"),
        ("java\tscr\nipt\r:a", "javascript"),
        ("&#106;avascript&colon;a", "javascript"),
        ("java&Tab;script:a", "javascript"),
        ("x-y.z+1:a", "x-y.z+1"),
        ("/a:b", None),
        ("?a:b", None),
        ("#a:b", None),
        ("a/b:c", None),
        ("1a:b", None),
        (":a", None),
        ("", None),
        ("//a", None),
        ("{a}:b", None),
    ],
)
def test_the_scheme_is_the_one_that_a_browser_sees(written: str, scheme: str | None) -> None:
    assert scheme_of(written) == scheme


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/tents",
        "/tents?page=2&x=%20#top",
        "#top",
        "?page=2",
        "https://a.example",
        "http://a.example:8000/b",
        "https://bü.example/å",
    ],
)
def test_an_address_of_the_web_or_of_the_site_is_fine(address: str) -> None:
    assert what_is_wrong_with_address(address) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("javascript:a", '"javascript:"'),
        ("mailto:a@b.example", '"mailto:"'),
        ("//a.example", "another site"),
        ("tents", 'begins with "/"'),
        ("", 'begins with "/"'),
        ("/a b", "a blank"),
        ("/a\\b", "the character \\"),
        ("/a\u202eb", None),
        ("/a\x00b", "U+0000"),
        ("https:a", "host name"),
        ("https://", "host name"),
        ("https:///a", "host name"),
        ("https://a@b.example", "host name"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(address: str, words: str | None) -> None:
    wrong = what_is_wrong_with_address(address)
    assert (wrong is None) if words is None else (wrong is not None and words in wrong)
