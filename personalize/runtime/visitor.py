"""Who looks at one page: recognised when something first asks, from the request, the site and the store."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from personalize.decisions.context import RequestFacts
from personalize.profiles.organization import Belonging, Organization
from personalize.profiles.profile import Profile
from personalize.runtime.page_request import PageRequest
from personalize.runtime.sources import CookieConsent, ScopeLogin
from personalize.visitors.arms import LONGEST_DAYS, arm_as_text
from personalize.visitors.consent import UNKNOWN, Consent, stricter
from personalize.visitors.cookies import LONGEST_AGE_SECONDS, CookieNames, delete_cookie, set_cookie
from personalize.visitors.identity import Identity, agreed, identify
from personalize.visitors.tokens import KNOWN

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

T = TypeVar("T")

_DAY_SECONDS: Final = 86_400
_IDENTIFIER_BYTES: Final = 16


class Visitor:
    """The visitor of one request, which came at the moment `now`."""

    def __init__(self, personalizer: "Personalizer", request: PageRequest, now: datetime) -> None:
        self._personalizer = personalizer
        self.request = request
        self.now = now
        self.profile: Profile | None = None
        self.organization: Organization | None = None
        self._read_beside: Organization | None = None
        self._facts: RequestFacts | None = None
        self._decision: Consent | None = None
        self._identity: Identity | None = None
        self._user_id: str | None = None
        self._was_read = self._is_erased = self._was_login_read = self.degraded = False
        #: Whether somebody is logged in who was erased, so that the decision in our cookie holds no longer.
        self.is_asked_anew = False
        sent = request.sent
        self._browser = personalizer.browsers.of(sent.cookies, request.is_secure)
        get = sent.raw.get
        #: Whether a script of another site fetches the page: what it could read of a visitor is nothing of its own.
        self.is_elsewhere = get(b"sec-fetch-mode") == b"cors" and get(b"sec-fetch-site") == b"cross-site"

    @property
    def facts(self) -> RequestFacts:
        """What the request tells of itself. Where a fact source of the site fails, what it alone could have told
        can't be answered; a field of another type than text is missing."""
        if self._facts is None:
            self._facts = self._read_facts()
        return self._facts

    def _read_facts(self) -> RequestFacts:
        facts, personalizer = self.request.facts(), self._personalizer
        if personalizer.facts is None:
            return facts if personalizer.geoip is None else self._placed(facts)
        try:
            told: dict[Any, Any] = dict(personalizer.facts.facts(self.request.scope_as_sent()))
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self.failed("the fact source failed", error)
            facts = self._placed(facts)
            return replace(facts, unanswerable=frozenset(one for one in OWN_FACTS if getattr(facts, one) is None))
        fitting = {str(name): value for name, value in told.items() if self._fits(name, value)}
        return self._placed(replace(facts, **fitting))

    def _placed(self, facts: RequestFacts) -> RequestFacts:
        """The facts, with the place that the GeoIP database tells where the site told none; a region or city is not
        put into another country than the site's."""
        geoip = self._personalizer.geoip
        if geoip is None:
            return facts
        try:
            place = geoip.place(self.request.scope.get("client"))
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self.failed("the GeoIP database could not be read", error)
            return facts
        if place is None or (facts.country or place.country).upper() != place.country:
            return facts
        return replace(
            facts,
            country=facts.country or place.country,
            region=facts.region or place.region,
            city=facts.city or place.city,
        )

    def _fits(self, name: object, value: object) -> bool:
        """Whether a fact source may give this; what it may not is counted by its name, and left out."""
        fits = name in OWN_FACTS and isinstance(value, str | None)
        if not fits:
            allowed = f"a fact source gives text or None for {', '.join(sorted(OWN_FACTS))}"
            self.failed(f"the fact source gave a wrong {name if name in OWN_FACTS else 'name'}", TypeError(allowed))
        return fits

    @property
    def decision(self) -> Consent:
        """What this browser's visitor has decided; a consent source that fails counts as no decision."""
        if self._decision is None:
            self._decision = self._read_decision()
        return self._decision

    def _read_decision(self) -> Consent:
        if self.is_asked_anew:
            return UNKNOWN
        told = self._browser.decision
        if told.granted is not None:  # cookies tell it only where the site goes by them
            return told
        source, request = self._personalizer.consent, self.request
        try:
            if isinstance(source, CookieConsent):
                return source.or_signal(told, request.sent)
            return _checked(source.read(request.scope_as_sent()))
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self.failed("the consent source failed", error)
            return UNKNOWN

    @property
    def consent(self) -> Consent:
        """What holds on this page: of the browser's decision and the stored one the stricter."""
        profile = self.profile
        if profile is None or profile.consent.granted is None:
            return self.decision
        return stricter(profile.consent, self.decision)

    @property
    def identity(self) -> Identity:
        """Who is looking, computed from the request alone."""
        if self._identity is None:
            self._identity = self._identify()
        return self._identity

    def _identify(self) -> Identity:
        known, decision = self._browser.identity, self.decision
        if known is not None and known.consent is decision and self.user_id is None and not self._is_erased:
            return known
        return self.identity_under(decision, self._chance_of_person)

    @property
    def user_id(self) -> str | None:
        """The site's own login; a login source that fails counts as none."""
        if not self._was_login_read:
            self._user_id, self._was_login_read = self._read_login(), True
        return self._user_id

    def _read_login(self) -> str | None:
        source, request = self._personalizer.login, self.request
        try:
            if isinstance(source, ScopeLogin):  # it looks at no header
                return source.user_id(request.scope)
            return _login(source.user_id(request.scope_as_sent()))
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self.failed("the login source failed", error)
            return None

    def identity_under(self, consent: Consent, fresh: Callable[[], bytes | None]) -> Identity:
        """Who is looking where this is the decision; `fresh` gives chance for a new id, if one may go out."""
        return identify(
            cookie_values=() if self._is_erased else self._browser.ids,
            user_id=self.user_id,
            consent=consent,
            tokens=self._personalizer.tokens,
            fresh=fresh,
            arm_values=self._browser.arms if consent.only_measures else (),
            is_shared=self.user_id is not None and self._is_on_shared_device,
        )

    @property
    def _is_on_shared_device(self) -> bool:
        """Whether the request says that many people use the device, as a kiosk's or a till's browser is made to."""
        header = self._personalizer.settings.privacy.shared_device_header
        if header is None:
            return False
        name = header.lower().encode("latin-1", "replace")
        return any(sent.lower() == name for sent, _ in self.request.sent.pairs)

    def chance(self) -> bytes | None:
        """Random bytes for a new id; None where nothing is recorded."""
        return self._personalizer.chance(_IDENTIFIER_BYTES) if self._personalizer.records else None

    def _chance_of_person(self) -> bytes | None:
        """The same, for a person who opens a page and nobody else."""
        return self.chance() if self.opens_page else None

    def reading(self) -> Awaitable[None] | None:
        """Read the profile, as `read_profile` does: what is left of that is to be awaited, None where it is done."""
        at_once, profile_id = self._personalizer.profile_at_once, self.identity.profile_id
        if self._was_read or profile_id is None:
            return None
        if at_once is None:
            return self.read_profile()
        self._was_read = True
        try:
            self.profile = at_once(profile_id)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._degrade("the profile could not be read", error)
            return None
        return self._meet_erasure(profile_id) if self.profile is None and not self.identity.is_new else None

    async def read_profile(self, *, with_organization: bool = False) -> None:
        """Read the profile, once and within the time budget, and at the same time what it is a member of where that is
        asked for; `degraded` says afterwards that it failed."""
        if self._was_read or (profile_id := self.identity.profile_id) is None:
            return
        self._was_read = True
        try:
            if with_organization:
                asked = self._asked(self._personalizer.store.profile_with_organization, profile_id)
                self.profile, self._read_beside = await asked
            else:
                self.profile = await self._asked(self._personalizer.store.profile, profile_id)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._degrade("the profile could not be read", error)
        else:
            if self.profile is None and not self.identity.is_new:
                await self._meet_erasure(profile_id)

    async def read_profile_and_organization(self, belonging: Belonging) -> None:
        """Read the profile, and what the visitor belongs to by it."""
        await self.read_profile(with_organization=True)
        await self._read_organization(belonging)

    async def _read_organization(self, belonging: Belonging) -> None:
        """Read what the visitor belongs to, once and within the same budget, where the profile names it; it was read
        beside the profile of a member, and is asked for apart for who has not agreed to that before this page."""
        organization_id = belonging.organization_id(self.profile)
        if self.organization is not None or organization_id is None or self.degraded:
            return
        if self._read_beside is not None and self._read_beside.organization_id == organization_id:
            self.organization = self._read_beside
            return
        try:
            found = await self._asked(self._personalizer.store.organization, organization_id)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._degrade("the organization could not be read", error)
        else:
            self.organization = found or Organization(organization_id)

    def _asked(self, ask: Callable[[str], Awaitable[T]], wanted: str) -> Awaitable[T]:
        """What the store answers, within the time budget where it may wait: a clock costs as much as a read does."""
        personalizer = self._personalizer
        waits = personalizer.profile_at_once is None
        return personalizer.breaker.read(partial(ask, wanted)) if waits else ask(wanted)

    async def _meet_erasure(self, profile_id: str) -> None:
        """Where the profile is missing since it was erased, the browser's id counts as none and gives way to a fresh
        one.

        A login keeps its id. What it had agreed to went with it, so our own notice asks anew; a decision that this
        browser has just taken is none of before.
        """
        store, login = self._personalizer.store, self.identity.user_id is not None
        if login and self.decision.is_news:
            return
        try:
            erased_at = await self._asked(store.erased_at, profile_id)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._degrade("the profile could not be read", error)
            return
        if erased_at is not None:
            self._is_erased = True
            self.is_asked_anew = self.user_id is not None and isinstance(self._personalizer.consent, CookieConsent)
            self._identity = self._decision = None

    async def settled_consent(self) -> Consent:
        """What holds for all that is kept of this page: before anything of a login is kept, its own stored
        decision is asked. Unknown, so that nothing is kept, where it can't be."""
        if self.identity.user_id is not None:
            await self.read_profile()
        if self.identity.arm is not None and self.user_id is not None:
            return await self._settled_of_arm(self.user_id)
        return self.known_consent

    @property
    def known_consent(self) -> Consent:
        """What holds for all that is kept of this page by what was read so far, which is all there is where nobody is
        logged in: unknown, where it could not be read."""
        return UNKNOWN if self.degraded else self.consent

    async def _settled_of_arm(self, user_id: str) -> Consent:
        """What holds where a browser's visitor lets us only measure, and the person who is logged in there may have
        refused that, too: nothing else of their profile is looked at."""
        try:
            stored = await self._asked(self._personalizer.store.profile, f"u:{user_id}")
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self.failed("the profile could not be read", error)
            return UNKNOWN
        return self.decision if stored is None else stricter(stored.consent, self.decision)

    @property
    def is_person(self) -> bool:
        """Whether somebody looks at the page now: no robot, no script of another site, nothing fetched in advance."""
        facts = self.facts
        return self.request.is_get and not (facts.bot or facts.prefetch or self.is_elsewhere)

    @property
    def opens_page(self) -> bool:
        """Whether somebody opens the page itself, which is when our cookies are set."""
        return self.is_person and self._is_navigation

    @property
    def known_tags(self) -> list[bytes]:
        """The values of `If-None-Match`: which pages the client has already. None but where it asks for the page."""
        headers = self.request.sent.pairs if self.request.is_get else ()
        return [value for name, value in headers if name.lower() == b"if-none-match"]

    @property
    def is_known_to_site(self) -> bool:
        """Whether the site may have made the page for somebody it knows: by its login, or by credentials."""
        return b"authorization" in self.request.sent.raw or self.user_id is not None

    @property
    def changes_hands(self) -> bool:
        """Whether the browser's cookie is one of a login and nobody is logged in, or the other way round."""
        reading = agreed(self._browser.ids, self._personalizer.tokens)
        return reading is not None and reading.visitor_id.startswith(KNOWN) is (self.user_id is None)

    @property
    def _is_navigation(self) -> bool:
        """Whether the page itself is asked for, not a part of one: parts come several at once."""
        destination = self.facts.headers.get("sec-fetch-dest")
        return destination == "document" if destination else "text/html" in self.facts.headers.get("accept", "")

    # Cookies -------------------------------------------------------------------------------------------

    @property
    def _names(self) -> CookieNames:
        return self._personalizer.browsers.names[self.request.is_secure]

    @property
    def is_told_all(self) -> bool:
        """Whether the browser has every cookie that it is to have, as that of most who come again."""
        browser = self._browser
        return browser.is_told_all and self.identity is browser.identity and not self._is_first_visit_of_day

    def wants_cookie_with(self, identity: Identity) -> bool:
        """Whether the id has to be set: a new one, one signed with an old key, or one whose life begins anew
        with the first visit of a day."""
        return identity.is_new or ((identity.renews or self._is_first_visit_of_day) and self.opens_page)

    @property
    def _is_first_visit_of_day(self) -> bool:
        visit = self.profile.visit if self.profile is not None else None
        if visit is None or self.now - visit.last_page_at <= self._personalizer.lifecycle.visit_ends_after:
            return False
        return visit.last_page_at.date() != self.now.date()

    def cookie_with_id(self, visitor_id: str) -> str:
        """The `Set-Cookie` value that keeps this id."""
        return self._kept(self._names.visitor, self._personalizer.tokens.sign(visitor_id))

    def cookie_without_id(self) -> str:
        """The `Set-Cookie` value that makes the browser forget its id."""
        return delete_cookie(self._names.visitor, secure=self.request.is_secure)

    def cookies_of_arm(self, decision: Consent, fresh: str | None) -> tuple[str, ...]:
        """The `Set-Cookie` values that keep a `fresh` arm, or make the browser forget one that no longer goes with what
        was decided. It is kept for a fixed time, and not renewed."""
        if fresh is not None:
            return (self._kept(self._names.arm, arm_as_text(fresh), most_seconds=LONGEST_DAYS * _DAY_SECONDS),)
        if decision.decided and not decision.only_measures and self._browser.arms:
            return (delete_cookie(self._names.arm, secure=self.request.is_secure),)
        return ()

    def cookie_with_consent(self, consent: Consent) -> str:
        """The `Set-Cookie` value that keeps this decision."""
        return self._kept(self._names.consent, consent.as_text())

    def cookie_without_consent(self) -> str:
        """The `Set-Cookie` value that makes the browser forget its decision."""
        return delete_cookie(self._names.consent, secure=self.request.is_secure)

    def _kept(self, name: str, value: str, *, most_seconds: int = LONGEST_AGE_SECONDS) -> str:
        seconds = min(self._personalizer.settings.cookie.max_age_days * _DAY_SECONDS, most_seconds)
        return set_cookie(name, value, secure=self.request.is_secure, max_age_seconds=seconds)

    def _degrade(self, what: str, error: BaseException) -> None:
        """Note that the page has to do without what could not be read."""
        self.degraded = True
        self.failed(what, error)

    def failed(self, what: str, error: BaseException | None) -> None:
        """Count a failure that this page survives."""
        self._personalizer.health.failed(what, error, self.now)


#: What a site may know better than we do of a request.
OWN_FACTS: Final = frozenset(
    {"referrer", "source", "medium", "campaign", "device", "browser", "os", "language", "country", "region", "city"}
)


def _checked(decision: object) -> Consent:
    if not isinstance(decision, Consent):
        raise TypeError("a consent source gives a Consent")
    return decision


def _login(user_id: object) -> str | None:
    if user_id is not None and not isinstance(user_id, str):
        close = getattr(user_id, "close", None)
        if close is not None:
            close()  # a coroutine that nobody awaits
        raise TypeError("a login source gives the site's own id as text, or None; an async one can't be asked")
    return user_id
