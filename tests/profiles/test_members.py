"""Organizations: who counts as a member, and what members share."""

from collections.abc import Sequence

import pytest

from personalize.events.event import JOIN, Event
from personalize.profiles.encoding import decode_organization, encode_organization
from personalize.profiles.holding import holding_for
from personalize.profiles.organization import organization_id
from personalize.profiles.project import ProfileProjector
from personalize.stores.holding_text import holding_as_text, holding_from_text
from tests.stores.organization_contract import COMPANY_SCHEMA, agrees, projected, works_for
from tests.stores.samples import SCHEMA, event, purchase

BOTH = ("measure", "personalize")


def totals(*events: Event) -> tuple[int, int, int | None]:
    """Members of the company "acme", and how often and for how much they bought."""
    found = projected(*events)
    if found is None:
        return (0, 0, None)
    shared = found.totals.get("purchase")
    return (found.members, 0, None) if shared is None else (found.members, shared.count, int(shared.sum))


def test_members_add_up_what_the_schema_shares_in_whatever_order_it_is_told() -> None:
    events = [agrees("u:1", *BOTH), works_for("u:1", "acme"), purchase("u:1", 300), purchase("u:1", 50)]
    others = [agrees("u:2", *BOTH), works_for("u:2", "acme"), purchase("u:2", 7)]
    assert totals(*events, *others) == totals(*others[::-1], *events[::-1]) == (2, 3, 357)


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [((), (0, 0, None)), (("personalize",), (0, 0, None)), (("measure",), (1, 0, None)), (BOTH, (1, 1, 300))],
)
def test_only_what_a_member_agreed_to_is_shared(purposes: Sequence[str], expected: tuple[int, int, int | None]) -> None:
    assert totals(works_for("u:1", "acme"), purchase("u:1", 300), agrees("u:1", *purposes)) == expected


def test_who_never_decided_shares_nothing() -> None:
    assert totals(works_for("u:1", "acme"), purchase("u:1", 300)) == (0, 0, None)


def test_withdrawn_consent_takes_out_what_was_shared() -> None:
    shared = [agrees("u:1", *BOTH), works_for("u:1", "acme"), purchase("u:1", 300)]
    assert totals(*shared) == (1, 1, 300)
    assert totals(*shared, agrees("u:1", "measure", minutes=5)) == (1, 0, None)
    assert totals(*shared, agrees("u:1", minutes=5)) == (0, 0, None)


def test_who_leaves_takes_along_what_they_brought_in() -> None:
    shared = [agrees("u:1", *BOTH), works_for("u:1", "acme"), purchase("u:1", 300)]
    stays = [agrees("u:2", *BOTH), works_for("u:2", "acme"), purchase("u:2", 7)]
    assert totals(*shared, *stays, works_for("u:1", "other", minutes=5)) == (1, 1, 7)
    assert totals(*shared, works_for("u:1", None, minutes=5)) == (0, 0, None)


def test_a_login_counts_as_one_member_with_what_the_browser_brought_along() -> None:
    before = [agrees("v:ann", *BOTH), works_for("v:ann", "acme"), purchase("v:ann", 40)]
    known = [agrees("u:1", *BOTH), works_for("u:1", "acme"), purchase("u:1", 300)]
    joined = event(JOIN, "u:1", {"from": "v:ann"}, 30)
    assert totals(*before, *known) == (2, 2, 340)
    assert totals(*before, *known, joined) == (1, 2, 340)


def test_an_organization_reads_back_from_its_bytes() -> None:
    events = [agrees("u:1", *BOTH), works_for("u:1", "acme"), purchase("u:1", 10**30)]
    found = projected(*events, event("set", "o:acme", {"plan": "gold"}))
    assert found is not None and decode_organization(encode_organization(found)) == found


@pytest.mark.parametrize("name", ["", 7, None, True, ["acme"], "x" * 201])
def test_what_names_nothing_is_no_organization(name: object) -> None:
    assert organization_id(name) is None


def test_names_of_a_folding_attribute_are_one() -> None:
    assert organization_id("ACME", folds=True) == organization_id("acme", folds=True) == "o:acme"
    assert organization_id("ACME") == "o:ACME"


def test_what_members_share_has_to_be_counted_before_rules_may_ask() -> None:
    needed, held = holding_for(COMPANY_SCHEMA, ()), ProfileProjector(SCHEMA).holding
    assert not held.covers(needed)
    assert needed.covers(held)
    assert holding_from_text(holding_as_text(needed)) == needed
    assert not needed.kept_under(held).memberships
