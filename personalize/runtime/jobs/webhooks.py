"""Webhooks: other systems are told that visitors enter and leave segments, at least once, for as long as it takes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from personalize.errors import NotDelivered
from personalize.events.event import WEBHOOK, Event, from_micros, to_micros
from personalize.profiles.outbox import (
    DELIVERED,
    GIVEN_UP,
    OUTBOX,
    WITHHELD,
    Message,
    Outbox,
    OutboxProjector,
    outcome_of,
)
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.leased_task import LeasedTask
from personalize.runtime.jobs.webhook_message import body_of, headers_of, read_secrets
from personalize.settings import Settings
from personalize.stores.protocols import Applied, Store
from personalize.webhook_settings import WebhookEndpoint

SENDER = "webhooks"
_JOB = "webhooks"
#: How many visitors' messages are taken up in one go, and how many are under way at once.
TAKEN_AT_ONCE = 50
_SENT_AT_ONCE = 8
#: How many tries may come before one that waits for its turn.
_WAITING_TURNS = TAKEN_AT_ONCE / _SENT_AT_ONCE + 2
#: How long after a failed try the next one is made (Standard Webhooks, "Reliability"); the last one stays.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
#: A webhook that failed is left alone for at most so long, so that one which is down holds up no other.
_LONGEST_REST = timedelta(minutes=5)
#: The answer that says that no more of these are wanted: "gone".
_GONE = 410
_ROWS = OutboxProjector({})


class Client(Protocol):
    """What sends: `runtime.webhook_client`, or a fake of it."""

    async def send(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a message. Raises `NotDelivered`."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(slots=True)
class _Rest:
    """How long a webhook is left alone, after how many failures in a row."""

    failures: int
    until: datetime


class Deliveries:
    """Sends what is in the outbox and due. `chance` gives random bytes, by which tries are spread; `write` puts what
    became of messages into the log. Of one webhook that fails, the others notice nothing."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        client: Client,
        *,
        clock: Clock,
        health: Health,
        chance: Callable[[int], bytes],
        write: Callable[[Sequence[Event]], Awaitable[Applied]],
    ) -> None:
        self._store = store
        self._settings = settings
        self._client = client
        self._clock = clock
        self._health = health
        self._chance = chance
        self._write = write
        self._rests: dict[str, _Rest] = {}
        self._at_once = asyncio.Semaphore(_SENT_AT_ONCE)

    async def step(self) -> bool:
        """Send some of what is due; False where nothing is."""
        found = await self._store.due(OUTBOX, at=self._clock.now(), rows=TAKEN_AT_ONCE)
        await asyncio.gather(*(self._deliver(profile_id, row) for profile_id, row in found))
        return bool(found)

    async def _deliver(self, profile_id: str, row: bytes) -> None:
        """Send what is due of one visitor's messages, one after the other, and write down what became of them."""
        due, held = self._taken(_ROWS.decode(row))
        taken = _ROWS.encode(held)
        if not await self._store.exchange(OUTBOX, [RowChange(profile_id, row, taken)]):
            return  # somebody else has it in hand, or there is news: the next look tells
        consent = (await self._profile(profile_id)).consent
        events: list[Event] = []
        later = held
        for message in due:
            endpoint = self._settings.webhooks.endpoint(message.hook)
            if endpoint is None or not consent.allows(endpoint.purpose):
                events.append(self._outcome(profile_id, message, WITHHELD))
                continue
            outcome = await self._try(endpoint, profile_id, message)
            if isinstance(outcome, str):
                events.append(self._outcome(profile_id, message, outcome))
            else:
                later = later.having(outcome)
        # First when to try again, then what is settled: the row is still the one that was read.
        if later != held:
            await self._store.exchange(OUTBOX, [RowChange(profile_id, taken, _ROWS.encode(later))])
        if events:
            await self._write(events)

    def _taken(self, outbox: Outbox) -> tuple[Sequence[Message], Outbox]:
        """The messages that are due, oldest first, and the outbox in which they are not due for as long as sending may
        take: whoever looks meanwhile leaves them alone, and who is killed leaves them to the next one."""
        now = self._clock.now()
        until = to_micros(now + timedelta(seconds=self._settings.webhooks.timeout_seconds * _WAITING_TURNS))
        due = [
            one
            for one in outbox.messages.values()
            if one.due_at_micros is not None and one.due_at_micros <= to_micros(now)
        ]
        for message in due:
            outbox = outbox.having(replace(message, due_at_micros=until))
        return sorted(due, key=lambda one: one.occurred_at_micros), outbox

    async def _profile(self, profile_id: str) -> Profile:
        """The profile that says what may be told: of a browser that was taken over, that of its login."""
        profile = await self._store.profile(profile_id)
        if profile is not None and profile.joined is not None:
            profile = await self._store.profile(profile.joined.into)
        return profile or Profile(profile_id)

    async def _try(self, endpoint: WebhookEndpoint, profile_id: str, message: Message) -> str | Message:
        """What became of a message, or the message as it waits for its next try."""
        async with self._at_once:
            now, rest = self._clock.now(), self._rests.get(endpoint.name)
            if rest is not None and now < rest.until <= now + _LONGEST_REST:
                return replace(message, due_at_micros=to_micros(rest.until))
            try:
                await self._send(endpoint, profile_id, message, now)
            except NotDelivered as error:
                self._health.failed("a webhook did not take a message", error, now)
                self._leave_alone(endpoint.name, self._clock.now())
                return self._after_failure(message, error)
        self._rests.pop(endpoint.name, None)
        return DELIVERED

    async def _send(self, endpoint: WebhookEndpoint, profile_id: str, message: Message, now: datetime) -> None:
        # Read anew each time: keys are exchanged while the site runs.
        secrets = await asyncio.to_thread(read_secrets, self._settings.root / endpoint.secret_file)
        body = body_of(message, profile_id)
        await self._client.send(endpoint.url, headers_of(message.event_id, body, now, secrets), body)

    def _leave_alone(self, name: str, now: datetime) -> None:
        failures = self._rests[name].failures + 1 if name in self._rests else 1
        self._rests[name] = _Rest(failures, now + min(PAUSES[0] * 2 ** min(failures - 1, 10), _LONGEST_REST))

    def _after_failure(self, message: Message, error: NotDelivered) -> str | Message:
        now = self._clock.now()
        pause = PAUSES[min(message.attempts, len(PAUSES) - 1)]
        # Spread by a fifth to either side, so that what failed together does not come back together.
        spread = pause * (0.8 + 0.4 * self._chance(1)[0] / 255)
        is_late = now + spread - from_micros(message.since_micros) > self._settings.webhooks.give_up_after
        if error.status == _GONE or is_late:
            return GIVEN_UP
        return replace(message, attempts=message.attempts + 1, due_at_micros=to_micros(now + spread))

    def _outcome(self, profile_id: str, message: Message, outcome: str) -> Event:
        """The event that says what became of a message, which is counted; its id is the same whoever found it out."""
        now = self._clock.now()
        self._health.delivered(message.hook, outcome)
        if outcome == GIVEN_UP:
            self._health.failed("a message to a webhook was given up", None, now)
        return outcome_event(profile_id, message, outcome, now)


