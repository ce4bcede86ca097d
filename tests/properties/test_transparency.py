"""Laws of what passes: whatever a site sends without a slot leaves as it came; with one, only the slot is changed."""

import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.house import FILLED, LETTER, SLOT, House, Message, Told, body, open_house, saying, scope_of, tell

NAMES = """
Content-Type content-type content-length Content-Encoding content-disposition cache-control ETag Last-Modified
Accept-Ranges Vary set-cookie Set-Cookie X-Accel-Redirect Digest Content-Range link x-odd Surrogate-Control transfer-x
"""
VALUES = """
text/html text/html;charset=utf-8 TEXT/HTML;charset="iso-8859-1" text/html;charset=utf-16 text/plain application/json
gzip deflate br identity x-own attachment no-transform public,max-age=60 private "a" W/"a" bytes 0 1 17 2000 a=1 *
"""
#: Words that begin or hold a mark, and are none: no slot of these names is defined, and no token stands in them.
PARTS = """
<div data-slot=nobody> </div> <!-- slot:nobody --> <!-- /slot:nobody --> <!--slot <!-- <script> </script> <textarea>
</textarea> <template> <meta charset=utf-16> data-slot= slot: < > <p <title> caf\u00e9 \u20ac <![CDATA[ <plaintext>
"""
STATUSES = st.sampled_from([200, 200, 200, 200, 201, 203, 204, 205, 206, 301, 304, 304, 400, 404, 416, 500, 503])
headers_of_sites = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([name.encode() for name in NAMES.split()]),
            st.from_regex(rb"[a-zA-Z-]{1,9}", fullmatch=True),
        ),
        st.one_of(st.sampled_from([value.encode() for value in VALUES.split()]), st.binary(max_size=12)),
    ),
    max_size=6,
)
data = st.lists(
    st.one_of(st.sampled_from([part.encode() for part in PARTS.split()]), st.binary(max_size=40)), max_size=12
).map(b"".join)


@st.composite
def parts(draw: st.DrawFn) -> list[Message]:
    """A body, in the shapes that frameworks send."""
    shapes: list[Any] = [bytes, bytearray, memoryview]
    messages: list[Message] = []
    for part in draw(st.lists(data, max_size=4)):
        message: Message = {"type": "http.response.body", "more_body": True}
        if part or draw(st.booleans()):
            message["body"] = draw(st.sampled_from(shapes))(part)
        messages.append(message)
    last = draw(st.sampled_from([{}, {"body": b""}, {"more_body": False}, {"body": draw(data), "more_body": False}]))
    return [*messages, {"type": "http.response.body", **last}]


@st.composite
def responses(draw: st.DrawFn) -> list[Message]:
    """All that a site says to one request."""
    hints = st.lists(st.just({"type": "http.response.early_hint", "links": [b"</a>"]}), max_size=2)
    html = draw(st.sampled_from([[], [(b"content-type", b"text/html")]]))
    start = {"type": "http.response.start", "status": draw(STATUSES), "headers": [*html, *draw(headers_of_sites)]}
    trailers = st.lists(st.just({"type": "http.response.trailers", "headers": [(b"a", b"1")]}), max_size=1)
    return [*draw(hints), start, *draw(parts()), *draw(trailers)]


requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT"]),
        "accept": st.sampled_from([None, "*/*", "text/html", "image/*"]),
        "headers": st.lists(
            st.sampled_from(
                [
                    ("If-None-Match", '"a"'),
                    ("if-modified-since", "Sun, 22 Nov 2026 00:00:00 GMT"),
                    ("range", "bytes=0-9"),
                    ("accept-encoding", "gzip, br, zstd"),
                    ("sec-fetch-dest", "document"),
                    ("sec-fetch-site", "cross-site"),
                    ("cookie", 'foo={"a":1}; pz=T; pz_consent=measure.personalize'),
                    ("cookie", "\x00=; ;;=\xff"),
                ]
            ),
            max_size=4,
        ),
    }
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A published desk."""
    with open_house(tmp_path_factory.mktemp("desk")) as opened:
        yield opened


def heard(told: Told) -> tuple[list[Message], bytes]:
    """What a client hears: everything but how the body was cut."""
    return [one for one in told.messages if one["type"] != "http.response.body"], told.body


@settings(max_examples=300)
@given(messages=responses(), request=requests)
def test_what_holds_no_slot_leaves_as_it_came(house: House, messages: list[Message], request: dict[str, Any]) -> None:
    async def twice() -> None:
        site = saying(*messages)
        app, scope = house.wrap(site), scope_of("/a", **request)
        bare = await tell(site, scope)
        for _ in range(2):
            told = await tell(app, scope)
            assert told.error is None
            assert heard(told) == heard(bare)

    house.run(twice())


@settings(max_examples=100)
@given(
    before=st.binary(max_size=300).filter(lambda data: b"<" not in data and b"\0" not in data),
    cuts=st.lists(st.integers(0, 600), max_size=4),
    coding=st.sampled_from(["", "gzip", "deflate", "raw deflate"]),
    is_sized=st.booleans(),
    request=st.sampled_from([{}, {"accept": "text/html", "headers": [("accept-encoding", "gzip, br")]}]),
)
def test_a_slot_is_filled_however_it_comes(
    house: House, before: bytes, cuts: list[int], coding: str, is_sized: bool, request: dict[str, Any]
) -> None:
    before = before.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    page = before + SLOT + b"<p>end"
    windows = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS, "raw deflate": -zlib.MAX_WBITS}
    squeezed = page
    if coding:
        stream = zlib.compressobj(wbits=windows[coding])
        squeezed = stream.compress(page) + stream.flush()
    at = [0, *sorted(cut for cut in cuts if cut < len(squeezed)), len(squeezed)]
    pieces = [body(squeezed[a:b], more=b < len(squeezed)) for a, b in pairwise(at)]
    headers = [(b"content-type", b"text/html"), (b"cache-control", b"public, max-age=60"), (b"etag", b'"a"')]
    headers += [(b"content-encoding", coding.rsplit(maxsplit=1)[-1].encode())] if coding else []
    headers += [(b"content-length", b"%d" % len(squeezed))] if is_sized else []

    async def twice() -> None:
        app = house.wrap(saying({"type": "http.response.start", "status": 200, "headers": headers}, *pieces))
        for _ in range(2):
            told = await tell(app, scope_of(f"/?{LETTER}", **request))
            assert told.error is None
            assert told.body == page.replace(SLOT, FILLED)
            assert told.header("cache-control") == b"private, no-store"
            assert told.header("content-encoding") is None and told.header("etag") is None
            assert told.all("content-length") in ([], [b"%d" % len(told.body)])

    house.run(twice())
