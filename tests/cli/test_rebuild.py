"""`rebuild`: profiles come from the log again, the same as they were."""

import re

from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.stores.protocols import Store
from tests.cli.terminal import Terminal


async def profiles(store: Store) -> list[Profile]:
    return [profile async for profile in store.profiles()]


async def spoil(store: Store) -> None:
    """Project as a site without any declaration would."""
    await store.rebuild([ProfileProjector()])


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
