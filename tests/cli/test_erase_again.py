"""`erase-again`: who was erased after a backup was made stays erased when that is restored."""

import asyncio
import re
from pathlib import Path

import pytest

from personalize.settings import load_settings
from personalize.stores.postgres.address import address_of
from personalize.stores.protocols import Store
from tests.cli.terminal import IN_POSTGRES_TOO, Terminal
from tests.postgres_server import run_program
from tests.stores.samples import all_of, event, purchase


async def known(store: Store) -> set[str]:
    return {profile.profile_id for profile in await all_of(store.profiles())}


async def shared_browser(store: Store) -> None:
    """Two logins have shared a browser, and the first has another one beside it."""
    joins = [event("join", "u:7", {"from": f"v:{name}"}, minutes=2) for name in ("ann", "bob")]
    await store.apply([purchase("v:ann"), purchase("v:bob"), purchase("u:8"), *joins], ())
    await store.apply([event("join", "u:8", {"from": "v:ann"}, minutes=4)], ())


def settings_of(shop: Terminal) -> str:
    return load_settings(shop.folder / "personalize.toml", {}).store


def copy_away(shop: Terminal, backup: Path) -> None:
    """Make a backup by the store's own means."""
    if settings_of(shop).startswith("sqlite"):
        shop.well("backup", str(backup))
    else:
        address = address_of(settings_of(shop))
        asyncio.run(run_program("pg_dump", "-Fc", f"--schema={address.schema}", f"--file={backup}", address.dsn))


def bring_back(shop: Terminal, backup: Path) -> None:
    """Lose the store, and restore the backup by the store's own means."""
    if settings_of(shop).startswith("sqlite"):
        (shop.folder / "var" / "personalize.db").unlink()
        said = " ".join(shop.well("restore", str(backup)).split())
        assert "Erase them again before the site starts: personalize erase-again FOLDER" in said
    else:
        address = address_of(settings_of(shop))
        asyncio.run(run_program("pg_restore", "--clean", "--if-exists", f"--dbname={address.dsn}", str(backup)))


@IN_POSTGRES_TOO
def test_one_command_erases_in_a_restored_store_and_counts_who_stays_anew(sold: Terminal, tmp_path: Path) -> None:
    sold.stored(shared_browser)
    sold.well("rebuild")
    backup, folder = tmp_path / "monday.backup", tmp_path / "erased"
    copy_away(sold, backup)
    for each in ("u:7", "u:121"):
        sold.well("erase", "--visitor", each, "--yes")
    said = " ".join(sold.well("export", "--what", "erased", str(folder)).split())
    assert re.fullmatch(r"Exported 4 erased ids to \S+ in \S+ s\. It holds seals and receipts, and nothing .*\.", said)
    before = sold.stored(known)
    profile = sold.stored(lambda store: store.profile("u:8"))
    assert [each.what for each in sold.stored(lambda store: store.exports())] in (["backup"], [])

    bring_back(sold, backup)
    assert {"u:7", "u:121"} <= sold.stored(known)
    again = " ".join(sold.well("erase-again", str(folder)).split())
    assert again == (
        f"Erased again: 4 ids of the 4 that {folder} has erased. The bytes leave the files of the store when "
        '"personalize compact" has run.'
    )
    assert sold.stored(known) == before
    assert sold.stored(lambda store: store.profile("u:8")) == profile
    assert len(sold.stored(lambda store: store.erasures())) == 2
    once_more = " ".join(sold.well("erase-again", str(folder)).split())
    assert once_more == (
        f"Nobody is to be erased again: none of the 4 ids that {folder} has erased is here. "
        "Seals tell nothing without the secret_keys that the site had."
    )
    sold.well("rebuild")
    assert sold.stored(lambda store: store.profile("u:8")) == profile


def test_a_store_that_is_still_there_tells_whom_it_has_erased(sold: Terminal, tmp_path: Path) -> None:
    sold.well("backup", str(tmp_path / "monday.db"))
    sold.well("erase", "--visitor", "u:121", "--yes")
    lost = sold.folder / "lost.db"
    (sold.folder / "var" / "personalize.db").rename(lost)
    sold.well("restore", str(tmp_path / "monday.db"))
    assert sold.well("erase-again", "sqlite:lost.db").startswith(
        "Erased again: 1 id of the 1 that sqlite:lost.db has erased."
    )
    assert "u:121" not in sold.stored(known)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nowhere", "there is no folder nowhere: name that of an export, or the address of a store"),
        ("sqlite:nowhere.db", "there is no such store"),
        ("rules", "rules is no export: it has no manifest.json"),
    ],
)
def test_what_tells_nobody_is_refused(sold: Terminal, source: str, why: str) -> None:
    assert why in " ".join(sold.said("erase-again", source, exit_code=2).split())


def test_the_sites_own_store_is_no_other_copy(sold: Terminal) -> None:
    assert "SOURCE is the site's own store" in sold.said("erase-again", settings_of(sold), exit_code=2)


def test_who_was_erased_is_nothing_to_import_and_a_cut_file_is_refused(sold: Terminal, tmp_path: Path) -> None:
    sold.well("erase", "--visitor", "u:121", "--yes")
    folder = tmp_path / "erased"
    sold.well("export", "--what", "erased", str(folder))
    assert f"nothing to import: personalize erase-again {folder}" in " ".join(
        sold.said("import", str(folder), exit_code=2).split()
    )
    seals = folder / "erased.jsonl"
    seals.write_bytes(seals.read_bytes()[:-5])
    assert "is cut" in sold.said("erase-again", str(folder), exit_code=2)


def test_an_import_erases_whom_the_exported_store_had_erased(sold: Terminal, tmp_path: Path) -> None:
    """Though they were here before it came."""
    sold.well("backup", str(tmp_path / "monday.db"))
    sold.well("erase", "--visitor", "u:121", "--yes")
    sold.well("export", str(tmp_path / "out"))
    (sold.folder / "var" / "personalize.db").unlink()
    sold.well("restore", str(tmp_path / "monday.db"))
    said = " ".join(sold.well("import", str(tmp_path / "out")).split())
    assert "50 events: 0 new, 50 known already" in said and "Erased here, too: 1 id of them." in said
    assert "u:121" not in sold.stored(known)
