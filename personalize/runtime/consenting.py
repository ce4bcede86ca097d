"""Takes a visitor's decision: from now on remembered, or from now on left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from personalize.events.event import CONSENT, JSONValue
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.sources import Scope
from personalize.visitors.consent import Consent, granting
from personalize.visitors.cookies import cookie_name, cookie_values, delete_cookie, set_cookie
from personalize.visitors.identity import Identity, identify

_DAY_SECONDS = 86_400
_LONGEST_FACT = 500
#: What the form says of the page it stands on; it belongs to the visit that begins with consent.
PAGE_FIELDS = ("landing_path", "source", "medium", "campaign")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a decision leads to: the cookies to set or delete."""

    consent: Consent
    cookies: tuple[str, ...]


async def take_decision(
    personalizer: Personalizer, scope: Scope, granted: Iterable[str], page: Mapping[str, str]
) -> Answer:
    """Keep the decision; `granted` are the purposes agreed to, none of them a refusal.

    A grant makes the identifier, and its first event is the consent itself; a refusal deletes it. Purposes
    that the site doesn't ask for are left out. Raises `StoreError` where the decision can't be kept.
    """
    settings = personalizer.settings
    consent = granting(set(granted) & set(settings.privacy.purposes))
    is_secure = scope.get("scheme") == "https"
    name = cookie_name(settings.cookie.name, secure=is_secure)
    seconds = settings.cookie.max_age_days * _DAY_SECONDS
    consent_name = cookie_name(settings.cookie.consent_name, secure=is_secure)
    kept = set_cookie(consent_name, consent.as_text(), secure=is_secure, max_age_seconds=seconds)
    known = _identity(personalizer, scope, name, consent if consent.permits_identifier else None)
    if known.profile_id is not None:
        await _record(personalizer, known.profile_id, consent, page)
    if not consent.permits_identifier or known.visitor_id is None:
        return Answer(consent, (kept, delete_cookie(name, secure=is_secure)))
    token = personalizer.tokens.sign(known.visitor_id)
    return Answer(consent, (kept, set_cookie(name, token, secure=is_secure, max_age_seconds=seconds)))


def _identity(personalizer: Personalizer, scope: Scope, name: str, consent: Consent | None) -> Identity:
    """Who decides: under the new decision, or for a refusal under the one it ends."""
    return identify(
        cookie_values=cookie_values(scope.get("headers", ()), name),
        user_id=personalizer.login.user_id(scope),
        consent=consent if consent is not None else personalizer.consent.read(scope),
        tokens=personalizer.tokens,
        fresh=lambda: personalizer.chance(16),
        may_mint=consent is not None,
    )


async def _record(personalizer: Personalizer, profile_id: str, consent: Consent, page: Mapping[str, str]) -> None:
    facts = {name: page[name][:_LONGEST_FACT] for name in PAGE_FIELDS if page.get(name)}
    granted: list[JSONValue] = []
    granted.extend(sorted(consent.granted or ()))
    if personalizer.records:
        await personalizer.ingest.record([personalizer.event(CONSENT, profile_id, {"granted": granted, **facts})])
