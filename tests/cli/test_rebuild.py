"""`rebuild`: profiles come from the log again, the same as they were."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.stores.protocols import Store
from tests.cli.terminal import IN_POSTGRES_TOO, Terminal


async def profiles(store: Store) -> list[Profile]:
    return [profile async for profile in store.profiles()]


async def spoil(store: Store) -> None:
    """Project as a site without any declaration would."""
    await store.rebuild([ProfileProjector()])


@IN_POSTGRES_TOO
def test_spoilt_profiles_come_back_as_they_were(sold: Terminal) -> None:
    before = sold.stored(profiles)
    sold.stored(spoil)
    assert sold.stored(profiles) != before
    text = sold.well("rebuild")
    assert re.fullmatch(r"53 events made 25 profiles in [0-9.]+ s, under the rule set [0-9a-f]{16}\.\n", text), text
    assert sold.stored(profiles) == before


def test_before_anything_is_live_publishing_is_named_instead(shop: Terminal) -> None:
    assert shop.said("rebuild", exit_code=2) == (
        'Error: nothing is published yet. Run "personalize publish": it makes the profiles from the log itself.\n'
    )


def test_an_export_is_rebuilt_elsewhere_for_rules_that_are_not_published(
    sold: Terminal, write: Callable[[str, str], Path]
) -> None:
    sold.well("export", "log", "--format", "parquet")
    write("rules/more.yaml", "segments: {twice: {who: {did: purchase, where: {cds: 1}, times: {at_least: 2}}}}\n")
    before = sold.stored(profiles)
    text = sold.well("rebuild", "--over", "log", "--into", "made")
    assert re.match(
        r"53 events made 25 profiles in made in [0-9.]+ s,\nunder the files on disk \([0-9a-f]{16}\)\.\n", text
    )
    assert all(len(line) <= 80 for line in text.splitlines())
    stored, over = (json.loads(sold.well("segments", "--format", "json", *more)) for more in ((), ("--over", "made")))
    assert over["segments"] == stored["segments"]
    assert {"segment": "twice", "title": "twice", "visitors": 7} in over["segments"]
    assert sold.stored(profiles) == before


def test_what_does_not_go_together_is_said(sold: Terminal) -> None:
    sold.well("export", "log")
    assert "name both, or none" in sold.said("rebuild", "--over", "log", exit_code=2)
    assert "go with --over" in sold.said("rebuild", "--processes", "2", exit_code=2)
    assert "--at goes with --over" in sold.said("rebuild", "--at", "1997-03-01", exit_code=2)
    said = sold.said("rebuild", "--over", "log", "--into", "made", exit_code=2)
    assert '"personalize export --format parquet" writes them' in said
    assert not Path("made").exists()
