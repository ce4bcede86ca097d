"""Patterns of answers refute what wants another one, however many of the questions it asks."""

import random

from personalize.rules.index.postings import Postings, bit_mask


def test_what_wants_an_answer_that_is_not_given_is_refuted() -> None:
    rng = random.Random(3)
    wants = {bit: {rng.randrange(6): rng.random() < 0.7 for _ in range(rng.randint(0, 5))} for bit in range(60)}
    postings = Postings()
    for bit, answers in wants.items():
        for question, wanted in answers.items():
            postings.note(question, bit, wanted=wanted)
    postings.finish()
    for truth in range(64):
        expected = {
            bit
            for bit, answers in wants.items()
            if any(bool(truth >> question & 1) is not wanted for question, wanted in answers.items())
        }
        assert postings.refuted(postings.met(truth)) == bit_mask(expected)
        halves = (postings.met(truth & 0b10101), postings.met(truth & 0b101010))
        assert postings.refuted(*halves) == bit_mask(expected)


def test_a_mask_has_the_bits_it_is_made_of() -> None:
    assert bit_mask(()) == 0
    assert bit_mask((0, 9, 1000)) == 1 | 1 << 9 | 1 << 1000
