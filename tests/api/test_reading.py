"""Bodies: of the right type, in time, not too long, and JSON."""

import asyncio
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from personalize.api import reading
from personalize.api.app import MOST_AT_ONCE, MOST_AWAITED_OF_ONE
from personalize.api.reading import LONGEST_LINE_BYTES, MOST_BYTES
from personalize.web.middleware import PersonalizeMiddleware
from tests.api.channel import ROOT, Channel, channel, on_site, purchase, stopped
from tests.desk import written
from tests.driver import Reply


class Slow:
    """A client that sends its body in parts, as it is told to."""

    def __init__(self, app: PersonalizeMiddleware, token: str | None, path: str, media_type: str) -> None:
        self.parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reply = Reply()
        self.asked = 0
        headers = [(b"content-type", media_type.encode()), (b"authorization", f"Bearer {token}".encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"{ROOT}{path}",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        self.call = asyncio.ensure_future(app(scope, self._receive, self._send))

    def send(self, body: bytes, *, more: bool = True) -> None:
        """Send a part."""
        self.parts.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Be gone."""
        self.parts.put_nowait({"type": "http.disconnect"})

    async def _receive(self) -> dict[str, Any]:
        self.asked += 1
        return await self.parts.get()

    async def _send(self, message: Any) -> None:
        self.reply.messages.append(message)


JSON, NDJSON = "application/json", "application/x-ndjson"


def test_only_json_is_taken_and_only_well_formed(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        for media_type in (None, "text/plain", "application/x-www-form-urlencoded", "application/x-ndjson"):
            told = await till.send("/events", json.dumps(purchase()).encode(), media_type=media_type)
            assert (told.status, told.code) == (415, "wrong_media_type")
        for wrong in (
            *(b"", b"{", b"\xff", b"NaN", b'{"id": Infinity}', b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}"),
        ):
            told = await till.send("/events", wrong)
            assert (told.status, told.code) == (400, "no_json"), wrong[:20]
        for no_object in (b"[]", b"null", b'"x"', b"5"):
            told = await till.send("/events", no_object)
            assert (told.status, told.values["detail"].endswith("is not an object")) == (422, True)
        told = await till.send("/events", json.dumps(purchase()).encode(), media_type="Application/JSON; charset=utf-8")
        assert told.status == 201
        surrogate = await till.send("/events", json.dumps(purchase("\ud800")).encode())
        assert surrogate.status == 422

    on_site(tmp_path, body)


def test_a_body_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        told = await till.send("/events", b" " * (MOST_BYTES + 1))
        assert (told.status, told.code, told.reply.header("connection")) == (413, "too_large", "close")
        sending = Slow(app, till.token, "/events", JSON)
        for _ in range(12):
            sending.send(b" " * 100_000)
        await sending.call
        assert sending.reply.status == 413
        assert sending.asked == 11

    on_site(tmp_path, body)


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.05)

    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        for path, media_type, part in (("/events", JSON, b"{"), ("/events/stream", NDJSON, b'{"id"')):
            sending = Slow(app, till.token, path, media_type)
            sending.send(part)
            async with asyncio.timeout(2):
                await sending.call
            assert (sending.reply.status, sending.reply.header("connection")) == (408, "close")

    on_site(tmp_path, body)


def test_whoever_leaves_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        sending = Slow(app, till.token, "/events", JSON)
        sending.send(json.dumps(purchase()).encode())
        sending.leave()
        await sending.call
        assert sending.reply.messages == []
        assert await written(app) == []

    on_site(tmp_path, body)


def test_bodies_of_one_sender_that_never_come_keep_nobody_else_out(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        slow, till = await channel(app, sender="kiosk"), await channel(app)
        waiting = [Slow(app, slow.token, "/events", JSON) for _ in range(MOST_AWAITED_OF_ONE)]
        while not all(one.asked for one in waiting):
            await asyncio.sleep(0)
        told = await slow.call("/events", purchase("r1"))
        assert (told.status, told.code, told.reply.header("retry-after")) == (503, "overloaded", "1")
        assert (await till.call("/events", purchase("r1"))).status == 201
        await stopped(waiting[0].call)
        assert (await slow.call("/events", purchase("r1"))).status == 201
        for one in waiting[1:]:
            await stopped(one.call)

    on_site(tmp_path, body)


def test_more_calls_than_a_worker_can_serve_are_asked_to_come_again(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app)
        tokens = [till.token, (await channel(app, sender="kiosk")).token]
        waiting = [Slow(app, tokens[number % 2], "/events", JSON) for number in range(MOST_AT_ONCE)]
        while not all(one.asked for one in waiting):
            await asyncio.sleep(0)
        told = await till.call("/events", purchase())
        assert (told.status, told.code, told.reply.header("retry-after")) == (503, "overloaded", "1")
        await stopped(waiting[0].call)
        assert (await till.call("/events", purchase())).status == 201
        for one in waiting[1:]:
            await stopped(one.call)

    on_site(tmp_path, body)


def test_a_stream_is_recorded_as_it_comes_and_told_of_at_its_end(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        rows = [json.dumps(purchase(f"r{number}")) for number in range(1_200)]
        rows[3] = json.dumps({**purchase("r3"), "type": "nothing"})
        rows[4] = "no json"
        rows[5] = ""
        rows[6] = rows[0]
        told = await till.send("/events/stream", "\n".join(rows).encode(), media_type=NDJSON)
        assert told.status == 200
        counts = {name: told.values[name] for name in ("lines", "new", "repeated", "refused")}
        assert counts == {"lines": 1_200, "new": 1_196, "repeated": 1, "refused": 2}
        assert [(one["line"], one["code"]) for one in told.values["problems"]] == [(4, "E301"), (5, "no_json")]
        assert len(await written(app)) == 1_196

    on_site(tmp_path, body)


@pytest.mark.parametrize("line", [b"{}\n", b"\n"], ids=["that are no events", "with nothing in them"])
def test_others_have_their_turns_between_lines(tmp_path: Path, line: bytes) -> None:
    """What comes in one part of a body may be thousands of lines, of which none has to be written."""

    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        call = asyncio.create_task(till.send("/events/stream", line * 20_000, media_type=NDJSON))
        turns = [time.thread_time()]
        while not call.done():
            await asyncio.sleep(0)
            turns.append(time.thread_time())
        assert (await call).values["lines"] == 20_000
        longest = max(end - begin for begin, end in pairwise(turns))
        assert longest < (turns[-1] - turns[0]) / 4, "by the time of the processor"

    on_site(tmp_path, body)


def test_a_stream_is_not_read_further_than_it_is_written(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        may_write = asyncio.Event()
        apply = app.personalizer.store.apply

        async def slow(*arguments: Any, **more: Any) -> Any:
            await may_write.wait()
            return await apply(*arguments, **more)

        app.personalizer.store.apply = slow  # type: ignore[method-assign]
        sending = Slow(app, till.token, "/events/stream", NDJSON)
        for number in range(3_000):
            sending.send(json.dumps(purchase(f"r{number}")).encode() + b"\n", more=number < 2_999)
        await asyncio.sleep(0.1)
        assert sending.asked == 500
        may_write.set()
        await sending.call
        assert json.loads(sending.reply.body)["new"] == 3_000

    on_site(tmp_path, body)


def test_where_a_stream_breaks_off_the_answer_says_how_far_it_came(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        till = await channel(app, "events:write")
        rows = [json.dumps(purchase(f"r{number}")).encode() for number in range(600)]
        endless = b"\n".join(rows) + b"\n" + b"x" * (LONGEST_LINE_BYTES + 1)
        told = await till.send("/events/stream", endless, media_type=NDJSON)
        assert (told.status, told.values["lines"], told.values["new"]) == (413, 500, 500)

        sending = Slow(app, till.token, "/events/stream", NDJSON)
        sending.send(b"\n".join(rows))
        sending.leave()
        await sending.call
        assert sending.reply.messages == []
        assert len(await written(app)) == 500

    on_site(tmp_path, body)


def test_other_addresses_and_methods_are_problems_too(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        nobody = Channel(app, None)
        for path in ("", "/", "/nothing", "/events/", "/events/../profiles"):
            told = await nobody.call(path)
            assert (told.status, told.code) == (404, "unknown_path")
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
            told = await nobody.call("/events", method=method)
            assert (told.status, told.code, told.reply.header("allow")) == (405, "wrong_method", "POST")
            assert told.reply.header("cache-control") == "no-store"

    on_site(tmp_path, body)
