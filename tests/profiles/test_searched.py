"""What visitors are found by: which values are the same, and rows that survive being written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.profiles.searched import (
    TERM_BYTES,
    SearchProjector,
    Terms,
    as_searched,
    term_keys,
    term_of,
    visitor_in,
)

INDEX = SearchProjector(["email"])
terms = st.binary(min_size=TERM_BYTES, max_size=TERM_BYTES).filter(any)


@pytest.mark.parametrize(
    "same",
    [
        ("anna@example.org", " Anna@EXAMPLE.org "),
        ("Straße 5", "STRASSE  5"),
        ("café", "cafe\u0301"),
        ("12", "１２"),
        ("+47 123", "+47\u00a0123"),
    ],
)
def test_values_are_the_same_but_for_how_they_are_written(same: tuple[str, str]) -> None:
    one, other = same
    assert as_searched(one) == as_searched(other) is not None
    assert term_of("email", one) == term_of("email", other) != term_of("number", one)


@pytest.mark.parametrize("value", ["", "  ", None, 5, True, ["anna"]])
def test_nobody_is_found_by_nothing_or_what_is_no_text(value: object) -> None:
    assert term_of("email", value) is None


def test_zeros_and_signs_tell_values_apart() -> None:
    assert len({term_of("number", value) for value in ("0150", "150", "1-50", "15 0")}) == 4


@given(st.text(min_size=1), st.lists(terms, min_size=1, unique=True))
def test_rows_survive_being_written_and_the_visitors_names_all_that_lead_there(
    profile_id: str, told: list[bytes]
) -> None:
    row = Terms(tuple(told))
    assert INDEX.decode(INDEX.encode(row)) == row
    assert [visitor_in(key) for key in term_keys(profile_id, INDEX.encode(row))] == [profile_id] * len(told)
    leading = Terms((told[0],), leads=True)
    assert INDEX.decode(INDEX.encode(leading)) == leading and INDEX.encode(leading) == told[0]
    assert term_keys(profile_id, None) == []
