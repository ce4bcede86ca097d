import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.visitors.cookies import cookie_name, cookie_values, delete_cookie, set_cookie


def read(*headers: bytes, name: str = "pz") -> list[str]:
    return list(cookie_values([(b"cookie", header) for header in headers], name))


@pytest.mark.parametrize(
    ("header", "values"),
    [
        (b"pz=T", ["T"]),
        (b"a=1; pz=T; b=2", ["T"]),
        (b'foo={"a":1}; pz=T', ["T"]),
        (b"bad,name=1;pz=T", ["T"]),
        (b"nothing; ; =x; pz=T;", ["T"]),
        (b"\xff\xfe=\x00; pz=T", ["T"]),
        (b'open="quote; pz=T', ["T"]),
        (b'pz="T"', ["T"]),
        (b'pz="', ['"']),
        (b"  pz = T  ", ["T"]),
        (b"pz=a=b", ["a=b"]),
        (b"pz=", [""]),
        (b"pz", []),
        (b"", []),
        (b"PZ=T; xpz=T; pzx=T; __Host-pz=T", []),
        (b"pz=1; pz=2", ["1", "2"]),
        (b"pz=\xe9", ["é"]),
        (b"pz=" + b"x" * 4097 + b"; pz=T", ["T"]),
        (b"x=" + b"y" * 100_000 + b"; pz=T", []),
    ],
)
def test_a_cookie_is_found_whatever_stands_beside_it(header: bytes, values: list[str]) -> None:
    assert read(header) == values


def test_every_cookie_header_is_read_in_order_and_no_other() -> None:
    headers = [(b"cookie", b"pz=1"), (b"x-cookie", b"pz=2"), (b"Cookie", b"pz=3; pz=4")]
    assert list(cookie_values(headers, "pz")) == ["1", "3", "4"]
    assert not cookie_values([], "pz")


def test_no_more_than_twenty_values_are_read() -> None:
    assert read(b"pz=x;" * 1000) == ["x"] * 20


@given(st.lists(st.binary(max_size=60)), st.text(max_size=5))
def test_reading_cookies_never_raises(headers: list[bytes], name: str) -> None:
    assert all(isinstance(value, str) for value in read(*headers, name=name))


@given(st.binary(max_size=40).filter(lambda junk: b"pz" not in junk), st.binary(max_size=40))
def test_junk_around_a_cookie_does_not_hide_it(before: bytes, after: bytes) -> None:
    assert read(before + b";pz=T;" + after)[0] == "T"


def test_on_https_nobody_else_can_plant_the_cookie() -> None:
    name = cookie_name("pz", secure=True)
    assert set_cookie(name, "T", secure=True, max_age_seconds=60) == (
        "__Host-pz=T; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
    )
    assert delete_cookie(name, secure=True) == "__Host-pz=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


def test_on_plain_http_the_cookie_has_another_name_and_still_works() -> None:
    name = cookie_name("pz", secure=False)
    assert set_cookie(name, "T", secure=False, max_age_seconds=60, path="/shop") == (
        "pz=T; Path=/shop; Max-Age=60; HttpOnly; SameSite=Lax"
    )


def test_no_cookie_is_kept_longer_than_browsers_allow() -> None:
    assert "Max-Age=34560000;" in set_cookie("pz", "T", secure=False, max_age_seconds=10**9)


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("", "T", "/"),
        ("p z", "T", "/"),
        ("pz;", "T", "/"),
        ("pz", "a;b", "/"),
        ("pz", "a\r\nSet-Cookie: x=y", "/"),
        ("pz", 'a"b', "/"),
        ("pz", "é", "/"),
        ("pz", "T", "/; Domain=example.org"),
        ("pz", "T", "shop"),
        ("pz", "T\n", "/"),
    ],
)
def test_what_a_header_cannot_carry_is_refused(name: str, value: str, path: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        set_cookie(name, value, secure=False, max_age_seconds=60, path=path)


@pytest.mark.parametrize(("secure", "path"), [(False, "/"), (True, "/shop")])
def test_a_cookie_that_browsers_would_drop_silently_is_refused(secure: bool, path: str) -> None:
    with pytest.raises(ValueError, match="secure and for the path /"):
        set_cookie("__Host-pz", "T", secure=secure, max_age_seconds=60, path=path)
