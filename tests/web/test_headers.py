"""Headers as sites send them, and what becomes of them."""

import pytest

from personalize.web.headers import inward, is_candidate, is_prefetch, made_private, wants_html, with_length

HTML = [(b"Content-Type", b"text/html; charset=utf-8")]
OF_THE_OLD_BYTES = [
    *((b"ETag", b'"a"'), (b"Last-Modified", b"x"), (b"accept-ranges", b"bytes"), (b"Content-MD5", b"x")),
    *((b"Digest", b"x"), (b"Content-Digest", b"x"), (b"Repr-Digest", b"x"), (b"Signature", b"x")),
]


@pytest.mark.parametrize(
    ("status", "more", "method", "is_one"),
    [
        (200, [], "GET", True),
        (201, [], "POST", True),
        (200, [(b"Content-Encoding", b"identity")], "GET", True),
        (200, [], "HEAD", False),
        *((status, [], "GET", False) for status in (100, 103, 204, 205, 206, 302, 304, 404, 416, 500)),
        (200, [(b"Content-Encoding", b"gzip")], "GET", False),
        (200, [(b"content-disposition", b"Attachment; filename=a.html")], "GET", False),
        (200, [(b"Cache-Control", b"max-age=1"), (b"cache-control", b"No-Transform")], "GET", False),
        (200, [(b"Cache-Control", b"no-transform"), (b"cache-control", b"max-age=1")], "GET", False),
        (200, [(b"X-Accel-Redirect", b"/x")], "GET", False),
        (200, [(b"x-sendfile", b"/x")], "GET", False),
    ],
)
def test_only_a_whole_plain_page_may_hold_slots(
    status: int, more: list[tuple[bytes, bytes]], method: str, is_one: bool
) -> None:
    assert is_candidate(status, HTML + more, method) is is_one


@pytest.mark.parametrize(
    ("media_type", "is_one"),
    [
        (b"TEXT/HTML", True),
        (b"text/html ;charset=x", True),
        (b"application/xhtml+xml", False),
        (b"text/plain", False),
        (b"text/html-like", False),
        (b"application/json", False),
        (b"text/event-stream", False),
        (b"", False),
    ],
)
def test_only_html_may_hold_slots(media_type: bytes, is_one: bool) -> None:
    assert is_candidate(200, [(b"content-type", media_type)], "GET") is is_one
    assert not is_candidate(200, [], "GET")


def test_a_private_page_can_be_kept_by_no_cache() -> None:
    permissive = [
        *((b"Cache-Control", b"public, s-maxage=600"), (b"Surrogate-Control", b"max-age=9"), (b"Expires", b"later")),
        *((b"CDN-Cache-Control", b"max-age=9"), (b"Cloudflare-CDN-Cache-Control", b"max-age=9")),
        *((b"X-Accel-Expires", b"9"), (b"Pragma", b"x"), (b"Age", b"1"), *OF_THE_OLD_BYTES),
    ]
    kept = [(b"Set-Cookie", b"a=1"), (b"Vary", b"Accept"), (b"set-cookie", b"b=2"), *HTML]
    found = made_private(permissive + kept, length=7, cookies=["pz=x; Path=/"])
    assert found == [
        *kept,
        (b"content-length", b"7"),
        (b"cache-control", b"private, no-store"),
        (b"set-cookie", b"pz=x; Path=/"),
    ]


def test_a_length_is_exact_or_absent() -> None:
    headers = [(b"Content-Length", b"9"), *HTML, *OF_THE_OLD_BYTES]
    assert with_length(headers, 12) == [(b"Content-Length", b"12"), *HTML]
    assert with_length(headers, None) == HTML
    assert with_length(HTML, 3) == [*HTML, (b"content-length", b"3")]


def test_the_site_sees_its_own_cookies_only() -> None:
    hidden = frozenset({b"pz", b"__Host-pz"})
    headers = [(b"Cookie", b'foo={"a":1}; pz=T; xpz=2'), (b"cookie", b"__Host-pz=T"), (b"COOKIE", b"c=pz")]
    found = inward(headers, hidden_cookies=hidden, plain=False, whole=False)
    assert found == [(b"Cookie", b'foo={"a":1}; xpz=2'), (b"COOKIE", b"c=pz")]


def test_the_site_is_asked_for_a_plain_whole_page() -> None:
    asked = [
        *((b"Accept-Encoding", b"br"), (b"If-None-Match", b'"a"'), (b"If-Modified-Since", b"x"), (b"Range", b"x")),
        *((b"If-Range", b"x"), (b"Accept", b"text/html")),
    ]
    assert inward(asked, hidden_cookies=frozenset(), plain=True, whole=True) == [(b"Accept", b"text/html")]
    assert inward(asked, hidden_cookies=frozenset(), plain=False, whole=False) == asked


def test_who_wants_a_page() -> None:
    assert wants_html([(b"Sec-Fetch-Dest", b"document")])
    assert wants_html([(b"accept", b"text/html,*/*;q=0.8")])
    assert not wants_html([(b"sec-fetch-dest", b"image"), (b"accept", b"image/*")])
    assert not wants_html([(b"accept", b"*/*")])


def test_what_is_fetched_in_advance() -> None:
    assert is_prefetch({b"sec-purpose": b"Prefetch;prerender", b"accept": b"*/*"})
    assert not is_prefetch({b"purpose": b"navigate"})
    assert not is_prefetch({})
