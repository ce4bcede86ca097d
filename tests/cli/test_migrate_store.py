"""`migrate-store`: what one store keeps is moved to another, and the command says that it is the same."""

import re
from collections.abc import Callable
from pathlib import Path

from personalize.profiles.profile import Profile
from personalize.stores.protocols import Store
from tests.cli.terminal import Terminal

STORE = "sqlite:store.db"


async def profiles(store: Store) -> list[Profile]:
    return [profile async for profile in store.profiles()]


def the_store_of(terminal: Terminal) -> str:
    """The address of the site's store, as its settings have it."""
    found = re.search(r'^store = "(.*)"$', (terminal.folder / "personalize.toml").read_text(), re.MULTILINE)
    return found[1] if found else "sqlite:var/personalize.db"


def test_a_site_goes_on_in_a_database_with_the_same_profiles(sold: Terminal, postgres_url: Callable[[], str]) -> None:
    url, before = postgres_url(), sold.stored(profiles)
    text = sold.well("migrate-store", the_store_of(sold), url)
    assert re.fullmatch(
        r"Copied 53 events in [0-9.]+ s; 0 events had been there\.\n"
        r"Both stores have the same log: 53 events, SHA-256 [0-9a-f]{16}…\n"
        r"Both have the same profiles: 25 profiles, SHA-256 [0-9a-f]{16}…\n"
        r"Stop the site, run this once more, and start it with the new store in the\nsetting \"store\"\.\n",
        text,
    ), text
    assert "Copied 0 events" in (again := sold.well("migrate-store", the_store_of(sold), url))
    assert re.findall("SHA-256 .*", again) == re.findall("SHA-256 .*", text)
    settings = sold.folder / "personalize.toml"
    rest = re.sub(r"^store = .*\n", "", settings.read_text(), flags=re.MULTILINE)
    settings.write_text(f'store = "{url}"\n{rest}', encoding="utf-8")
    assert sold.stored(profiles) == before
    assert "25 profiles" in sold.well("rebuild")
    assert sold.stored(profiles) == before


def test_a_store_that_is_missing_is_not_made_and_one_is_not_moved_to_itself(sold: Terminal) -> None:
    said = sold.said("migrate-store", "sqlite:var/nothing.db", "sqlite:new.db", exit_code=2)
    assert said.startswith("Error: there is no such store: ") and "nothing.db is missing" in said
    assert not Path("var/nothing.db").exists()
    assert sold.said("migrate-store", "sqlite:a.db", "sqlite:a.db", exit_code=2) == (
        "Error: FROM and TO are the same store.\n"
    )


def test_a_database_that_is_not_there_is_named_without_the_password(sold: Terminal) -> None:
    said = sold.said("migrate-store", the_store_of(sold), "postgresql://ann:Donkey-7@127.0.0.1:1/shop", exit_code=2)
    reason = "cannot be reached: nothing listens there: does the server run?"
    assert said == f"Error: the store postgresql://127.0.0.1:1/shop {reason}\n"
