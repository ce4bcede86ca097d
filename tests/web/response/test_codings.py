"""Pages that the site compresses inside of us."""

import gzip
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any

import brotli
import pytest
import zstandard
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from personalize.web.response.codings import CodingError, decoder_of, readable_only
from tests.web.house import FILLED, HTML, LETTER, SLOT, House, Told, page, saying, scope_of, start, tell

TEXT = b"<p>caf\xc3\xa9</p>" * 200


def raw_deflate(data: bytes) -> bytes:
    """deflate without its wrapping, as some old servers send it."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


SQUEEZED: list[tuple[bytes, Callable[[bytes], bytes]]] = [
    (b"gzip", gzip.compress),
    (b"x-gzip", gzip.compress),
    (b"gzip", lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:])),
    (b"deflate", zlib.compress),
    (b"deflate", raw_deflate),
    (b"br", brotli.compress),
    (b"zstd", zstandard.compress),
    (b"zstd", lambda data: zstandard.compress(data[:700]) + zstandard.compress(data[700:])),
]


@pytest.mark.parametrize(("coding", "squeeze"), SQUEEZED)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_compressed_body_is_read_in_pieces_of_any_size(
    coding: bytes, squeeze: Callable[[bytes], bytes], size: int
) -> None:
    squeezed, decode = squeeze(TEXT), decoder_of(coding)
    assert decode is not None
    assert b"".join(decode(squeezed[at : at + size]) for at in range(0, len(squeezed), size)) == TEXT
    assert decode(b"") == b""


def test_what_is_not_compressed_as_it_says_is_an_error() -> None:
    for coding in (b"gzip", b"deflate", b"br", b"zstd"):
        decode = decoder_of(coding)
        assert decode is not None
        with pytest.raises(CodingError):
            decode(b"<p>not compressed at all</p>")


@pytest.mark.parametrize(("coding", "squeeze"), SQUEEZED)
def test_a_page_that_swells_beyond_all_measure_is_not_read(coding: bytes, squeeze: Callable[[bytes], bytes]) -> None:
    decode = decoder_of(coding)
    assert decode is not None
    with pytest.raises(CodingError, match="too long"):
        decode(squeeze(bytes(20_000_000)))


@pytest.mark.parametrize(("coding", "squeeze"), SQUEEZED)
def test_a_body_that_breaks_off_is_known_by_its_last_part(coding: bytes, squeeze: Callable[[bytes], bytes]) -> None:
    whole = squeeze(TEXT)
    for end, ends in ((len(whole), True), (len(whole) - 5, False)):
        decode = decoder_of(coding)
        assert decode is not None
        with nullcontext() if ends else pytest.raises(CodingError, match="breaks off"):
            assert decode(whole[:9]) + decode(whole[9:end], is_last=True) == TEXT
    empty = decoder_of(coding)
    assert empty is not None and empty(b"", is_last=True) == b""


def test_nobody_reads_what_nobody_knows() -> None:
    assert decoder_of(b"x-own") is None
    asked = [(b"Accept-Encoding", b"gzip;q=0.5, dcb, deflate, dcz;q=1"), (b"accept", b"text/html")]
    assert readable_only(asked) == [(b"Accept-Encoding", b"gzip;q=0.5, deflate"), asked[1]]
    assert readable_only([(b"accept-encoding", b"dcb")]) == [(b"accept-encoding", b"identity")]


# In the middleware ------------------------------------------------------------------------------------------


def squeezing(requests: list[str]) -> Starlette:
    """A site that compresses by itself, and notes what it was asked for."""
    long = b"x" * 2_000

    async def home(request: Request) -> Response:
        requests.append(request.headers.get("accept-encoding", ""))
        return HTMLResponse(SLOT + long)

    async def plain(request: Request) -> Response:
        return HTMLResponse(long)

    async def streamed(request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"<p>a</p>" + long
            yield SLOT + long

        return StreamingResponse(parts(), media_type="text/html")

    async def data(request: Request) -> Response:
        return JSONResponse({"a": SLOT.decode() * 90})

    routes = [Route("/", home), Route("/plain", plain), Route("/streamed", streamed), Route("/data", data)]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])


@pytest.mark.parametrize("accept", ["*/*", "text/html,*/*;q=0.8"])
def test_a_site_that_compresses_inside_of_us_is_filled_on_the_first_visit(
    house: House, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.personalizer.health._told.clear()
    requests: list[str] = []
    app = house.wrap(squeezing(requests))
    asked: dict[str, Any] = {"accept": accept, "headers": [("accept-encoding", "gzip, deflate")]}
    for path, whole in (("/", FILLED), ("/streamed", b"<p>a</p>" + b"x" * 2_000 + FILLED)):
        for _ in range(2):
            told = house.run(tell(app, scope_of(f"{path}?{LETTER}", **asked)))
            assert told.body == whole + b"x" * 2_000
            assert told.header("content-encoding") is None
            assert told.header("cache-control") == b"private, no-store"
    assert requests == ["gzip, deflate", ""]
    assert [one.message for one in caplog.records if "compressed" in one.message] == [
        "pages come compressed by 'gzip', each is read and leaves plain"
    ]


@pytest.mark.parametrize("path", ["/plain", "/data"])
def test_what_holds_no_slot_stays_compressed(house: House, path: str) -> None:
    site = squeezing([])
    app, scope = house.wrap(site), scope_of(path, headers=[("accept-encoding", "gzip")], accept="text/html")
    bare = house.run(tell(site, scope))
    assert bare.header("content-encoding") == b"gzip"
    for _ in range(2):
        assert house.run(tell(app, scope)).messages == bare.messages


@pytest.mark.parametrize(
    "squeezed",
    [
        b"\x8b\x00 no br",
        gzip.compress(SLOT, mtime=0)[:-12] + b"broken in the end",
        gzip.compress(SLOT + TEXT, mtime=0)[:-9],
    ],
)
def test_what_cannot_be_read_passes_and_is_said_once(
    house: House, squeezed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    coding = b"gzip" if squeezed.startswith(b"\x1f") else b"x-own"
    site = page(squeezed, (b"content-encoding", coding), (b"etag", b'"a"'))
    house.personalizer.health._told.clear()
    before = house.personalizer.health.skipped["encoded"]
    with caplog.at_level(logging.WARNING):
        told: Told = house.ask(site)
        assert told.messages == house.run(tell(site, scope_of("/"))).messages
        house.ask(site)
    assert house.personalizer.health.skipped["encoded"] == before + 2
    assert len([one for one in caplog.records if coding.decode() in one.getMessage()]) == 1


def test_an_error_page_that_is_compressed_carries_no_mark(house: House) -> None:
    token = house.wrap(saying())._token
    marked = b"<!--slot %b hero-->D<!--/slot %b-->gone" % (token, token)
    told = house.ask(page(gzip.compress(marked), (b"content-encoding", b"gzip"), status=404))
    assert told.body == b"Dgone"
    assert told.header("content-encoding") is None
    assert told.header("content-length") == b"5"


def test_a_head_alone_says_what_the_page_will_say(house: House) -> None:
    site = page(gzip.compress(SLOT), (b"content-encoding", b"gzip"))
    heads = [house.ask(site, method=method).headers for method in ("HEAD", "GET")]
    assert heads[0] == [pair for pair in heads[1] if pair[0] != b"content-length"]


def test_identity_is_no_compression(house: House) -> None:
    told = house.ask(page(SLOT, (b"Content-Encoding", b"Identity")))
    assert told.body == FILLED
    assert told.headers[0] == HTML
    assert start()["status"] == told.status
