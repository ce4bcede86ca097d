"""`token`: made once and shown once, listed without itself, revoked by name or id."""

import re
from collections.abc import Sequence

import pytest

from personalize.runtime.access import digest_of
from personalize.stores.protocols import AccessToken, Store
from tests.cli.terminal import Terminal


async def kept(store: Store) -> Sequence[AccessToken]:
    return await store.tokens()


def made(shop: Terminal, *arguments: str) -> str:
    """The token that a command prints on the side of results, alone."""
    result = shop.run("token", "create", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_token_is_printed_once_and_kept_as_its_hash(shop: Terminal) -> None:
    token = made(shop, "till", "--scope", "events:write", "--scope", "decide", "--expires", "90 days")
    assert re.fullmatch(r"pzt_[A-Za-z0-9_-]{43}", token)
    (one,) = shop.stored(kept)
    assert (one.digest, one.name, one.scopes) == (digest_of(token), "till", {"decide", "events:write"})
    assert one.expires_at is not None and (one.expires_at - one.created_at).days == 90
    listed = shop.well("token", "list")
    assert "till" in listed and "decide, events:write" in listed and "never" in listed
    assert token not in listed and one.digest not in listed


def test_without_tokens_the_list_says_how_to_make_one(shop: Terminal) -> None:
    assert shop.well("token", "list") == "There are no tokens; personalize token create makes one.\n"


def test_a_name_revokes_all_that_share_it_and_an_id_one(shop: Terminal) -> None:
    tokens = [made(shop, "till", "--scope", "decide") for _ in range(3)]
    one = digest_of(tokens[0])[:8]
    assert "Revoked 1 token of till" in shop.well("token", "revoke", one)
    assert [digest_of(tokens[0])] == [each.digest for each in shop.stored(kept) if each.revoked_at is not None]
    assert "Revoked 2 tokens of till" in shop.well("token", "revoke", "till")
    assert all(each.revoked_at is not None for each in shop.stored(kept))
    assert 'there is no token "till"' in shop.said("token", "revoke", "till", exit_code=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("till",), "Missing option '--scope'"),
        (("till", "--scope", "root"), "'root' is not one of 'events:write'"),
        ((" ", "--scope", "decide"), '" " is no name for a token'),
        (("web", "--scope", "decide"), '"web" is the sender of what the site itself records'),
        (("till", "--scope", "decide", "--expires", "soon"), '"soon" says no moment: write a date'),
        (("till", "--scope", "decide", "--expires", "2020-01-01"), '"2020-01-01" has passed already'),
    ],
)
def test_what_can_make_no_token_is_said(shop: Terminal, arguments: tuple[str, ...], says: str) -> None:
    assert says in shop.said("token", "create", *arguments, exit_code=2)
    assert shop.stored(kept) == []
