"""Stated interests: what somebody says of their own taste. It is believed over what was learned from what they did.

A statement says that they like a tag, that they do not, or that they say nothing of it any more; then what was learned
counts again. It holds until the next one, and does not fade.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from personalize.errors import EventRefused
from personalize.events.event import JSONValue
from personalize.events.values import WRONG_TYPE
from personalize.profiles.interests import LONGEST_TAG, Interests, strength, strongest, tag_of
from personalize.profiles.profile import AttributeValue

#: What was said of each tag: True, False, or None for what was taken back.
Stated = Mapping[str, AttributeValue]

_TAG = "tag"
_LIKES = "likes"


def statement(tag: str, likes: bool | None) -> dict[str, JSONValue]:
    """The properties of the event that says so: they like it, they do not, or None to take back what they said.

    Raises `EventRefused` where this is no tag.
    """
    if not 0 < len(tag_of(tag)) <= LONGEST_TAG:
        raise EventRefused(WRONG_TYPE, f"this value is not a tag of 1 to {LONGEST_TAG} characters", _TAG)
    return {_TAG: tag_of(tag), _LIKES: likes}


def statement_of(properties: Mapping[str, JSONValue]) -> tuple[str, bool | None] | None:
    """The tag that a statement is about and what it says of it; None for what is no statement."""
    tag, likes = properties.get(_TAG), properties.get(_LIKES)
    if not isinstance(tag, str) or not isinstance(likes, bool | None):
        return None
    tag = tag_of(tag)
    return (tag, likes) if 0 < len(tag) <= LONGEST_TAG else None


def likes(stated: Stated, tag: str) -> bool | None:
    """What was said of this tag, None where nothing holds."""
    said = stated.get(tag)
    value = None if said is None else said.value
    return value if isinstance(value, bool) else None


def interest_in(tag: str, interests: Interests, stated: Stated, now: datetime, half_life: timedelta) -> Decimal:
    """How strong an interest is, 0 to 1: what was said, 1 or 0, else what was learned (see `strength`)."""
    said = likes(stated, tag) if stated else None
    if said is not None:
        return Decimal(said)
    times = interests.get(tag)
    return Decimal(0) if times is None else strength(times, now, half_life)


def favourite(interests: Interests, stated: Stated, now: datetime, half_life: timedelta) -> str | None:
    """The tag that somebody likes best, the first by name of several; None where there is none.

    One that they say they like comes before all that was learned; among several of these the one that was learned best.
    """
    if not stated:
        return strongest(interests, now, half_life)
    said = [tag for tag in stated if likes(stated, tag)]
    known = {tag: times for tag, times in interests.items() if likes(stated, tag) is None}
    among = {tag: interests.get(tag, ()) for tag in said} or known
    return strongest(among, now, half_life)
