"""Webhooks: signed, told at least once, tried for long, and never told of somebody who did not agree."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.errors import AddressRefused, NotDelivered, SecretUnreadable
from personalize.events.event import CONSENT, JOIN, SEGMENT_ENTERED, SEGMENT_LEFT, WEBHOOK, Event, JSONValue
from personalize.profiles.outbox import AGAIN
from personalize.profiles.watched import change_of
from personalize.runtime.health import Health
from personalize.runtime.jobs.webhook_message import read_secrets
from personalize.runtime.jobs.webhooks import PAUSES, Deliveries, messages_in, outcome_event
from personalize.runtime.publish import projectors_of
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Applied, Store
from tests.desk import desk_settings
from tests.stores.contract import opened
from tests.stores.filling_contract import Make

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY, NEXT_KEY = b"canary-of-a-webhook-key-0123456789", b"another-canary-of-a-key-9876543210"


def written(key: bytes) -> str:
    """A key as the file has it."""
    return f"whsec_{base64.b64encode(key).decode()}"


@dataclass
class Receiver:
    """A system that is told; `answers` are what it says to each try, None for that it takes it, the last for ever."""

    answers: list[NotDelivered | None] = field(default_factory=lambda: [None])
    tries: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def send(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Take a message, or don't."""
        self.tries.append((url, {name.decode(): value.decode() for name, value in headers}, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise answer

    async def close(self) -> None:
        """Nothing to let go of."""

    @property
    def told(self) -> list[tuple[str, str]]:
        """Which messages came, as (type, visitor)."""
        bodies = [json.loads(body) for _, _, body in self.tries]
        return [(body["type"], body["data"]["visitor"]) for body in bodies]


@dataclass
class Hands:
    """A clock whose hands a test moves."""

    moment: datetime

    def now(self) -> datetime:
        """What it says."""
        return self.moment


class Post:
    """A site with webhooks."""

    def __init__(self, store: Store, folder: Path, *names: str, purpose: str = "mail") -> None:
        (folder / "key").write_text(written(KEY), encoding="utf-8")
        endpoints = {
            name: {
                "url": f"https://{name}.example/in",
                "segments": ["buyers"],
                "secret_file": "key",
                "purpose": purpose,
            }
            for name in names or ("crm",)
        }
        self.store = store
        self.settings = desk_settings(folder, webhooks_endpoints=endpoints)
        self.receiver = Receiver()
        self.health = Health()
        self.clock = Hands(NOON)
        self.numbers: Counter[str] = Counter()
        self.deliveries = self.begun_anew()

    def begun_anew(self) -> Deliveries:
        """One who delivers, as after a restart."""
        return Deliveries(
            self.store,
            self.settings,
            self.receiver,
            clock=self.clock,
            health=self.health,
            chance=lambda count: b"\x80" * count,
            write=self.write,
        )

    async def write(self, events: Sequence[Event]) -> Applied:
        """Put events into the log."""
        return await self.store.apply(events, projectors_of(None, self.settings))

    async def happens(self, type_: str, who: str, properties: dict[str, JSONValue]) -> None:
        """Something happens now."""
        self.numbers["all"] += 1
        event_id = f"e{self.numbers['all']}"
        await self.write([Event(event_id, "test", type_, who, self.clock.moment, self.clock.moment, properties)])

    async def agrees(self, who: str, *purposes: str) -> None:
        """Somebody decides."""
        await self.happens(CONSENT, who, {"granted": list(purposes)})

    async def moves(self, who: str, type_: str = SEGMENT_ENTERED) -> None:
        """Somebody enters or leaves."""
        self.numbers[who] += 1
        await self.happens(type_, who, change_of("buyers", self.numbers[who]))

    async def deliver(self) -> None:
        """Send all that is due now."""
        while await self.deliveries.step():
            pass

    async def after(self, pause: timedelta) -> int:
        """How many tries there were in all, after some time."""
        self.clock.moment += pause
        await self.deliver()
        return len(self.receiver.tries)

    async def waiting(self) -> int:
        """How many messages are in the outbox."""
        return sum(len(outbox.messages) for outbox in (await messages_in(self.store, 100)).values())


Scene = Callable[[Post], Awaitable[None]]


def play(post: Post, scene: Scene) -> None:
    """Play a scene in which the store is open."""

    async def whole() -> None:
        async with opened(post.store):
            await scene(post)

    asyncio.run(whole())


def test_who_enters_and_leaves_is_told_and_signed(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        post.clock.moment += timedelta(minutes=1)
        await post.moves("u:1", SEGMENT_LEFT)
        await post.deliver()
        assert post.receiver.told == [("segment.entered", "u:1"), ("segment.left", "u:1")]
        url, headers, body = post.receiver.tries[0]
        assert url == "https://crm.example/in"
        assert json.loads(body) == {
            "type": "segment.entered",
            "timestamp": "2026-06-01T12:00:00.000Z",
            "data": {"visitor": "u:1", "segment": "buyers"},
        }
        assert headers["webhook-timestamp"] == str(int(post.clock.moment.timestamp()))
        assert is_signed(KEY, headers, body) and not is_signed(NEXT_KEY, headers, body)
        assert not is_signed(KEY, headers, body.replace(b"u:1", b"u:2"))
        assert await post.waiting() == 0
        await post.deliver()
        assert len(post.receiver.tries) == 2

    play(Post(make(), tmp_path), scene)


def is_signed(key: bytes, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the signatures is that of Standard Webhooks by this key."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split(" ")


def test_the_example_of_the_specification_comes_out() -> None:
    from personalize.runtime.jobs.webhook_message import headers_of  # noqa: PLC0415  beside the value it is held against

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = dict(headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at_seconds(1614265330), [key]))
    assert headers[b"webhook-signature"] == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def at_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("purposes", [(), ("personalize",), None], ids=["refused", "another", "undecided"])
def test_nothing_goes_out_of_who_did_not_agree(make: Make, tmp_path: Path, purposes: tuple[str, ...] | None) -> None:
    async def scene(post: Post) -> None:
        if purposes is not None:
            await post.agrees("u:1", *purposes)
        await post.moves("u:1")
        await post.deliver()
        assert (post.receiver.tries, await post.waiting()) == ([], 0)

    play(Post(make(), tmp_path), scene)


def test_what_was_agreed_to_is_asked_at_each_try(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        post.receiver.answers = [NotDelivered("the answer was 500", 500)]
        assert await post.after(timedelta()) == 1
        await post.agrees("u:1")
        assert await post.after(timedelta(days=1)) == 1
        assert await post.waiting() == 0

    play(Post(make(), tmp_path), scene)


def test_of_a_browser_that_was_taken_over_the_login_decides(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("v:ann", "mail")
        await post.moves("v:ann")
        await post.agrees("u:1", "mail")
        post.clock.moment += timedelta(minutes=1)
        await post.happens(JOIN, "u:1", {"from": "v:ann"})
        post.clock.moment += timedelta(minutes=1)
        await post.agrees("u:1")
        await post.deliver()
        assert post.receiver.tries == []

    play(Post(make(), tmp_path), scene)


def test_a_failed_try_is_repeated_after_ever_longer_pauses_with_the_same_id(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        post.receiver.answers = [NotDelivered("the connection failed")] * 3 + [None]
        assert await post.after(timedelta()) == 1
        assert await post.after(PAUSES[0] * 0.9) == 1
        assert await post.after(PAUSES[0] * 0.2) == 2
        assert await post.after(PAUSES[1] * 1.2) == 3
        assert await post.after(PAUSES[2] * 1.2) == 4
        assert await post.waiting() == 0
        assert len({headers["webhook-id"] for _, headers, _ in post.receiver.tries}) == 1
        assert len({headers["webhook-timestamp"] for _, headers, _ in post.receiver.tries}) == 4
        assert post.health.failures["a webhook did not take a message"] == 3

    play(Post(make(), tmp_path), scene)


@pytest.mark.parametrize(("answer", "days"), [(NotDelivered("the answer was 410", 410), 0), (AddressRefused(), 30)])
def test_a_message_that_nobody_takes_is_given_up_and_begun_anew_by_hand(
    make: Make, tmp_path: Path, answer: NotDelivered, days: int
) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        post.receiver.answers = [answer]
        for _ in range(1 + days * 24):
            await post.after(timedelta(hours=1))
        tries = len(post.receiver.tries)
        assert tries < 15
        (outbox,) = (await messages_in(post.store, 9)).values()
        (message,) = outbox.messages.values()
        assert message.due_at_micros is None
        assert post.health.webhooks == {message.hook: {"given_up": 1}}
        assert post.health.failures["a message to a webhook was given up"] == 1
        assert await post.after(timedelta(days=9)) == tries
        await post.store.rebuild(projectors_of(None, post.settings))
        assert await post.after(timedelta(days=9)) == tries
        post.receiver.answers = [answer, None]
        for _ in range(2):
            await post.write([outcome_event("u:1", message, AGAIN, post.clock.moment)])
        await post.after(timedelta())
        assert await post.after(timedelta(hours=1)) in (tries + 1, tries + 2)
        log = [event async for event in post.store.log() if event.type == WEBHOOK]
        assert [event.properties["outcome"] for event in log][:2] == ["given_up", "again"]

    play(Post(make(), tmp_path), scene)


def test_who_is_killed_after_sending_sends_again_and_nothing_is_lost(tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        write = post.deliveries._write

        async def killed(_: Sequence[Event]) -> Applied:
            raise KeyboardInterrupt

        post.deliveries._write = killed
        with pytest.raises(KeyboardInterrupt):
            await post.deliveries.step()
        post.deliveries = post.begun_anew()
        assert post.deliveries._write == write
        assert await post.after(timedelta(minutes=10)) == 2
        assert await post.waiting() == 0
        assert len({headers["webhook-id"] for _, headers, _ in post.receiver.tries}) == 1

    post = Post(MemoryStore(), tmp_path)
    with asyncio.Runner() as runner:
        task = runner.get_loop().create_task(scene(post))
        with pytest.raises(KeyboardInterrupt):
            runner.get_loop().run_until_complete(task)


def test_two_who_deliver_at_once_tell_once(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        for number in range(30):
            await post.agrees(f"u:{number}", "mail")
            await post.moves(f"u:{number}")
        other = post.begun_anew()
        await asyncio.gather(post.deliveries.step(), other.step())
        assert sorted(post.receiver.told) == sorted(("segment.entered", f"u:{number}") for number in range(30))

    play(Post(make(), tmp_path), scene)


def test_one_webhook_that_is_down_holds_up_no_other_and_is_left_alone(make: Make, tmp_path: Path) -> None:
    class HalfDown(Receiver):
        async def send(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
            self.answers = [NotDelivered("it took too long") if "erp" in url else None]
            await super().send(url, headers, body)

    async def scene(post: Post) -> None:
        post.receiver = HalfDown()
        post.deliveries = post.begun_anew()
        for number in range(60):
            await post.agrees(f"u:{number}", "mail")
            await post.moves(f"u:{number}")
        await post.deliver()
        tries = Counter(url for url, _, _ in post.receiver.tries)
        assert tries["https://crm.example/in"] == 60
        assert tries["https://erp.example/in"] <= 8
        await post.after(timedelta(seconds=2))
        assert Counter(url for url, _, _ in post.receiver.tries) == tries

    play(Post(make(), tmp_path, "crm", "erp"), scene)


def test_a_webhook_that_is_no_more_is_told_nothing(make: Make, tmp_path: Path) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        await post.moves("u:1")
        post.settings = replace(post.settings, webhooks=replace(post.settings.webhooks, endpoints=()))
        post.deliveries = post.begun_anew()
        await post.deliver()
        assert post.receiver.tries == []

    play(Post(make(), tmp_path), scene)


def test_keys_are_exchanged_while_the_site_runs_and_never_told(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(post: Post) -> None:
        await post.agrees("u:1", "mail")
        (tmp_path / "key").write_text(f"{written(KEY)}\n{written(NEXT_KEY)}\n", encoding="utf-8")
        await post.moves("u:1")
        await post.deliver()
        (_, headers, body) = post.receiver.tries[-1]
        assert is_signed(KEY, headers, body) and is_signed(NEXT_KEY, headers, body)
        (tmp_path / "key").write_text(f"{written(KEY)}\nwhsec_canary!\n", encoding="utf-8")
        await post.moves("u:1", SEGMENT_LEFT)
        await post.deliver()
        (tmp_path / "key").write_text(written(NEXT_KEY), encoding="utf-8")
        await post.after(timedelta(hours=1))
        (_, headers, body) = post.receiver.tries[-1]
        assert len(post.receiver.tries) == 2
        assert is_signed(NEXT_KEY, headers, body) and not is_signed(KEY, headers, body)
        told = caplog.text + repr(post.settings) + str(post.health.last_failure)
        assert "can't be used" in told
        for key in (KEY, NEXT_KEY):
            assert key.decode() not in told and written(key) not in told
        assert "canary!" not in told

    caplog.set_level(logging.DEBUG)
    play(Post(make(), tmp_path), scene)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!", written(b"short"), written(b"x" * 65), "\xff"])
def test_a_file_of_keys_that_cannot_be_used_is_told_without_its_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_bytes(text.encode("latin-1"))
    with pytest.raises(SecretUnreadable) as refused:
        read_secrets(tmp_path / "key")
    assert not text or text not in str(refused.value)
    with pytest.raises(SecretUnreadable):
        read_secrets(tmp_path / "none")
