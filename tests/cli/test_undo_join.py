"""`undo-join`: a browser and a login are two again."""

from datetime import UTC, datetime, timedelta

from personalize.profiles.profile import Profile
from personalize.stores.protocols import Store
from tests.cli.terminal import IN_POSTGRES_TOO, Terminal
from tests.stores.samples import event, purchase

pytestmark = IN_POSTGRES_TOO


async def joined(store: Store) -> None:
    """A login that took two browsers over, one of them long ago."""
    minutes = (datetime.now(UTC) - timedelta(days=2) - purchase().occurred_at) / timedelta(minutes=1)
    before, after = (purchase("v:ann", minutes=minutes - 1), purchase("u:7", minutes=minutes + 1))
    joins = [event("join", "u:7", {"from": "v:ann"}, minutes), event("join", "u:7", {"from": "v:old"}, 0)]
    await store.apply([before, *joins, after], ())


def test_both_are_two_again(sold: Terminal) -> None:
    sold.stored(joined)
    sold.well("rebuild")
    assert sold.well("undo-join", "u:7", "v:ann") == "u:7 and v:ann are two again: 2 and 1 events are theirs.\n"

    async def known(store: Store) -> list[Profile | None]:
        return [await store.profile(one) for one in ("u:7", "v:ann")]

    login, browser = sold.stored(known)
    assert login is not None and browser is not None
    assert (login.joined_from, browser.joined) == (("v:old",), None)


def test_it_says_why_it_does_not(sold: Terminal) -> None:
    sold.stored(joined)
    sold.well("rebuild")
    said = sold.said("undo-join", "u:7", "v:old", exit_code=2)
    assert "days ago: after 30 days that stays." in " ".join(said.split())
    assert '"u:8" has not taken "v:ann" over.' in sold.said("undo-join", "u:8", "v:ann", exit_code=2)


def test_without_anything_published_there_are_no_profiles(shop: Terminal) -> None:
    assert "nothing is published yet" in shop.said("undo-join", "u:7", "v:ann", exit_code=2)
