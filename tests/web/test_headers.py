"""Headers as browsers send them, and what the site sees of them."""

from personalize.visitors.sent_headers import SentHeaders
from personalize.web.headers import inward, is_prefetch, wants_html


def test_the_site_sees_its_own_cookies_only() -> None:
    hidden = frozenset({b"pz", b"__Host-pz"})
    headers = [(b"Cookie", b'foo={"a":1}; pz=T; xpz=2'), (b"cookie", b"__Host-pz=T"), (b"COOKIE", b"c=pz")]
    found = inward(SentHeaders(headers), hidden_cookies=hidden, plain=False, whole=False)
    assert found == [(b"Cookie", b'foo={"a":1}; xpz=2'), (b"COOKIE", b"c=pz")]


def test_the_site_is_asked_for_a_plain_whole_page() -> None:
    asked = [
        *((b"Accept-Encoding", b"br"), (b"If-None-Match", b'"a"'), (b"If-Modified-Since", b"x"), (b"Range", b"x")),
        *((b"If-Range", b"x"), (b"Accept", b"text/html")),
    ]
    assert inward(SentHeaders(asked), hidden_cookies=frozenset(), plain=True, whole=True) == [(b"Accept", b"text/html")]
    assert inward(SentHeaders(asked), hidden_cookies=frozenset(), plain=False, whole=False) == asked


def test_who_wants_a_page() -> None:
    assert wants_html({b"sec-fetch-dest": b"document"})
    assert wants_html({b"accept": b"text/html,*/*;q=0.8"})
    assert not wants_html({b"sec-fetch-dest": b"image", b"accept": b"image/*"})
    assert not wants_html({b"accept": b"*/*"})


def test_what_is_fetched_in_advance() -> None:
    assert is_prefetch({b"sec-purpose": b"Prefetch;prerender", b"accept": b"*/*"})
    assert not is_prefetch({b"purpose": b"navigate"})
    assert not is_prefetch({})
