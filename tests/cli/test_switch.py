"""`switch`: every page as the site made it, and back again."""

import pytest

from personalize.stores.protocols import Store
from tests.cli.terminal import Terminal
from tests.cli.test_publish import masked


async def is_off(store: Store) -> bool | None:
    switch = await store.switch()
    return None if switch is None else switch.off


def test_it_is_on_until_somebody_switches_it_off(shop: Terminal) -> None:
    assert shop.well("switch") == "Personalizing is switched on.\n"
    assert shop.stored(is_off) is None
    assert "within two seconds every page leaves as the site made it" in shop.well("switch", "off", "--by", "Liv")
    assert shop.stored(is_off) is True
    assert masked(shop.well("switch")) == "Personalizing is switched off, since <moment> by Liv."
    assert "slots are filled again" in shop.well("switch", "on")
    assert shop.stored(is_off) is False


@pytest.mark.parametrize(("now", "again"), [("off", "off"), ("on", "on")])
def test_switching_to_what_it_is_already_changes_nothing(shop: Terminal, now: str, again: str) -> None:
    shop.well("switch", now)
    assert shop.well("switch", again) == f"Nothing to do: personalizing is switched {again} already.\n"


def test_settings_that_keep_it_off_are_mentioned(shop: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.well("switch", "off")
    monkeypatch.setenv("PERSONALIZE_OFF", "1")
    assert "But these settings keep it off" in shop.well("switch", "on")
    assert "These settings have it off as well" in shop.well("switch")
