"""Which profile a request belongs to: computed from what it carries, never looked up."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from personalize.light_values import light_dataclass
from personalize.visitors.arms import arm_from, arm_in
from personalize.visitors.consent import UNKNOWN, Consent
from personalize.visitors.tokens import ANONYMOUS, KNOWN, TokenReading, Tokens, visitor_id_from


@light_dataclass(frozen=True, slots=True)
class Identity:
    """Who is looking.

    `visitor_id` is the id in our cookie (`v` for an anonymous browser, `k` for one that a login was seen in,
    then random text). `user_id` is the site's own login. `profile_id` is None without consent or without any
    id. `joins` is the anonymous profile that this login takes over, `is_new` says that our cookie must be set,
    `renews` that it must be set again with the same id, since its key is an old one, `leaves` that it must be
    deleted. `arm` stands for a visitor who lets us measure and nothing else, and who has no id at all.
    """

    visitor_id: str | None = None
    user_id: str | None = None
    profile_id: str | None = None
    is_new: bool = False
    joins: str | None = None
    leaves: bool = False
    renews: bool = False
    arm: str | None = None
    consent: Consent = UNKNOWN


def identify(
    *,
    cookie_values: Sequence[str],
    user_id: str | None,
    consent: Consent,
    tokens: Tokens,
    fresh: Callable[[], bytes | None],
    arm_values: Sequence[str] = (),
    is_shared: bool = False,
) -> Identity:
    """Who is looking, from all values of our cookie, the site's login and the visitor's decision.

    `fresh` gives 16 random bytes, or None where no new id may go out, since this is no person who opens a page; it is
    asked at most once, and only for a new id. Without a granted purpose no id is used, not even the login's; who lets
    us only measure has an arm instead, by its own cookie (`arm_values`). A cookie that is forged, or several that
    contradict one another, count as none.

    A login takes the anonymous profile of its browser over once, but not on a device that `is_shared` by many people,
    whose past is nobody's, and moves the browser to a fresh `k` id; a
    browser with a `k` id and no login has logged out and starts afresh. So no cookie ever joins two logins,
    and a cookie alone never leads to a login's profile.
    """
    if not consent.permits_identifier:
        nobody = Identity(leaves=consent.decided and bool(cookie_values), consent=consent)
        return _with_arm(nobody, arm_in(arm_values), fresh) if consent.only_measures else nobody
    reading = agreed(cookie_values, tokens)
    if user_id:
        identity = _with_login(user_id, reading, fresh, consent)
        return replace(identity, joins=None) if is_shared else identity
    return _without_login(reading, fresh, consent)


def _with_arm(nobody: Identity, arm: str | None, fresh: Callable[[], bytes | None]) -> Identity:
    """The visitor in the arm of their browser, or in one that is drawn for it, from nothing that is known of them."""
    if arm is not None:
        return replace(nobody, arm=arm)
    chance = fresh()
    return nobody if chance is None else replace(nobody, arm=arm_from(chance), is_new=True)


def agreed(cookie_values: Sequence[str], tokens: Tokens) -> TokenReading | None:
    """What the validly signed cookies say, where they all say the same."""
    if len(cookie_values) == 1:
        return tokens.read(cookie_values[0])
    readings = [reading for text in cookie_values if (reading := tokens.read(text)) is not None]
    if len({reading.visitor_id for reading in readings}) != 1:
        return None
    return min(readings, key=lambda reading: reading.outdated)


def _with_login(
    user_id: str, reading: TokenReading | None, fresh: Callable[[], bytes | None], consent: Consent
) -> Identity:
    known = Identity(user_id=user_id, profile_id=f"u:{user_id}", consent=consent)
    if reading is not None and reading.visitor_id.startswith(KNOWN):
        return replace(known, visitor_id=reading.visitor_id, renews=reading.outdated)
    chance = fresh()
    if chance is None:
        return known
    joins = None if reading is None else f"v:{reading.visitor_id}"
    return replace(known, visitor_id=visitor_id_from(chance, KNOWN), is_new=True, joins=joins)


def _without_login(reading: TokenReading | None, fresh: Callable[[], bytes | None], consent: Consent) -> Identity:
    if reading is not None and reading.visitor_id.startswith(ANONYMOUS):
        visitor_id = reading.visitor_id
        return Identity(visitor_id, profile_id=f"v:{visitor_id}", renews=reading.outdated, consent=consent)
    chance = fresh()
    if chance is None:
        return Identity(consent=consent)
    visitor_id = visitor_id_from(chance, ANONYMOUS)
    return Identity(visitor_id, profile_id=f"v:{visitor_id}", is_new=True, consent=consent)
