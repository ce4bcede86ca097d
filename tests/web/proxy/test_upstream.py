"""The address of an upstream, and which locations lead to it."""

import pytest

from personalize.web.proxy.upstream import Address


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1:9000"),
        ("http://127.0.0.1", "127.0.0.1"),
        ("http://shop.example:80", "shop.example"),
        ("https://shop.example:443", "shop.example"),
        ("https://shop.example:80", "shop.example:80"),
        ("http://[::1]:9000", "[::1]:9000"),
    ],
)
def test_an_address_is_asked_for_by_its_host_and_any_unusual_port(text: str, authority: str) -> None:
    assert Address.parse(text).authority == authority


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("http://in.example:9000/a?b#c", "/a?b#c"),
        ("HTTP://IN.example:9000", "/"),
        ("http://in.example:9000#a", "/#a"),
        ("http://in.example/", None),
        ("http://in.example:9000@evil.example/", None),
        ("http://me@in.example:9000/", None),
        ("http://in.example:port/", None),
        ("https://in.example:9000/", None),
        ("//in.example:9000/", None),
        ("/a", None),
        ("http://[/", None),
    ],
)
def test_locations_at_the_address_itself_are_told_from_all_others(location: str, path: str | None) -> None:
    assert Address.parse("http://in.example:9000").path_of(location) == path
