"""What visitors say of their own taste is believed over what we guessed, in whatever order it arrives."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.errors import EventRefused
from personalize.events.event import Event, to_micros
from personalize.profiles.encoding import decode_profile, encode_profile
from personalize.profiles.profile import AttributeValue
from personalize.profiles.stated import favourite, interest_in, likes, statement, statement_of
from tests.profiles.histories import event, join, minutes, projected

MONTH = timedelta(days=30)
NOW = minutes(0)
LEARNED = {"tents": (to_micros(NOW),) * 3, "stoves": (to_micros(NOW),)}


def said(profile_id: str, tag: str, liked: bool | None, at: float) -> Event:
    """A statement as the log keeps it."""
    return event("interest", profile_id, minutes(at), statement(tag, liked))


def words(**liked: bool | None) -> dict[str, AttributeValue]:
    """What was said of each tag."""
    return {tag: AttributeValue(value, 0) for tag, value in liked.items()}


def test_what_is_said_is_believed_over_what_was_learned() -> None:
    stated = words(tents=False, lamps=True, stoves=None)
    strengths = {tag: interest_in(tag, LEARNED, stated, NOW, MONTH) for tag in ("tents", "lamps", "stoves", "boots")}
    assert strengths == {"tents": 0, "lamps": 1, "stoves": Decimal("0.5"), "boots": 0}


def test_what_is_said_does_not_fade() -> None:
    assert interest_in("lamps", {}, words(lamps=True), NOW + 100 * MONTH, MONTH) == 1


@pytest.mark.parametrize(
    ("stated", "best"),
    [
        (words(), "tents"),
        (words(tents=False), "stoves"),
        (words(tents=False, stoves=False), None),
        (words(stoves=True), "stoves"),
        (words(stoves=True, lamps=True), "stoves"),
        (words(lamps=True, boots=True), "boots"),
        (words(stoves=None), "tents"),
    ],
)
def test_the_favourite_is_among_what_they_say_they_like(stated: dict[str, AttributeValue], best: str | None) -> None:
    assert favourite(LEARNED, stated, NOW, MONTH) == best


def test_the_latest_word_holds_in_whatever_order_words_arrive() -> None:
    three = [said("v:a", "Tents", True, 1), said("v:a", "tents", False, 2), said("v:a", "lamps", True, 1)]
    for order in permutations(three):
        stated = projected(order)["v:a"].stated
        assert (likes(stated, "tents"), likes(stated, "lamps")) == (False, True)


@given(st.permutations(range(4)))
def test_a_login_keeps_its_own_word_and_takes_the_rest_along(order: list[int]) -> None:
    events = [
        said("v:a", "tents", True, 3),
        said("v:a", "lamps", True, 1),
        said("u:1", "tents", False, 2),
        join("v:a", "u:1", minutes(4)),
    ]
    stated = projected([events[place] for place in order])["u:1"].stated
    assert (likes(stated, "tents"), likes(stated, "lamps")) == (False, True)


def test_a_profile_keeps_what_was_said() -> None:
    profile = projected([said("v:a", "tents", True, 1), said("v:a", "lamps", None, 1)])["v:a"]
    assert decode_profile(encode_profile(profile)) == profile


@pytest.mark.parametrize("tag", ["", "  ", "x" * 101])
def test_a_statement_is_about_a_tag(tag: str) -> None:
    with pytest.raises(EventRefused, match="not a tag of 1 to 100 characters"):
        statement(tag, True)


@pytest.mark.parametrize("properties", [{}, {"tag": 5, "likes": True}, {"tag": "a", "likes": "yes"}, {"tag": " "}])
def test_what_is_no_statement_changes_nothing(properties) -> None:  # type: ignore[no-untyped-def]
    assert statement_of(properties) is None
    assert projected([event("interest", "v:a", minutes(1), properties)])["v:a"].stated == {}
