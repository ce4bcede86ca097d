"""Which profile a request belongs to: computed from what it carries, never looked up."""

from dataclasses import dataclass

from personalize.visitors.consent import UNKNOWN, Consent


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is looking.

    `visitor_id` is the id in our cookie (`v` for an anonymous browser, `k` for one that a login was seen in,
    then random text). `user_id` is the site's own login. `profile_id` is None without consent or without any
    id. `joins` is the anonymous profile that this login takes over, `is_new` says that our cookie must be set,
    `leaves` that it must be deleted.
    """

    visitor_id: str | None = None
    user_id: str | None = None
    profile_id: str | None = None
    is_new: bool = False
    joins: str | None = None
    leaves: bool = False
    consent: Consent = UNKNOWN


NOBODY = Identity()
