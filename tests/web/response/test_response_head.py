"""Heads as sites send them, and how they read when the page was filled."""

from typing import Any

import pytest

from personalize.web.headers import RawHeaders
from personalize.web.response.response_head import ResponseHead, is_no_page

HTML = [(b"Content-Type", b"text/html; charset=utf-8")]
OF_THE_OLD_BYTES = [
    *((b"ETag", b'"a"'), (b"Last-Modified", b"x"), (b"accept-ranges", b"bytes"), (b"Content-MD5", b"x")),
    *((b"Digest", b"x"), (b"Content-Digest", b"x"), (b"Repr-Digest", b"x"), (b"Signature", b"x")),
]


def head(headers: RawHeaders, status: int = 200) -> ResponseHead:
    """The head of a response with these."""
    return ResponseHead({"type": "http.response.start", "status": status, "headers": headers})


@pytest.mark.parametrize(
    ("headers", "is_none"),
    [
        *(([(b"content-type", value)], True) for value in (b"image/png", b"text/css", b"application/json", b"", b" ")),
        ([], True),
        ([(b"content-type", b"image/png"), (b"content-type", b"text/html")], True),
        *(
            ([(b"content-type", value)], False)
            for value in (b"text/html", b"TEXT/HTML;x", b" Text/Html", b"\ttext/html")
        ),
        ([(b"x-kind", b"image/png"), (b"Content-Type", b"text/html")], False),
        ([[b"Content-Type", b"text/html"]], False),
        ([(bytearray(b"content-type"), bytearray(b"text/html"))], False),
        ([(memoryview(b"content-type"), memoryview(b"text/html"))], False),
        (iter([(b"content-type", b"image/png")]), False),
        (None, False),
    ],
)
def test_what_no_page_follows_is_seen_at_first_sight(headers: Any, is_none: bool) -> None:
    assert is_no_page({"type": "http.response.start", "status": 200, "headers": headers}) is is_none


@pytest.mark.parametrize(
    ("status", "more", "is_one"),
    [
        (200, [], True),
        (201, [], True),
        (200, [(b"Content-Encoding", b"identity")], True),
        *((status, [], False) for status in (100, 103, 204, 205, 206, 302, 304, 404, 416, 500)),
        (200, [(b"Content-Encoding", b"gzip")], True),
        (200, [(b"Content-Encoding", b"gzip, x-own")], False),
        (200, [(b"content-disposition", b"Attachment; filename=a.html")], False),
        (200, [(b"Cache-Control", b"max-age=1"), (b"cache-control", b"No-Transform")], False),
        (200, [(b"Cache-Control", b"no-transform"), (b"cache-control", b"max-age=1")], False),
        (200, [(b"X-Accel-Redirect", b"/x")], False),
        (200, [(b"x-sendfile", b"/x")], False),
    ],
)
def test_only_a_whole_page_that_can_be_read_may_hold_slots(
    status: int, more: list[tuple[bytes, bytes]], is_one: bool
) -> None:
    assert head(HTML + more, status).may_hold_slots is is_one


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
    assert head([(b"content-type", media_type)]).may_hold_slots is is_one
    assert not head([]).may_hold_slots


def test_a_private_page_can_be_kept_by_no_cache() -> None:
    permissive = [
        *((b"Cache-Control", b"public, s-maxage=600"), (b"Surrogate-Control", b"max-age=9"), (b"Expires", b"later")),
        *((b"CDN-Cache-Control", b"max-age=9"), (b"Cloudflare-CDN-Cache-Control", b"max-age=9")),
        *((b"X-Accel-Expires", b"9"), (b"Pragma", b"x"), (b"Age", b"1"), *OF_THE_OLD_BYTES),
    ]
    kept = [(b"Set-Cookie", b"a=1"), (b"Vary", b"Accept"), (b"set-cookie", b"b=2"), *HTML]
    found = head(permissive + kept).made_private(7, cookies=["pz=x; Path=/"])
    assert found == [
        *kept,
        (b"content-length", b"7"),
        (b"cache-control", b"private, no-store"),
        (b"set-cookie", b"pz=x; Path=/"),
    ]


def test_a_length_is_exact_or_absent() -> None:
    headers = [(b"Content-Length", b"9"), *HTML, *OF_THE_OLD_BYTES]
    assert head(headers).with_length(12) == [(b"Content-Length", b"12"), *HTML]
    assert head(headers).with_length(None) == HTML
    assert head(HTML).with_length(3) == [*HTML, (b"content-length", b"3")]
    in_chunks = [*HTML, (b"Transfer-Encoding", b"chunked")]
    assert head(in_chunks).with_length(3) == in_chunks
