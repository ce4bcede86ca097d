"""Webhooks over the wire: a server that answers, redirects, crawls or is not there; and the whole way from an event."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from personalize.errors import AddressRefused, NotDelivered
from personalize.events.event import CONSENT
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.jobs import leased_task
from personalize.runtime.jobs.public_addresses import PublicBackend
from personalize.runtime.jobs.webhook_client import WebhookClient
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.publish import publish
from tests.desk import desk_settings, write_desk
from tests.runtime.jobs.test_webhooks import KEY, is_signed, written

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Server:
    """A server that says the same to everybody, after a pause or with one behind each byte (`trickles`), and remembers
    what it was told."""

    def __init__(self, answer: bytes, pause_seconds: float, *, trickles: bool) -> None:
        self._answer = answer
        self._pause_seconds = pause_seconds
        self._trickles = trickles
        self.asked: list[bytes] = []
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answered(reader, writer)
        finally:
            writer.transport.abort()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        self.asked.append(head + await reader.readexactly(length))
        for part in [bytes([each]) for each in self._answer] if self._trickles else [self._answer]:
            await asyncio.sleep(self._pause_seconds)
            writer.write(part)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def serving(answer: bytes = OK, pause_seconds: float = 0, *, trickles: bool = False) -> AsyncIterator[Server]:
    """A server on this machine."""
    server = Server(answer, pause_seconds, trickles=trickles)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await asyncio.sleep(0.01)


def sent(
    answer: bytes = OK, pause_seconds: float = 0, *, trickles: bool = False, allow_private: bool = True
) -> list[bytes]:
    """What the server was told."""

    async def scene() -> list[bytes]:
        async with serving(answer, pause_seconds, trickles=trickles) as server:
            client = WebhookClient(timeout_seconds=0.5, backend=PublicBackend(allow_private=allow_private))
            try:
                await client.send(f"http://127.0.0.1:{server.port}/in?x=1", [(b"webhook-id", b"m1")], b'{"a":1}')
            finally:
                await client.close()
            return server.asked

    return asyncio.run(scene())


def test_a_message_arrives_whole() -> None:
    (told,) = sent()
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in?x=1 HTTP/1.1\r\n")
    assert b"webhook-id: m1" in head.lower() and body == b'{"a":1}'


@pytest.mark.parametrize(
    "status", [b"302 Found\r\nLocation: http://169.254.169.254/", b"400 No", b"500 Oh", b"410 Gone"]
)
def test_any_other_answer_than_yes_is_a_failure_and_no_redirect_is_followed(status: bytes) -> None:
    with pytest.raises(NotDelivered) as refused:
        sent(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
    assert refused.value.status == int(status[:3])


def test_who_answers_too_late_breaks_off_or_speaks_no_http_has_not_taken_it() -> None:
    for answer, pause in ((OK, 5.0), (b"", 0.0), (b"hello\r\n\r\n", 0.0)):
        with pytest.raises(NotDelivered) as refused:
            sent(answer, pause)
        assert refused.value.status is None


def test_who_answers_a_byte_now_and_then_is_given_up_as_a_whole() -> None:
    with pytest.raises(NotDelivered, match="it took too long"):
        sent(OK, 0.1, trickles=True)


def test_an_endless_answer_is_not_read() -> None:
    assert len(sent(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 1000)) == 1


def test_this_machine_is_told_nothing_unless_somebody_says_so() -> None:
    with pytest.raises(AddressRefused):
        sent(allow_private=False)


RULES = """
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
segments:
  buyers: {who: {purchase.count: {at_least: 1}}}
"""


def test_from_an_event_to_another_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with serving() as server:
            write_desk(tmp_path, rules=RULES, items={})
            (tmp_path / "key").write_text(written(KEY), encoding="utf-8")
            url = f"http://127.0.0.1:{server.port}/in"
            told = {"crm": {"url": url, "segments": ["buyers"], "secret_file": "key"}}
            settings = desk_settings(
                tmp_path, webhooks_endpoints=told, webhooks_allow_http=True, webhooks_allow_private=True
            )
            personalizer = Personalizer(settings)
            await personalizer.start()
            try:
                await publish(
                    personalizer.store, read_draft(settings, Problems()), settings, at=personalizer.clock.now(), by="x"
                )
                await personalizer.refresh()
                agreed = personalizer.event(CONSENT, "u:1", {"granted": ["personalize"]})
                await personalizer.ingest.record([agreed])
                await personalizer.record("purchase", "u:1", {"amount": 5})
                await until(lambda: bool(server.asked))
            finally:
                await personalizer.stop()
            head, _, body = server.asked[0].partition(b"\r\n\r\n")
            lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
            headers = {name.decode().lower(): value.decode() for name, _, value in lines}
            assert is_signed(KEY, headers, body)
            assert b'"data":{"visitor":"u:1","segment":"buyers"}' in body

    monkeypatch.setattr(leased_task, "LOOK_SECONDS", 0.01)
    asyncio.run(scene())


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most ten seconds."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)
