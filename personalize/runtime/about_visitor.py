"""What one visitor may ask of us, and tell us, about themselves."""

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

from personalize.events.event import INTEREST, SET, Event, JSONValue
from personalize.events.schema import DEFAULT_PURPOSE, ValueType
from personalize.events.validate import check_attributes
from personalize.profiles.profile import Profile
from personalize.profiles.stated import statement
from personalize.runtime.consenting import take_decision
from personalize.runtime.download import Download, download_of
from personalize.runtime.known import Known, known_of
from personalize.runtime.person import person_in
from personalize.runtime.sources import CookieConsent
from personalize.runtime.visitor import Visitor
from personalize.visitors.consent import REFUSED, Consent, stricter

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

#: How many of the latest events are looked at: of a login, and of each browser that it took over.
_MOST_READ = 300
#: How many of those browsers are looked at, the latest.
_MOST_BROWSERS = 5
_YES = frozenset({"yes", "true"})


class AboutVisitor:
    """The visitor of one request, as they meet what is kept of them.

    Who that is follows from the signed cookie of their browser and from the site's login, as on any page; no id is made
    for asking. What is kept is told and changed whatever purpose it was kept for. Every method raises `StoreError`
    where the store can't be asked; what was told is durable when it returns.
    """

    def __init__(self, personalizer: "Personalizer", visitor: Visitor) -> None:
        self._personalizer = personalizer
        self._visitor = visitor
        self._identity = visitor.identity_under(visitor.decision, _no_chance)

    @property
    def profile_id(self) -> str | None:
        """Whose data this is; None for somebody of whom nothing is kept."""
        return self._identity.profile_id

    @property
    def was_logged_in(self) -> bool:
        """Whether somebody was logged in with this browser and is not now. What is kept under a login is told to
        nobody else."""
        return self._visitor.user_id is None and self._visitor.changes_hands

    @property
    def may_choose(self) -> bool:
        """Whether they decide here what may be kept; the site may have a consent tool of its own."""
        return isinstance(self._personalizer.consent, CookieConsent)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What they are asked to agree to."""
        return self._personalizer.settings.privacy.purposes

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The headers that their browser sent."""
        return self._visitor.request.sent.pairs

    @property
    def language(self) -> str | None:
        """The language that their browser asks for."""
        return self._visitor.facts.language

    def day(self, moment: datetime) -> str:
        """The day of a moment by the site's clock, as in 2026-11-21."""
        return moment.astimezone(self._personalizer.zone).date().isoformat()

    def failed(self, what: str, error: Exception) -> None:
        """Count a failure, and say it in the log."""
        self._visitor.failed(what, error)

    async def consent(self) -> Consent:
        """What they have agreed to: of the browser's decision and the stored one the stricter."""
        profile = await self._profile()
        return self._visitor.decision if profile is None else stricter(profile.consent, self._visitor.decision)

    async def known(self) -> Known | None:
        """What is kept of them, in words; None where that is nothing, or nothing is live that has words for it."""
        profile, personalizer = await self._profile(), self._personalizer
        if profile is None or personalizer.rule_set is None:
            return None
        events = [event for one in self._ids(profile) for event in await self._latest(one)]
        events.sort(key=lambda event: event.occurred_at, reverse=True)
        now = personalizer.clock.now()
        return known_of(profile, events, personalizer.rule_set, now=now, lifecycle=personalizer.lifecycle)

    async def download(self) -> Download | None:
        """Everything that is kept of them, event by event, to take along; None as for `known`."""
        personalizer = self._personalizer
        if self.profile_id is None or personalizer.rule_set is None:
            return None
        person = await person_in(personalizer.store, self.profile_id)
        now = personalizer.clock.now()
        return download_of(person, personalizer.rule_set, personalizer.settings, now=now)

    async def say(self, tag: str, likes: bool | None) -> None:
        """Keep what they say of their taste: they like this, they do not, or None to take back what they said.

        Raises `EventRefused`.
        """
        await self._record(INTEREST, statement(tag, likes))

    async def disown(self, sender: str, event_id: str) -> None:
        """Keep that this event tells nothing of their taste: a gift, or somebody else at their screen. It still counts
        as what it is."""
        if self.profile_id is not None and self._personalizer.records:
            await self._personalizer.disown(self.profile_id, event_id, sender=sender)

    async def correct(self, name: str, written: str) -> None:
        """Keep a new value of an attribute that visitors may set, as they wrote it; nothing written removes it.

        Raises `EventRefused`.
        """
        personalizer, value = self._personalizer, written.strip()
        declared = personalizer.schema.attributes.get(name)
        is_flag = declared is not None and declared.shape.type is ValueType.BOOL
        told: object = value.casefold() in _YES if is_flag and value else value or None
        known = check_attributes({name: told}, personalizer.schema, zone=personalizer.zone, from_browser=True)
        await self._record(SET, known)

    async def choose(self, granted: Iterable[str]) -> tuple[str, ...]:
        """Keep what they agree to from now on; the `Set-Cookie` values that tell the browser."""
        return await take_decision(self._personalizer, self._visitor.request.scope_as_sent(), granted, {})

    async def stop(self) -> tuple[str, ...]:
        """Do not personalize for them any more, and leave whatever else they agreed to; see `choose`."""
        granted = (await self.consent()).granted or frozenset()
        return await self.choose(granted - {DEFAULT_PURPOSE})

    async def erase(self) -> tuple[str, ...]:
        """Erase all that is kept of them, and keep nothing new; the `Set-Cookie` values that tell this browser.

        The refusal is in the cookie alone, since nothing is kept any more that could hold it.
        """
        if self.profile_id is not None and self._personalizer.records:
            await self._personalizer.erase(self.profile_id, by="the visitor")
        visitor = self._visitor
        return (
            visitor.cookie_with_consent(REFUSED),
            visitor.cookie_without_id(),
            *visitor.cookies_of_arm(REFUSED, None),
        )

    async def _profile(self) -> Profile | None:
        return None if self.profile_id is None else await self._personalizer.store.profile(self.profile_id)

    def _ids(self, profile: Profile) -> tuple[str, ...]:
        return (profile.profile_id, *profile.joined_from[-_MOST_BROWSERS:])

    async def _latest(self, profile_id: str) -> list[Event]:
        """The latest events sent with an id, newest entry of the log first."""
        latest: list[Event] = []
        async with aclosing(self._personalizer.store.history(profile_id)) as history:  # type: ignore[type-var]
            async for event in history:
                latest.append(event)
                if len(latest) == _MOST_READ:
                    break
        return latest

    async def _record(self, type_: str, properties: dict[str, JSONValue]) -> None:
        if self.profile_id is not None and self._personalizer.records:
            await self._personalizer.ingest.record([self._personalizer.event(type_, self.profile_id, properties)])


def _no_chance() -> None:
    """Nobody gets an id for asking."""
