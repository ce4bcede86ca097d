"""The facade: one object per site and worker that knows the store, the live rule set and the clock."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from personalize.errors import EventConflict, EventRefused, InvalidFiles, SettingsError, StoreError
from personalize.events.event import CONSENT, MARK, RETRACT, SET, UNDO, WEB, Event, JSONValue, minted_event_id
from personalize.events.schema import Schema
from personalize.events.validate import NOT_TAKEN, check_event, check_moment, check_organization
from personalize.events.values import TOO_LARGE
from personalize.problems import Problems
from personalize.profiles.organization import LONGEST_NAME, folds_names, organization_id
from personalize.rules.own_facts import OwnFact
from personalize.rules.ruleset import RuleSet
from personalize.runtime.breaker import Breaker
from personalize.runtime.clock import Clock, FixedClock, SystemClock, seconds_by
from personalize.runtime.correcting import check_undo, correct
from personalize.runtime.draft import read_draft
from personalize.runtime.filling import FillTask
from personalize.runtime.follow import Follower, under_live
from personalize.runtime.geoip import GeoIP, open_geoip
from personalize.runtime.health import Health
from personalize.runtime.ingest import Ingest
from personalize.runtime.jobs.retention import RetentionTask
from personalize.runtime.jobs.sweep import SweepTask
from personalize.runtime.jobs.webhooks import WebhookTask
from personalize.runtime.keys import secret_keys
from personalize.runtime.own_facts import load_own_facts
from personalize.runtime.page_events import CHANCE_BYTES, WEB_SENDER
from personalize.runtime.patience import patience, patient_until
from personalize.runtime.publish import checked, lifecycle_of, live_rule_set, projectors_of
from personalize.runtime.saving import SaveWatcher
from personalize.runtime.sources import (
    ConsentSource,
    CookieConsent,
    FactSource,
    LoginSource,
    ScopeLogin,
    cookie_names,
    decided_by,
)
from personalize.runtime.withdrawing import withdraw
from personalize.settings import Settings
from personalize.stores.erasure import Erasure
from personalize.stores.opening import open_store
from personalize.stores.protocols import NOTHING_LIVE, Applied, Projector, Store
from personalize.stores.reading_at_once import profile_at_once_of
from personalize.visitors.browser import Browsers
from personalize.visitors.tokens import Tokens

logger = logging.getLogger("personalize")

#: Whose profile is asked for to learn whether the store answers.
NOBODY: Final = "v:"


class Personalizer:
    """Everything that personalizes one site, in one worker; `off` says that it leaves every page untouched, `records`
    that what happens is kept: a served moment of the past records nothing.

    `login` and `consent` say who is logged in and what was agreed to; by default Starlette's `scope["user"]`
    and our own consent cookie. `facts` adds to what we read from a request. `chance` gives random
    bytes. Nothing is opened before `start`. Raises `SettingsError` where the site's own facts can't be loaded.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store | None = None,
        login: LoginSource | None = None,
        consent: ConsentSource | None = None,
        facts: FactSource | None = None,
        clock: Clock | None = None,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.settings = settings
        self.records = settings.at is None
        self.keys = secret_keys(settings)
        self.tokens = Tokens(self.keys)
        self.store = store if store is not None else open_store(settings.store, settings.root, self.keys)
        self.profile_at_once = profile_at_once_of(self.store)
        self.login: LoginSource = login or ScopeLogin()
        self.consent: ConsentSource = consent or CookieConsent(
            settings.cookie.consent_name, settings.privacy.purposes, settings.privacy.gpc == "refuse"
        )
        self.browsers = Browsers(cookie_names(settings.cookie), self.tokens, decided_by(self.consent))
        self.facts = facts
        self.own_facts = _own_facts_of(settings)
        self.geoip: GeoIP | None = None
        self.clock: Clock = FixedClock(settings.at) if settings.at is not None else clock or SystemClock()
        self.seconds = seconds_by(self.clock)  # every request asks
        self.chance = chance
        self.lifecycle = lifecycle_of(settings)
        self.zone = ZoneInfo(settings.zone)
        self.health = Health()
        self.breaker = self._make_breaker()
        self.off = settings.off
        self.rule_set: RuleSet | None = None
        self.version: str | None = None  # that of the rule set, which every request asks for
        self.pending: frozenset[str] = frozenset()
        self.projectors: Sequence[Projector] = projectors_of(None, settings)
        self.worker = f"{os.uname().nodename}:{os.getpid()}:{chance(4).hex()}"
        self.started = False
        self._present: Store | None = None
        self._starting = asyncio.Lock()
        self.ingest = Ingest(
            self._write,
            queue_size=settings.ingest.queue_size,
            batch_size=settings.ingest.batch_size,
            flush_seconds=settings.ingest.flush_seconds,
            on_failure=self._batch_failed,
            chance=chance,
        )
        self.follower = self._make_follower()
        self._watcher = SaveWatcher(self.store, settings, clock=self.clock, health=self.health, follower=self.follower)
        #: What goes on beside the pages. The last one ends first: what is queued is written while all others still run.
        self._tasks = (
            self._watcher,
            self._make_filler(),
            self._make_sweeper(),
            self._make_webhooks(),
            self._make_retention(),
            self.ingest,
        )

    def _make_follower(self) -> Follower:
        return Follower(
            self.store,
            self.settings,
            worker=self.worker,
            clock=self.clock,
            health=self.health,
            changed=self.serve,
            switched=self._switch,
        )

    def _make_filler(self) -> FillTask:
        return FillTask(
            self.store,
            self.settings,
            worker=self.worker,
            clock=self.clock,
            health=self.health,
            lacks=lambda: self.follower.lacks,
            refresh=self.follower.refresh,
        )

    def _make_sweeper(self) -> SweepTask:
        return SweepTask(
            self.store,
            self.settings,
            worker=self.worker,
            clock=self.clock,
            health=self.health,
            serving=lambda: None if self.pending or self.follower.refused is not None else self.rule_set,
            write=self.ingest.record,
        )

    def _make_webhooks(self) -> WebhookTask:
        return WebhookTask(
            self.store,
            self.settings,
            worker=self.worker,
            clock=self.clock,
            health=self.health,
            chance=self.chance,
            write=self.ingest.record,
        )

    def _make_retention(self) -> RetentionTask:
        return RetentionTask(
            self.store,
            self.settings.privacy,
            worker=self.worker,
            clock=self.clock,
            health=self.health,
            rules=lambda: None if self.follower.refused is not None else self._rules(),
        )

    def _rules(self) -> tuple[Schema, Sequence[Projector], str]:
        return self.schema, self.projectors, self.version or NOTHING_LIVE

    def _make_breaker(self) -> Breaker:
        return Breaker(
            lambda: self.store.profile(NOBODY),
            budget_seconds=self.settings.time_budget_seconds,
            failed=lambda error: self.health.failed("probing the store broke off", error, self.clock.now()),
        )

    @property
    def schema(self) -> Schema:
        """What the live rule set declares of events and attributes."""
        return self.rule_set.schema if self.rule_set is not None else Schema()

    # Life ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and begin to follow the live rule set; harmless when done already.

        A store that can't be opened, or does not answer, keeps no page from being served: it is said, counted and
        tried again. Nor does a GeoIP database that can't be: it is said and counted. A start that raises, or is broken
        off, has undone what it did and can be tried again.
        """
        async with self._starting:
            if self.started:
                return
            self.started = True  # by now: pages that come meanwhile need not wait for the store
            until = patient_until(self.settings)
            try:
                await self._open(until)
                if self.records:
                    await self.follower.start(until=until)
                    for task in self._tasks:
                        task.start()
            except BaseException:
                await self._let_go()
                raise

    async def _open(self, until: float | None) -> None:
        self._open_geoip()
        try:
            async with patience(until):
                await self.store.open()
            if self.settings.at is not None:
                await self._open_past(self.settings.at)
            elif self.settings.reload == "save":
                await self._watcher.publish_saved()
        except (StoreError, InvalidFiles) as error:
            self.health.failed("the site starts without its store or rules", error, self.clock.now())

    def _open_geoip(self) -> None:
        problems = Problems()
        self.geoip = open_geoip(self.settings, problems)
        if problems.has_errors:
            error = SettingsError(problems.list)
            self.health.failed("the site starts without its GeoIP database", error, self.clock.now())

    async def _open_past(self, moment: datetime) -> None:
        rule_set = await live_rule_set(self.store, self.settings)
        if rule_set is None:
            problems = Problems()
            rule_set = checked(read_draft(self.settings, problems), self.settings, problems)
        self.serve(rule_set)
        self._present = self.store
        self.store = await self.store.as_of(moment, self.projectors)
        self.profile_at_once = profile_at_once_of(self.store)

    async def stop(self) -> None:
        """Write what is queued, then let go of the store; harmless when done already."""
        async with self._starting:
            if self.started:
                await self._let_go()

    async def _let_go(self) -> None:
        async with AsyncExitStack() as ending:
            # The last one comes first; each has its turn, whatever happened to those before it.
            if self._present is not None:
                ending.push_async_callback(self._present.close)
            ending.push_async_callback(self.store.close)
            if self.geoip is not None:
                ending.callback(self.geoip.close)
            ending.push_async_callback(self.breaker.stop)
            ending.push_async_callback(self.follower.stop)
            for task in self._tasks:
                ending.push_async_callback(task.stop)
            self.started, self.geoip = False, None
            if self._present is not None:
                self.store, self._present = self._present, None

    async def refresh(self) -> None:
        """Serve what is live now, without waiting for the next look at the row."""
        await self.follower.refresh()

    def serve(self, rule_set: RuleSet, pending: frozenset[str] = frozenset()) -> None:
        """Serve this rule set from the next page view on; `pending` are the facts that can't be answered yet."""
        self.rule_set, self.version, self.pending = rule_set, rule_set.version, pending
        self.projectors = projectors_of(rule_set, self.settings)

    def _switch(self, off: bool) -> None:
        """Leave every page untouched from the next one on, or fill slots again; the settings' `off` stays off."""
        if self.off != (off or self.settings.off):
            self.off = not self.off
            logger.warning("personalizing is switched %s", "off" if self.off else "on again")

    # Page views and events -----------------------------------------------------------------------------

    async def record(
        self,
        type: str,
        profile_id: str,
        properties: Mapping[str, object] | None = None,
        *,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
        sender: str = "site",
        channel: str = WEB,
    ) -> Applied:
        """Record an event of a declared type; durable when it returns, and the next page view sees it.

        `sender` and `event_id` together count once for ever; without an id each call is an event of its own.
        Raises `EventRefused` for what the schema doesn't allow or the log doesn't take, such as late news of somebody
        who was erased, `EventConflict` where the sender has told something else under this id, and `StoreError` where
        it can't be kept.
        """
        known = check_event(type, properties or {}, self.schema, zone=self.zone)
        return await self.record_event(
            self.event(
                type, profile_id, known, occurred_at=occurred_at, event_id=event_id, sender=sender, channel=channel
            )
        )

    async def record_event(self, event: Event) -> Applied:
        """Record one event that `event` has made; see `record`."""
        applied = await self.ingest.record([event])
        if applied.refused:
            raise EventRefused(NOT_TAKEN, applied.refused[0].reason)
        if applied.conflicting:
            raise EventConflict(event.sender, event.event_id)
        return applied

    async def retract(self, profile_id: str, event_id: str, *, sender: str = "site") -> bool:
        """Take an event of this visitor back: everything is as if it had never been recorded.

        `event_id` and `sender` are those with which it was recorded; the visitor is the one that it was recorded of,
        or whoever took their browser over by logging in. False where nothing such is known of them: an event that has
        yet to arrive is taken back when it comes, but not somebody else's, nor a consent, a join or a correction.
        """
        return await correct(self, RETRACT, profile_id, (sender, event_id))

    async def disown(self, profile_id: str, event_id: str, *, sender: str = "site") -> bool:
        """Say that an event tells nothing of what this visitor likes, such as the purchase of a gift; it counts all
        the same. Who and what as for `retract`."""
        return await correct(self, MARK, profile_id, (sender, event_id))

    async def undo_join(self, profile_id: str, browser: str) -> None:
        """Part a browser's past (`v:` and its id) from the login (`u:` and its id) that took it over, as where somebody
        logged in at another's computer: both are as if they had never been joined. The browser stays with the login
        from now on, and takes no past along.

        Raises `EventRefused` where they were not joined, or longer ago than 30 days.
        """
        undo = self.event(UNDO, profile_id, {"from": browser}, sender="site")
        await check_undo(self.store, undo)
        await self.record_event(undo)

    async def erase(self, profile_id: str, *, by: str) -> Erasure:
        """Erase a person: `u:` and the site's own id of a login, or `v:` and the id of a browser that never logged in.

        When it returns, nothing of them can be read anywhere, whichever worker is asked, and what any of them still
        has in its queue is refused. The receipt says what is gone, and which exports and backups may hold it; files of
        the store hold bytes until it is compacted. Raises `TakenOver` for a browser that belongs to a login by now,
        and `StoreError`.
        """
        at = self.clock.now()
        return await under_live(self.follower, self._rules, partial(self.store.erase, profile_id, at=at, by=by))

    async def set_organization(
        self,
        name: str,
        attributes: Mapping[str, object],
        *,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
        sender: str = "site",
        channel: str = WEB,
    ) -> Applied:
        """Set attributes of an organization itself, by the name that its members' profiles carry; durable when it
        returns. None removes one. Raises `EventRefused` for what the schema doesn't allow, `StoreError` where it can't
        be kept.
        """
        known = check_organization(attributes, self.schema, zone=self.zone)
        belongs = organization_id(name, folds=folds_names(self.schema))
        if belongs is None:
            raise EventRefused(TOO_LARGE, f"the name of an organization has 1 to {LONGEST_NAME} characters", "name")
        event = self.event(
            SET, belongs, known, occurred_at=occurred_at, event_id=event_id, sender=sender, channel=channel
        )
        return await self.record_event(event)

    def event(
        self,
        type: str,
        profile_id: str,
        properties: Mapping[str, JSONValue],
        *,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
        sender: str = WEB_SENDER,
        channel: str = WEB,
    ) -> Event:
        """An event as it would enter the log now. Raises `EventRefused` for one that lies ahead."""
        now = self.clock.now()
        if occurred_at is not None:
            check_moment(occurred_at, now)
        return Event(
            event_id=event_id or minted_event_id(now, self.chance(CHANCE_BYTES)),
            sender=sender,
            type=type,
            profile_id=profile_id,
            occurred_at=occurred_at or now,
            received_at=now,
            properties=properties,
            channel=channel,
            version=self.version,
        )

    async def _write(self, events: Sequence[Event]) -> Applied:
        """Apply events under the rule set that is live; one that was published meanwhile is loaded first.

        While the live one does not load here, events only enter the log. That keeps them for as long as it
        takes, where a queue would run over, and counts them right, which the rules served here would not: they
        are projected in their order by the next worker that knows what is live.
        """

        async def write(*, projectors: Sequence[Projector], version: str | None) -> Applied:
            applied = await self.store.apply(events, projectors, version=version)
            if version is not None:
                await self._withdraw(events)
            return applied

        return await under_live(self.follower, self._rules, write)

    async def _withdraw(self, events: Sequence[Event]) -> None:
        """Remove what decisions among these events no longer cover, before anybody hears that they are kept."""
        for event in events:
            if event.type == CONSENT:
                purposes, version = self.settings.privacy.purposes, self.version or NOTHING_LIVE
                await withdraw(self.store, event.profile_id, self.schema, purposes, self.projectors, version=version)

    def _batch_failed(self, error: Exception, lost: int) -> None:
        self.health.failed("events could not be written", error, self.clock.now())
        if lost:
            self.health.failures["events lost"] += lost
            logger.error("%d events are lost", lost)


def _own_facts_of(settings: Settings) -> Mapping[str, OwnFact]:
    problems = Problems()
    own_facts = load_own_facts(settings, problems)
    if own_facts is None:
        raise SettingsError(problems.list)
    return own_facts
