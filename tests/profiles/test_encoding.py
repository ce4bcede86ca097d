from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.profiles.encoding import decode_profile, encode_profile
from personalize.profiles.profile import AttributeValue, Joined, Profile, Ties, Totals, Visit
from personalize.visitors.consent import Consent

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)

names = st.text(max_size=8)
moments = st.datetimes(timezones=st.just(UTC))
numbers = st.integers(-(10**30), 10**30) | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
optional_moments = st.none() | moments
optional_texts = st.none() | st.text(max_size=8)
visits = st.builds(
    Visit,
    number=st.integers(1, 999),
    started_at=moments,
    last_page_at=moments,
    pages=st.integers(0, 999),
    landing_path=optional_texts,
    source=optional_texts,
    medium=optional_texts,
    campaign=optional_texts,
    previous_seen_at=optional_moments,
)
profiles = st.builds(
    Profile,
    profile_id=st.text(max_size=30),
    attributes=st.dictionaries(
        names, st.builds(AttributeValue, values, st.integers(0, 2**52), st.booleans()), max_size=4
    ),
    totals=st.dictionaries(
        names,
        st.builds(Totals, st.integers(1, 10**9), numbers, moments, moments, st.none() | numbers, st.none() | numbers),
        max_size=3,
    ),
    recent=st.dictionaries(names, st.lists(st.integers(-(2**62), 2**62)).map(tuple), max_size=3),
    interests=st.dictionaries(names, st.lists(st.integers(-(2**62), 2**62)).map(tuple), max_size=3),
    visit=st.none() | visits,
    first_seen_at=optional_moments,
    last_seen_at=optional_moments,
    seen_before_at=optional_moments,
    consent=st.builds(Consent, st.none() | st.frozensets(names, max_size=3)),
    consent_at=optional_moments,
    joined=st.none() | st.builds(Joined, names, moments),
    joined_from=st.lists(names, max_size=3).map(tuple),
    events=st.integers(0, 2**60),
    of_two_units=st.booleans(),
    ties=st.builds(
        Ties,
        st.lists(names, max_size=2).map(tuple),
        optional_moments,
        st.frozensets(st.tuples(names, names), max_size=3),
    ),
)


def types_in(value: Any) -> Any:
    """The types all the way down: 1, True and Decimal("1") are equal, and must not be mistaken."""
    if isinstance(value, list):
        return [types_in(item) for item in value]
    if isinstance(value, dict):
        return {name: types_in(item) for name, item in value.items()}
    return type(value), str(value)


@given(profiles)
def test_what_was_encoded_is_decoded_to_the_same_profile(profile: Profile) -> None:
    read = decode_profile(encode_profile(profile))
    assert read == profile
    for name, stored in profile.attributes.items():
        assert types_in(read.attributes[name].value) == types_in(stored.value)
    for type_, total in profile.totals.items():
        assert types_in(read.totals[type_].sum) == types_in(total.sum)


@given(profiles)
def test_a_profile_that_was_read_is_encoded_to_the_same_bytes(profile: Profile) -> None:
    data = encode_profile(profile)
    assert encode_profile(decode_profile(data)) == data


@pytest.mark.parametrize(
    "value", [{"d": "1.5"}, {"m": {}}, {"d": Decimal(1)}, {"i": 2**70}, {"m": {"d": Decimal("0.1")}}]
)
def test_a_mapping_that_looks_like_a_tag_is_read_as_the_mapping(value: Any) -> None:
    profile = Profile("v:a", attributes={"any": AttributeValue(value, 0)})
    assert decode_profile(encode_profile(profile)).attributes["any"].value == value


def test_an_empty_refusal_is_not_an_unknown_decision() -> None:
    refused = Profile("v:a", consent=Consent(frozenset()))
    assert decode_profile(encode_profile(refused)).consent.refused


def test_an_empty_profile_is_a_handful_of_bytes() -> None:
    assert encode_profile(Profile("v:a")) == b'{"i":"v:a","n":0}'


def test_what_is_read_when_asked_still_looks_like_a_mapping() -> None:
    total = Totals(1, 5, AT, AT, 5, 5)
    totals = decode_profile(encode_profile(Profile("v:a", totals={"purchase": total}))).totals
    assert totals.get("purchase") == totals["purchase"] == total
    assert totals.get("search") is None
    assert "search" not in totals
    assert "purchase" in totals
    assert list(totals.items()) == [("purchase", total)]
    assert {**totals} == {"purchase": total}
    assert repr(totals) == repr({"purchase": total})
    with pytest.raises(KeyError):
        totals["search"]
