import hashlib
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from itsdangerous import Signer

from personalize.visitors.tokens import TokenReading, Tokens, visitor_id_from

OLD, NEW = "an old key of this site", "a new key of this site"
VISITOR = visitor_id_from(b"0123456789abcdef")
TOKEN = Tokens([NEW]).sign(VISITOR)


@given(st.binary(min_size=16, max_size=16), st.sampled_from("vk"))
def test_an_id_says_its_kind_and_survives_signing(chance: bytes, kind: str) -> None:
    visitor_id = visitor_id_from(chance, kind)
    assert (visitor_id[0], len(visitor_id)) == (kind, 23)
    assert Tokens([NEW]).read(Tokens([NEW]).sign(visitor_id)) == TokenReading(visitor_id, outdated=False)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_different_chance_gives_different_ids(one: bytes, other: bytes) -> None:
    assert (visitor_id_from(one) == visitor_id_from(other)) is (one == other)


@pytest.mark.parametrize(("chance", "kind"), [(b"", "v"), (b"x" * 15, "v"), (b"x" * 17, "v"), (b"x" * 16, "x")])
def test_an_id_takes_128_random_bits_and_a_kind(chance: bytes, kind: str) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        visitor_id_from(chance, kind)


def test_a_token_is_short_and_made_by_itsdangerous_with_sha_256() -> None:
    assert len(TOKEN) == 67
    assert Signer(NEW, salt="visitor", digest_method=hashlib.sha256).unsign(TOKEN) == VISITOR.encode()


def test_the_newest_key_signs_and_older_ones_are_still_read() -> None:
    by_old = Tokens([OLD]).sign(VISITOR)
    both = Tokens([OLD, NEW])
    assert both.sign(VISITOR) == TOKEN
    assert both.read(TOKEN) == TokenReading(VISITOR, outdated=False)
    assert both.read(by_old) == TokenReading(VISITOR, outdated=True)
    assert Tokens([NEW]).read(by_old) is None


def test_what_was_read_before_is_asked_of_the_keys_that_there_are_now() -> None:
    """Tokens that were read are remembered, under the keys that they were read with."""
    by_old = Tokens([OLD]).sign(VISITOR)
    before = Tokens([OLD])
    assert [before.read(by_old) for _ in range(2)] == [TokenReading(VISITOR, outdated=False)] * 2
    while_replaced = Tokens([OLD, NEW])
    assert [while_replaced.read(by_old) for _ in range(2)] == [TokenReading(VISITOR, outdated=True)] * 2
    afterwards = Tokens([NEW])
    assert [afterwards.read(by_old) for _ in range(2)] == [None, None]


def test_a_token_for_another_purpose_is_not_accepted() -> None:
    assert Tokens([NEW], purpose="preview").read(TOKEN) is None


@pytest.mark.parametrize("keys", [[], [""], ["good enough", ""], "one text is no list"])
def test_signing_takes_keys(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="list of keys"):
        Tokens(keys)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_a_token_with_any_other_character_is_forged(place: int) -> None:
    """Also in the last place, where four characters decode to one signature."""
    others = set(string.printable + "\x00é€\ud800") - {TOKEN[place]}
    forged = [TOKEN[:place] + other + TOKEN[place + 1 :] for other in others]
    assert [Tokens([OLD, NEW]).read(text) for text in forged] == [None] * len(forged)


@given(st.integers(0, len(TOKEN)), st.text(string.printable + "\x00é\ud800", max_size=3))
def test_a_token_that_is_cut_or_longer_is_forged(place: int, added: str) -> None:
    assume(TOKEN[:place] + added != TOKEN)
    assert Tokens([NEW]).read(TOKEN[:place] + added) is None


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_reading_never_raises(text: str) -> None:
    assert Tokens([NEW]).read(text) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", VISITOR, f"{VISITOR}.", "\x00" * 67, "\ud800", "é" * 67, TOKEN + "\n", "x" * 100_000, f" {TOKEN}"],
)
def test_what_is_no_token_of_ours_reads_as_nothing(text: str) -> None:
    assert Tokens([NEW]).read(text) is None


def test_only_visitor_ids_are_read_even_where_our_key_signed_something_else() -> None:
    assert Tokens([NEW]).read(Tokens([NEW]).sign("u:00004")) is None
