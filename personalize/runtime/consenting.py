"""Takes a visitor's decision: from now on remembered, or from now on left alone."""

from collections.abc import Iterable, Mapping

from personalize.errors import StoreError
from personalize.events.event import CONSENT, JSONValue
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.runtime.page_request import PageRequest
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.sources import Scope, has_privacy_signal
from personalize.runtime.visitor import Visitor
from personalize.visitors.consent import Consent, granting
from personalize.visitors.sent_headers import SentHeaders

_LONGEST_FACT = 500
#: What the form says of the page it stands on; it belongs to the visit that begins with consent.
PAGE_FIELDS = ("landing_path", "source", "medium", "campaign")


async def take_decision(
    personalizer: Personalizer, scope: Scope, granted: Iterable[str], page: Mapping[str, str]
) -> tuple[str, ...]:
    """Keep the decision; the `Set-Cookie` values that tell the browser.

    `granted` are the purposes agreed to, none of them a refusal; those that the site doesn't ask for are left
    out. A grant makes the identifier, and its first event is the consent itself. A refusal deletes it, and is
    the last event of the one it ends; so is consent to measure and nothing else. A login that can't be seen here may be
    one inside the site: the cookie says then that the decision is news, and the next page tells the login. Raises
    `StoreError` where a grant can't be kept; a refusal holds in the browser all the same.
    """
    consent = granting(set(granted) & set(personalizer.settings.privacy.purposes))
    request = PageRequest(scope)
    visitor = Visitor(personalizer, request, personalizer.clock.now())
    under = consent if consent.permits_identifier else visitor.decision
    identity = visitor.identity_under(under, visitor.chance if consent.permits_identifier else _no_chance)
    if identity.profile_id is not None and personalizer.records:
        may_keep = consent.allows(DEFAULT_PURPOSE)
        facts = {name: page[name][:_LONGEST_FACT] for name in PAGE_FIELDS if may_keep and page.get(name)}
        try:
            told = {**_receipt(personalizer, request.sent, consent), **facts}
            await personalizer.ingest.record([personalizer.event(CONSENT, identity.profile_id, told)])
        except StoreError as error:
            if consent.permits_identifier:
                raise
            visitor.failed("a withdrawal could not be kept; the browser has it", error)
    kept = visitor.cookie_with_consent(Consent(consent.granted, is_news=visitor.user_id is None))
    if identity.visitor_id is None or not consent.permits_identifier:
        return (kept, visitor.cookie_without_id(), *visitor.cookies_of_arm(consent, None))
    return (kept, visitor.cookie_with_id(identity.visitor_id), *visitor.cookies_of_arm(consent, None))


def _no_chance() -> None:
    """A refusal makes no identifier."""


def _receipt(personalizer: Personalizer, sent: SentHeaders, consent: Consent) -> dict[str, JSONValue]:
    """What is kept of the decision itself: the purposes, which text was agreed to, and whether the browser asked not to
    be followed."""
    receipt: dict[str, JSONValue] = {"granted": list[JSONValue](sorted(consent.granted or ()))}
    if (text := personalizer.settings.privacy.consent_text) is not None:
        receipt["text"] = text
    if has_privacy_signal(sent):
        receipt["gpc"] = True
    return receipt
