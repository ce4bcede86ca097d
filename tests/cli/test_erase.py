"""`erase`: a visitor goes, a receipt stays, and who asks is told what else may hold them."""

import re
from datetime import UTC, datetime

import pytest

from personalize.stores.protocols import Export, Store
from tests.cli.conftest import IMPORTS
from tests.cli.terminal import IN_POSTGRES_TOO, Terminal
from tests.stores.samples import all_of, event, purchase

pytestmark = IN_POSTGRES_TOO

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def known(store: Store) -> set[str]:
    return {profile.profile_id for profile in await all_of(store.profiles())}


async def visited(store: Store) -> None:
    """A login with two browsers, and somebody else."""
    joins = [event("join", "u:7", {"from": f"v:{name}"}, minutes=2) for name in ("ann", "bob")]
    await store.apply([purchase("v:ann"), purchase("v:bob"), purchase("u:7"), *joins, purchase("u:8")], ())
    await store.note_export(Export("e1", NOON, "ola", "backup", "/backups/march.db"))


def test_the_person_goes_with_their_browsers_and_a_receipt_stays(sold: Terminal) -> None:
    sold.stored(visited)
    said = sold.well("erase", "--visitor", "u:7", "--yes", "--by", "Ann")
    assert re.sub(r"[0-9a-f]{32}|\d{4}-\d\d-\d\d \d\d:\d\d", "…", " ".join(said.split())) == (
        "Erased 0 profiles and 5 events. The receipt is …, of … UTC, by Ann. The bytes leave the files of the store "
        'when "personalize compact" has run. These copies may hold them still: backup, of … UTC: /backups/march.db'
    )
    assert {"u:7", "v:ann", "v:bob"}.isdisjoint(sold.stored(known))
    (receipt,) = sold.stored(lambda store: store.erasures())
    assert receipt.seal in said and receipt.by == "Ann"


def test_it_says_what_goes_and_asks(sold: Terminal) -> None:
    sold.stored(visited)
    before = sold.stored(known)
    asked = sold.run("erase", "--visitor", "u:7")
    assert "u:7: a profile, 2 browsers that they have logged in with, 5 events." in asked.output
    assert "Erase it all? It can't be undone. [y/N]" in asked.output
    assert asked.exit_code != 0
    assert sold.stored(known) == before
    assert not sold.stored(lambda store: store.erasures())


def test_somebody_of_whom_nothing_is_kept_is_erased_all_the_same(sold: Terminal) -> None:
    assert "Nothing is kept of u:nobody." in sold.run("erase", "--visitor", "u:nobody").output
    assert "Erased 0 profiles and 0 events." in sold.well("erase", "--visitor", "u:nobody", "--yes")
    assert "These copies" not in sold.well("erase", "--visitor", "u:nobody", "--yes")


def test_a_browser_of_a_login_is_not_erased_by_itself(sold: Terminal) -> None:
    sold.stored(visited)
    sold.well("rebuild")
    said = sold.said("erase", "--visitor", "v:ann", "--yes", exit_code=2)
    assert "personalize erase --visitor u:7" in said
    assert "v:ann" in sold.stored(known)


@pytest.mark.parametrize("written", ["7", "u:", "x:7", ""])
def test_what_is_no_visitor_is_refused(shop: Terminal, written: str) -> None:
    assert "write u:ID for a login, v:ID for a browser" in shop.said(
        "erase", "--visitor", written, "--yes", exit_code=2
    )


def test_an_import_does_not_bring_the_erased_back(sold: Terminal) -> None:
    before = sold.stored(known)
    assert "u:121" in before
    sold.well("erase", "--visitor", "u:121", "--yes")
    again = sold.run("import", str(IMPORTS / "purchases.csv"), "--map", str(IMPORTS / "purchases.yaml"))
    assert again.exit_code == 1
    assert "line 2: the visitor was erased" in again.stderr
    assert sold.stored(known) == before - {"u:121"}
