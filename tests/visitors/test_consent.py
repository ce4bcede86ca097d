import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.visitors.consent import REFUSED, UNKNOWN, Consent, granting, parse_consent, stricter

PURPOSES = ("measure", "personalize", "mail")
consents = st.builds(Consent, st.none() | st.frozensets(st.sampled_from(PURPOSES)))


@given(consents)
def test_a_decision_survives_being_written(consent: Consent) -> None:
    if consent.decided:
        assert parse_consent(consent.as_text(), PURPOSES) == consent


@pytest.mark.parametrize("text", [None, "", "yes", "NO", "personalise", ".", "mail,measure", "x" * 10_000, "\x00"])
def test_other_text_is_no_decision(text: str | None) -> None:
    assert parse_consent(text, PURPOSES) == UNKNOWN


def test_a_purpose_that_the_site_no_longer_asks_for_is_left_out() -> None:
    assert parse_consent("mail.measure", ["measure"]) == granting(["measure"])
    assert parse_consent("mail", ["measure"]) == UNKNOWN


def test_unknown_and_refused_grant_nothing_and_permit_no_identifier() -> None:
    for consent in (UNKNOWN, REFUSED):
        assert not consent.permits_identifier
        assert not consent.allows("personalize")
    assert (UNKNOWN.decided, UNKNOWN.refused) == (False, False)
    assert (REFUSED.decided, REFUSED.refused) == (True, True)


def test_a_granted_purpose_is_allowed_and_no_other() -> None:
    consent = granting(["mail"])
    assert consent.permits_identifier and not consent.forbids_identifier
    assert consent.allows("mail")
    assert not consent.allows("personalize")


def test_to_measure_and_nothing_else_permits_no_identifier() -> None:
    alone, more = granting(["measure"]), granting(["measure", "mail"])
    assert alone.only_measures and alone.allows("measure")
    assert alone.forbids_identifier and not alone.permits_identifier
    assert more.permits_identifier and not more.only_measures
    assert REFUSED.forbids_identifier and not (UNKNOWN.forbids_identifier or REFUSED.only_measures)


@given(consents, consents, consents)
def test_the_stricter_decision_is_the_same_in_any_order_and_never_looser(
    one: Consent, other: Consent, third: Consent
) -> None:
    both = stricter(one, other)
    assert both == stricter(other, one)
    assert stricter(both, third) == stricter(one, stricter(other, third))
    assert stricter(one, one) == one
    for purpose in PURPOSES:
        for decision in (one, other):
            assert not both.allows(purpose) or decision.allows(purpose) or not decision.decided
