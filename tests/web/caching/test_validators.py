"""The validator of a filled page: weak, over its bytes, and compared as RFC 9110 says."""

import pytest

from personalize.web.caching.validators import etag_of, has_already, not_modified

TAG = etag_of(b"<p>Hello</p>")


def test_a_tag_is_weak_and_tells_pages_apart() -> None:
    assert TAG.startswith(b'W/"') and TAG.endswith(b'"') and len(TAG) == 26
    assert etag_of(b"<p>Hello</p>") == TAG
    assert etag_of(b"<p>hello</p>") != TAG


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        ([TAG], True),
        ([TAG.removeprefix(b"W/")], True),
        ([b' "other" ,W/"x,y", ' + TAG], True),
        ([b'"other"', TAG], True),
        ([b"*"], True),
        ([b" * "], True),
        ([b'"other"'], False),
        ([b'"*"'], False),
        ([TAG.strip(b'"W/')], False),
        ([b""], False),
        ([], False),
        ([b'"' + TAG[3:-1] + b"x" + b'"'], False),
    ],
)
def test_what_a_client_has_is_found_in_any_list(asked: list[bytes], has: bool) -> None:
    assert has_already(asked, TAG) is has


def test_a_304_says_all_but_what_is_said_of_a_body() -> None:
    told = [(b"ETag", TAG), (b"Cache-Control", b"private, no-cache"), (b"Set-Cookie", b"a=1"), (b"Vary", b"Accept")]
    of_body = [(b"Content-Length", b"12"), (b"content-type", b"text/html"), (b"Content-Language", b"en")]
    of_body.append((b"Transfer-Encoding", b"chunked"))
    assert not_modified([*told, *of_body]) == told
