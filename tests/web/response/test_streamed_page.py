"""Pages in whatever pieces and shapes a site sends them: filled all the same, and with a true length."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from tests.web.house import (  # fmt: skip
    FILLED,
    HTML,
    LETTER,
    SEASON,
    SEASON_SLOT,
    SLOT,
    App,
    House,
    body,
    page,
    saying,
    scope_of,
    start,
    tell,
)

PUBLIC = (b"cache-control", b"public, max-age=600")
TITLE_CASE = ((b"Content-Type", b"Text/HTML; Charset=UTF-8"), (b"Content-Length", b"%d" % len(SLOT)), (b"ETag", b"x"))


def head(headers: Any) -> dict[str, Any]:
    """A head with these headers, in whatever shape."""
    return {"type": "http.response.start", "status": 200, "headers": headers}


@pytest.mark.parametrize(
    "headers",
    [
        list(TITLE_CASE),
        TITLE_CASE,
        [list(pair) for pair in TITLE_CASE],
        [(bytearray(name), memoryview(value)) for name, value in TITLE_CASE],
    ],
)
def test_headers_of_any_case_and_shape(house: House, headers: Any) -> None:
    told = house.ask(saying(head(headers), body(SLOT)))
    assert told.body == FILLED
    assert told.headers[:2] == [TITLE_CASE[0], (b"Content-Length", b"%d" % len(FILLED))]
    assert told.header("etag") is None


@pytest.mark.parametrize("data", [SLOT, b"<p>none</p>"])
def test_headers_that_can_be_read_but_once(house: House, data: bytes) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        pairs = ((name, value) for name, value in (*TITLE_CASE[:1], (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")))
        await send(head(pairs))
        await send(body(data))

    told = house.ask(site)
    assert told.body == data.replace(SLOT, FILLED)
    assert told.all("set-cookie") == [b"a=1", b"b=2"]


def parts(data: bytes, cut: int) -> list[dict[str, Any]]:
    """The data in two pieces of the shapes that frameworks send, with empty ones between them."""
    return [
        {"type": "http.response.body", "body": memoryview(data[:cut]), "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": True},
        {"type": "http.response.body", "more_body": True},
        {"type": "http.response.body", "body": bytearray(data[cut:]), "more_body": True},
        {"type": "http.response.body"},
    ]


@pytest.mark.parametrize("cut", range(0, len(SLOT) + 12, 3))
def test_a_slot_cut_anywhere_on_the_first_visit(house: House, cut: int) -> None:
    data = b"<p>a</p>" + SLOT + b"<p>"
    told = house.ask(saying(start(PUBLIC), *parts(data, cut)))
    assert told.body == data.replace(SLOT, FILLED)
    assert told.header("cache-control") == b"private, no-store"


@pytest.mark.parametrize(("method", "headers"), [("GET", []), ("GET", [("range", "bytes=0-15")]), ("HEAD", [])])
def test_a_site_may_write_each_part_into_the_same_memory_and_message(house: House, method: str, headers: Any) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        await send(start(status=206 if headers else 200))
        memory = bytearray(8)
        message = {"type": "http.response.body", "body": memoryview(memory), "more_body": True}
        for part in (b"<p>one<p", b">two<p> ", b"        "):
            memory[:] = part
            await send(message)
        for text in (b"three", b"four"):
            message["body"] = text
            await send(message)
        message |= {"body": b"", "more_body": False}
        await send(message)

    told = house.ask(site, headers=headers, method=method)
    assert told.body.replace(b" ", b"") == b"<p>one<p>two<p>threefour"


def test_a_page_without_a_body(house: House) -> None:
    for last in ({"type": "http.response.body"}, {"type": "http.response.body", "body": b""}):
        site = saying(start(PUBLIC), last)
        assert house.ask(site).messages == [start(PUBLIC), last]


def test_a_stream_without_slots_leaves_message_for_message(house: House) -> None:
    data = b"<p>a</p><slot><!-- slots --><div data-slots=hero>caf\xc3\xa9</div><scr" * 40
    for etag in ((), ((b"ETag", b'"a"'), (b"content-length", b"%d" % len(data)))):
        messages = [start(PUBLIC, *etag), *parts(data, 700)]
        app = house.wrap(saying(*messages))
        for _ in range(3):
            told = house.run(tell(app, scope_of()))
            assert told.head == messages[0]
            assert told.body == data


def test_a_page_in_one_piece_has_its_true_length_and_a_streamed_one_none(house: House) -> None:
    whole = house.ask(page(SLOT))
    assert whole.all("content-length") == [b"%d" % len(whole.body)]
    streamed = house.ask(saying(start((b"content-length", b"%d" % len(SLOT))), *parts(SLOT, 4)))
    assert streamed.body == FILLED
    assert streamed.all("content-length") in ([], [b"%d" % len(FILLED)])
    assert not streamed.messages[-1].get("more_body", False)
    for told in (whole, streamed):
        assert not {b"transfer-encoding", b"connection"} & {name.lower() for name, _ in told.headers}


def chunked(data: bytes, size: int) -> Iterable[dict[str, Any]]:
    """The data in pieces of this size, and an end."""
    for at in range(0, len(data), size):
        yield body(data[at : at + size], more=True)
    yield body(b"")


@pytest.mark.parametrize("size", [1_000, 16_384, 65_536])
@pytest.mark.parametrize("headers", [[], [(b"content-length", b"1000000"), (b"etag", b'"a"')], [PUBLIC]])
def test_a_slot_far_behind_the_beginning_is_filled_on_the_first_visit(
    house: House, headers: list[tuple[bytes, bytes]], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "personalize.web.response.streamed_page.LONGEST_LOOK_SECONDS", 30
    )  # a busy machine takes longer
    data = b"<p>" + b"x" * 900_000 + SLOT + b"y" * 99_000
    app = house.wrap(saying(start(*headers), *chunked(data.ljust(1_000_000, b"z"), size)))
    for _ in range(2):
        told = house.run(tell(app, scope_of(f"/?{LETTER}")))
        assert FILLED in told.body and len(told.body) == 1_000_000 + len(FILLED) - len(SLOT)
        assert told.header("cache-control") == b"private, no-store"
        assert told.header("etag") is None


def slow(*messages: dict[str, Any], seconds: float) -> App:
    """A site that waits before its last message."""

    async def site(scope: Any, receive: Any, send: Any) -> None:
        for message in messages[:-1]:
            await send(message)
        await asyncio.sleep(seconds)
        await send(messages[-1])

    return site


def test_what_is_no_part_of_a_mark_leaves_at_once(house: House) -> None:
    async def first_part(app: App) -> tuple[float, bytes]:
        loop = asyncio.get_running_loop()
        began, arrived = loop.time(), asyncio.Event()
        seen: list[tuple[float, bytes]] = []

        async def send(message: Any) -> None:
            if message.get("body"):
                seen.append((loop.time() - began, bytes(message["body"])))
                arrived.set()

        async def receive() -> Any:
            await asyncio.Event().wait()

        running = asyncio.create_task(app(scope_of(f"/?{LETTER}"), receive, send))  # type: ignore[arg-type]
        await asyncio.wait_for(arrived.wait(), 0.3)
        await running
        assert b"".join(data for _, data in seen) == b"<p>a</p>" + SEASON
        return seen[0]

    site = slow(start(PUBLIC), body(b"<p>a</p>" + SEASON_SLOT[:3], more=True), body(SEASON_SLOT[3:]), seconds=0.2)
    app = house.wrap(site)
    for _ in range(3):
        after, data = house.run(first_part(app))
        assert after < 0.1
        assert data == b"<p>a</p>"


def test_a_late_slot_behind_a_public_head_keeps_its_own_and_is_filled_from_the_second_visit_on(house: House) -> None:
    site = slow(start(PUBLIC), body(b"<p>a</p>", more=True), body(SLOT), seconds=0.12)
    app = house.wrap(site)
    first = house.run(tell(app, scope_of(f"/?{LETTER}")))
    assert (first.body, first.header("cache-control")) == (b"<p>a</p>" + SLOT, b"public, max-age=600")
    second = house.run(tell(app, scope_of(f"/?{LETTER}")))
    assert (second.body, second.header("cache-control")) == (b"<p>a</p>" + FILLED, b"private, no-store")


@pytest.mark.parametrize("value", [b"private", b"no-store", b"max-age=0, Private", b"no-cache, no-store"])
def test_a_late_slot_behind_a_head_that_is_private_anyway_is_filled(house: House, value: bytes) -> None:
    headers = ((b"cache-control", value),)
    told = house.ask(slow(start(*headers), body(b"<p>a</p>", more=True), body(SLOT), seconds=0.12))
    assert told.body == b"<p>a</p>" + FILLED
    assert told.headers == [HTML, *headers]


def test_a_slot_that_is_the_same_for_everybody_does_not_hide_one_that_comes_behind_it(house: House) -> None:
    site = saying(start(PUBLIC), body(SEASON_SLOT, more=True), body(SLOT, more=True), body(b"<p>"))
    for _ in range(2):
        told = house.ask(site)
        assert told.body == SEASON + FILLED + b"<p>"
        assert told.header("cache-control") == b"private, no-store"