def outcome_event(profile_id: str, message: Message, outcome: str, at: datetime) -> Event:
    """The event that says what became of a message, or that it is to be tried anew."""
    return Event(
        event_id=f"{message.event_id}:{message.hook}:{outcome}:{message.round}",
        sender=SENDER,
        type=WEBHOOK,
        profile_id=profile_id,
        occurred_at=at,
        received_at=at,
        properties=outcome_of(message, outcome),
        channel=SENDER,
    )


async def messages_in(store: Store, rows: int) -> Mapping[str, Outbox]:
    """What is in the outbox, given up or not, by visitor; of at most so many visitors."""
    return {key: _ROWS.decode(row) for key, row in await store.due(OUTBOX, at=None, rows=rows)}


class WebhookTask:
    """Delivers in the background of a worker, whenever no other one does. `client` makes what sends."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        chance: Callable[[int], bytes],
        write: Callable[[Sequence[Event]], Awaitable[Applied]],
        client: Callable[[Settings], Client] | None = None,
    ) -> None:
        self._settings = settings
        self._make_client = client or _client
        self._make = partial(Deliveries, store, settings, clock=clock, health=health, chance=chance, write=write)
        self._client: Client | None = None
        self._deliveries: Deliveries | None = None
        self._task = LeasedTask(
            store, _JOB, self._step, worker=worker, clock=clock, health=health, failure="webhooks could not be told"
        )

    def start(self) -> None:
        """Deliver from now on, where there are webhooks."""
        if self._settings.webhooks.endpoints:
            self._task.start()

    async def stop(self) -> None:
        """Stop; another worker goes on. What was under way is sent again."""
        await self._task.stop()
        client, self._client, self._deliveries = self._client, None, None
        if client is not None:
            await client.close()

    async def _step(self) -> bool:
        if self._deliveries is None:
            self._client = self._make_client(self._settings)
            self._deliveries = self._make(self._client)
        return await self._deliveries.step()


def _client(settings: Settings) -> Client:
    """The client for these settings. Raises `NotDelivered` where the extra is not installed."""
    try:
        # An extra: sites without webhooks do without it.
        from personalize.runtime.jobs.public_addresses import PublicBackend  # noqa: PLC0415
        from personalize.runtime.jobs.webhook_client import WebhookClient  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise NotDelivered('httpcore is not installed: pip install "personalize[webhooks]"') from error
    backend = PublicBackend(allow_private=settings.webhooks.allow_private)
    return WebhookClient(timeout_seconds=settings.webhooks.timeout_seconds, backend=backend)
