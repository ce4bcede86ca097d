"""What a site sees of the cookies that a browser sends."""

from personalize.web.request.own_cookies import OwnCookies

OURS = OwnCookies(["pz", "__Host-pz"])


def test_the_site_sees_its_own_cookies_only() -> None:
    headers = [(b"Cookie", b'foo={"a":1}; pz=T; xpz=2'), (b"cookie", b"__Host-pz=T"), (b"COOKIE", b"c=pz")]
    assert OURS.hidden_in(headers) == [(b"Cookie", b'foo={"a":1}; xpz=2'), (b"COOKIE", b"c=pz")]


def test_what_the_site_does_to_its_headers_is_not_seen_outside() -> None:
    headers = [(b"cookie", b"c=pz"), (b"accept", b"*/*")]
    seen = OURS.hidden_in(headers)
    assert seen == headers
    assert seen is not headers


def test_long_cookies_are_hidden_without_being_remembered() -> None:
    long = b"x=" + b"y" * 3_000
    assert OURS.hidden_in([(b"cookie", long + b"; pz=T")]) == [(b"cookie", long)]
