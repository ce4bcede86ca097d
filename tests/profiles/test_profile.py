"""A changed profile keeps all that was not changed."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from personalize.events.event import to_micros
from personalize.light_values import replace
from personalize.profiles.organization import Membership
from personalize.profiles.profile import AttributeValue, Joined, Profile, Ties, Totals, Visit, changed
from personalize.visitors.consent import Consent

AT = datetime(2026, 3, 1, tzinfo=UTC)
#: A value of each field that is not what it is by default.
VALUES: Mapping[str, Any] = {
    "profile_id": "v:bob",
    "attributes": {"tier": AttributeValue("gold", to_micros(AT))},
    "totals": {"purchase": Totals(1, 1, AT, AT)},
    "recent": {"key": (1,)},
    "visit": Visit(1, AT, AT, 1),
    "first_seen_at": AT,
    "last_seen_at": AT,
    "seen_before_at": AT,
    "consent": Consent(frozenset({"personalize"})),
    "consent_at": AT,
    "joined": Joined("u:ann", AT),
    "joined_from": ("v:ann",),
    "events": 1,
    "unit": "v:ann",
    "interests": {"tents": (1,)},
    "stated": {"tents": AttributeValue(True, to_micros(AT))},
    "membership": Membership("acme", {}),
    "ties": Ties(("u:ann",)),
    "of_two_units": True,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Profile)])
def test_each_field_is_kept_unless_it_is_changed(name: str) -> None:
    plain = Profile("v:ann")
    other = replace(plain, **{name: VALUES[name]})
    assert other != plain
    assert changed(other, {}) == other
    assert changed(plain, {name: VALUES[name]}) == other
