"""`export`: everything that is stored, and `import` of it, here and elsewhere."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from personalize.exports.event_files import EXPORT_FORMATS
from personalize.profiles.profile import Profile
from personalize.stores.protocols import Export, Live, Store
from tests.cli.conftest import CDNOW, IMPORTS
from tests.cli.terminal import Terminal

Change = Callable[[Path], object]


async def everything(store: Store) -> object:
    log = [event async for event in store.log()]
    profiles: list[Profile] = [profile async for profile in store.profiles()]
    lives: list[Live] = list(await store.versions())
    return log, profiles, lives, [await store.rule_set(live.version) for live in lives]


async def exports(store: Store) -> list[Export]:
    return list(await store.exports())


@pytest.mark.parametrize("format_", EXPORT_FORMATS)
def test_a_site_moves_elsewhere_by_an_export(
    sold: Terminal, tmp_path: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sold.stored(everything)
    said = sold.well("export", str(tmp_path / "out"), "--format", format_)
    assert re.fullmatch(
        rf"Exported 53 events and 1 rule set to {tmp_path}/out in [0-9.]+ s\.\n"
        "It holds personal data: keep it as carefully as the store, and delete it when it\nhas served.\n",
        said,
    ), said
    other = Terminal(tmp_path / "other")
    shutil.copytree(CDNOW, other.folder)
    monkeypatch.chdir(other.folder)
    assert other.well("import", str(tmp_path / "out")) == (
        "53 events: 53 new, 0 known already\n1 rule set: what was live there is live here.\n"
    )
    assert other.stored(everything) == before
    assert other.well("import", str(tmp_path / "out")).startswith("53 events: 0 new, 53 known already\n")
    assert other.stored(everything) == before


def test_who_was_erased_stays_erased_elsewhere_under_the_same_keys(
    sold: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def an_id(store: Store) -> str:
        first, *_ = [event.profile_id async for event in store.log()]
        return first

    visitor = sold.stored(an_id)
    sold.well("export", str(tmp_path / "before"))
    sold.well("erase", "--visitor", visitor, "--by", "Kari", "--yes")
    sold.well("export", str(tmp_path / "out"))
    other = Terminal(tmp_path / "other")
    shutil.copytree(CDNOW, other.folder)
    key = (sold.folder / "var" / "personalize.key").read_text()
    (other.folder / "var").mkdir(exist_ok=True)
    (other.folder / "var" / "personalize.key").write_text(key)
    (other.folder / "var" / "personalize.key").chmod(0o600)
    monkeypatch.chdir(other.folder)
    said = other.well("import", str(tmp_path / "out"))
    assert "1 erased id: what tells of them is refused here, too, as long as secret_keys" in said.replace("\n", " ")
    assert [each.by for each in other.stored(lambda store: store.erasures())] == ["Kari"]
    # A file of the time before brings back nobody.
    assert "refused" in other.well("import", str(tmp_path / "before"))
    assert other.stored(lambda store: store.profile(visitor)) is None


def test_into_a_store_with_a_history_of_its_own_only_events_and_rule_sets_come(
    sold: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold.well("export", str(tmp_path / "out"))
    other = Terminal(tmp_path / "other")
    shutil.copytree(CDNOW, other.folder)
    monkeypatch.chdir(other.folder)
    other.well("publish", "--by", "Kari")
    lives = other.stored(lambda store: store.versions())
    assert other.well("import", str(tmp_path / "out")) == (
        "53 events: 53 new, 0 known already\n"
        "The rule sets are kept, and what was live here stays live: this store has a\nhistory of its own.\n"
    )
    assert other.stored(lambda store: store.versions()) == lives


def test_an_export_is_noted_by_whom_and_where(sold: Terminal, tmp_path: Path) -> None:
    sold.well("export", "out", "--by", "Ingrid", "--what", "all")
    sold.well("export", str(tmp_path / "more"), "--what", "profiles")
    first, second = sold.stored(exports)
    assert (first.by, first.what, first.where) == ("Ingrid", "all", str(sold.folder / "out"))
    assert (second.by, second.what, second.where) == ("ola", "profiles", str(tmp_path / "more"))
    assert first.ended_at is not None


def test_profiles_alone_are_nothing_to_import(sold: Terminal) -> None:
    assert sold.well("export", "out", "--what", "profiles").startswith("Exported 25 profiles to out in ")
    assert sold.said("import", "out", exit_code=2) == (
        "Error: out holds profiles and no events, of which profiles are made: nothing to import\n"
    )


def altered(folder: Path) -> None:
    path = folder / "events.jsonl"
    path.write_text(path.read_text().replace('"amount":1437', '"amount":9437', 1))


def cut(folder: Path) -> None:
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-500])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (altered, r"out/events\.jsonl was altered between its bytes 1 and [0-9,]+, in the lines 1 to 54"),
        (cut, r"out/events\.jsonl is cut: it ends after [0-9,]+ of [0-9,]+ bytes"),
        (lambda folder: (folder / "lives.jsonl").unlink(), r"out/lives\.jsonl is missing"),
        (lambda folder: (folder / "manifest.json").unlink(), r"out is no export: it has no manifest\.json"),
    ],
)
def test_nothing_is_imported_of_what_was_cut_or_altered(shop: Terminal, change: Change, message: str) -> None:
    shop.well("import", str(IMPORTS / "purchases.csv"), "--map", str(IMPORTS / "purchases.yaml"))
    shop.well("export", "out")
    shutil.rmtree(shop.folder / "var")
    change(shop.folder / "out")
    assert re.fullmatch(rf"Error: {message}\n", shop.said("import", "out", exit_code=2))
    assert shop.stored(everything) == ([], [], [], [])


def test_an_export_takes_no_mapping(sold: Terminal) -> None:
    sold.well("export", "out")
    said = sold.said("import", "out", "--event", "purchase", "--no-header", exit_code=2)
    assert said.endswith("Error: an export says itself what its rows are: leave out --event, --header.\n")


def test_a_folder_that_is_there_is_not_written_over(sold: Terminal) -> None:
    assert sold.said("export", "rules", exit_code=2) == (
        f"Error: {sold.folder}/rules is there already: name a folder that is not\n"
    )
