"""Guesses: the nearest word, and whether a machine may write it."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.guesses import did_you_mean, is_slip, nearest

WORDS = st.text("abcd-1", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("memebers", "members"),
        ("MEMBERS", "members"),
        ("member", "members"),
        ("lapsed_buyers", "Lapsed-Buyers"),
        ("zebra", None),
        ("", None),
        ("members" * 10_000, None),
    ],
)
def test_the_nearest_word_is_guessed_whatever_its_case(word: str, guess: str | None) -> None:
    allowed = ["members", "Lapsed-Buyers", "tent-people"]
    assert nearest(word, allowed) == guess
    assert did_you_mean(word, allowed) == (f"did you mean `{guess}`?" if guess else None)


def test_a_guess_does_not_depend_on_the_order_of_the_allowed_words() -> None:
    words = ["aab", "aac", "aad", "AAB"]
    assert nearest("aaa", words) == nearest("aaa", reversed(words)) == nearest("aaa", set(words))


@pytest.mark.parametrize(
    ("word", "allowed", "instead"),
    [
        ("memebers", ["members", "regulars"], "members"),
        ("membres", ["members"], "members"),
        ("olderThan", ["older_than"], "older_than"),
        ("Lapsed Buyers", ["lapsed-buyers"], "lapsed-buyers"),
        ("at_lest", ["at_least", "at_most"], "at_least"),
        ("lst", ["first", "last"], "last"),
    ],
)
def test_one_slip_of_the_pen_from_one_word_is_beyond_doubt(word: str, allowed: list[str], instead: str) -> None:
    guess = did_you_mean(word, allowed)
    assert guess is not None
    assert (guess, guess.word, guess.instead) == (f"did you mean `{instead}`?", word, instead)


@pytest.mark.parametrize(
    ("word", "allowed"),
    [
        ("unknown", ["known"]),
        ("unregistered", ["registered"]),
        ("step-2", ["step-1"]),
        ("step-2", ["step-21"]),
        ("buyers-a", ["buyers-b", "buyers-c"]),
        ("iss", ["is"]),
        ("membership", ["members"]),
        ("trues", ["true"]),
        ("gold: x", ["gold: y"]),
    ],
)
def test_where_somebody_has_to_look_nothing_is_put_in(word: str, allowed: list[str]) -> None:
    guess = did_you_mean(word, allowed)
    assert guess is not None and guess.instead is None


def test_what_stands_before_the_word_is_kept() -> None:
    guess = did_you_mean("cout", ["count", "total"], before="purchase.")
    assert guess is not None
    assert (guess, guess.word, guess.instead) == ("did you mean `purchase.count`?", "purchase.cout", "purchase.count")


def test_a_guess_can_be_copied_and_sent_to_another_process() -> None:
    guess = did_you_mean("memebers", ["members"])
    for copied in (copy.deepcopy(guess), pickle.loads(pickle.dumps(guess))):
        assert (copied, copied.word, copied.instead) == (guess, "memebers", "members")


@given(WORDS, WORDS)
def test_a_slip_goes_both_ways(one: str, other: str) -> None:
    assert is_slip(one, other) == is_slip(other, one)


@given(st.text("abcdef", min_size=4, max_size=9), st.data())
def test_every_single_slip_is_one(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from("abcdef"))
    assert is_slip(word[:at] + letter + word[at:], word)
    assert is_slip(word[:at] + letter + word[at + 1 :], word)
    assert is_slip(word[:at] + word[at + 1] + word[at] + word[at + 2 :], word)
