"""`backup` and `restore`, as an operator at a terminal uses them."""

import re
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.stores.samples import all_of


def test_a_backup_is_made_and_restored(sold: Terminal, tmp_path: Path) -> None:
    before = sold.well("segments")
    target = tmp_path / "monday.db"
    assert re.fullmatch(
        rf"Backed up 53 events and 25 profiles \(1 MB\) to {target} in [0-9.]+ s\.\n"
        "It was read back and is whole. It holds personal data: keep it as carefully as\nthe store.\n",
        sold.well("backup", str(target)),
    )
    database = sold.folder / "var" / "personalize.db"
    assert sold.said("restore", str(target), exit_code=2) == (
        f"Error: {database} is there already: --replace puts the backup in its place, and keeps it beside\n"
    )
    sold.well("switch", "off")
    said = sold.well("restore", str(target), "--replace")
    assert said.startswith(f"Restored 53 events and 25 profiles (1 MB) from {target}.\n")
    assert "personalize.db.replaced-" in said
    assert re.sub(r"\d\d:\d\d", "", sold.well("segments")) == re.sub(r"\d\d:\d\d", "", before)
    assert "switched off" not in sold.well("switch")


def test_in_a_folder_a_backup_is_named_for_the_moment(sold: Terminal, tmp_path: Path) -> None:
    sold.well("backup", str(tmp_path))
    (name,) = [path.name for path in tmp_path.glob("*.db")]
    assert re.fullmatch(r"personalize-\d{8}T\d{6}Z\.db", name)


def test_a_backup_is_noted_by_whom(sold: Terminal, tmp_path: Path) -> None:
    sold.well("backup", str(tmp_path / "a.db"), "--by", "Ingrid")
    (note,) = sold.stored(lambda store: store.exports())
    assert (note.by, note.what, note.where) == ("Ingrid", "backup", str(tmp_path / "a.db"))


def test_another_kind_of_store_has_means_of_its_own_and_what_they_made_is_noted(shop: Terminal) -> None:
    text = (shop.folder / "personalize.toml").read_text(encoding="utf-8")
    (shop.folder / "personalize.toml").write_text(f'store = "memory:"\n{text}', encoding="utf-8")
    said = shop.said("backup", "a.db", exit_code=2)
    assert said.startswith("Error: only a store in a SQLite file is backed up and restored so.")
    assert said.endswith("personalize backup --elsewhere PLACE\n")


def test_a_backup_that_other_means_made_is_noted(sold: Terminal) -> None:
    said = sold.well("backup", "--elsewhere", "s3://shop/monday.dump", "--by", "Ingrid")
    assert said.startswith("Noted: a backup at s3://shop/monday.dump. An erasure will name it")
    (note,) = sold.stored(lambda store: store.exports())
    assert (note.by, note.what, note.where) == ("Ingrid", "backup", "s3://shop/monday.dump")
    assert note.ended_at is not None
    for options in ((), ("a.db", "--elsewhere", "b")):
        assert "name the file to copy the store to" in sold.said("backup", *options, exit_code=2)


def test_who_was_erased_since_is_erased_again_and_nothing_is_left_to_do(sold: Terminal, tmp_path: Path) -> None:
    sold.well("backup", str(tmp_path / "monday.db"))
    sold.well("erase", "--visitor", "u:121", "--yes")
    said = " ".join(sold.well("restore", str(tmp_path / "monday.db"), "--replace").split())
    assert said.endswith("Erased again: 1 id, erased since the backup was made.")
    assert sold.stored(lambda store: store.profile("u:121")) is None
    before = sold.stored(lambda store: all_of(store.profiles()))
    sold.well("rebuild")
    assert sold.stored(lambda store: all_of(store.profiles())) == before
