"""What `publish` and `rollback` say where the log is long: which rules wait to be counted, and for how long."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from personalize.cli import counting
from personalize.runtime import filling, publish
from personalize.stores.protocols import Filled, Live, Store
from tests.cli.terminal import Terminal

FIVE = "who: {purchase.count: {at_least: 5}}"
DID_FIVE = "who: {did: purchase, times: {at_least: 5}}"
HOW_FAR = '"personalize explain --live" says how far they are.'
SECONDS = re.compile(r"[0-9]+(?:\.[0-9])? s(?:econds?)?\b")


@pytest.fixture(autouse=True)
def every_log_is_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "COUNTED_AT_ONCE", 0)


@pytest.fixture
def only_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not wait sees one small slice."""
    monkeypatch.setattr(counting, "_HEAD_START_SECONDS", 0)
    monkeypatch.setattr(filling, "_FEWEST", 10)


async def filled(store: Store) -> Filled:
    return await store.filled()


def flat(text: str) -> str:
    return SECONDS.sub("<seconds>", " ".join(text.split()))


def test_publish_waits_until_what_it_asks_for_is_counted(sold: Terminal) -> None:
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    text = sold.well("publish")
    assert flat(text).endswith(
        "53 events of the log are counted again. Until that is done, 1 rule is pending and matches nobody: "
        "home-hero/often. Counted in <seconds>: nothing is pending any more."
    )
    assert all(len(line) <= 80 for line in text.splitlines())
    assert sold.stored(filled).rests
    live, draft = (
        sold.well("segments", *more, "--format", "json").partition('"segments"')[2] for more in (["--live"], [])
    )
    assert live == draft


@pytest.mark.usefixtures("only_begun")
def test_who_does_not_wait_is_told_how_long_it_will_be_and_can_wait_later(sold: Terminal) -> None:
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    text = flat(sold.well("publish", "--no-wait"))
    assert text.endswith(
        "home-hero/often. About <seconds> more, where the site is running. "
        "The workers of the site go on with it; " + HOW_FAR
    )
    half = sold.stored(filled)
    assert half.filling is not None and half.filling.projected == 10
    text = flat(sold.well("publish"))
    assert "Nothing to do" not in text
    assert " is live already, since " in text and re.search(
        r" 43 of 53 events of the log are still to be counted, since \S+ \S+ UTC\. ", text
    )
    assert text.endswith("nothing is pending any more.")
    assert flat(sold.well("publish")).startswith("Nothing to do: ")
    assert sold.stored(filled).rests


def test_who_waits_without_a_bar_is_told_how_long_it_will_be(sold: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_HEAD_START_SECONDS", 0)
    monkeypatch.setattr(filling, "_FEWEST", 10)
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    assert flat(sold.well("publish")).count("home-hero/often. About <seconds> more. Counted in") == 1


def test_who_breaks_the_waiting_off_leaves_the_rest_to_the_workers(
    sold: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_off(*_arguments: object, **_more: object) -> None:
        raise asyncio.CancelledError

    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    monkeypatch.setattr(counting, "fill_up", broken_off)
    text = flat(sold.well("publish"))
    assert text.endswith("Not waited for. The workers of the site go on with it; " + HOW_FAR)


@pytest.mark.usefixtures("only_begun")
def test_explain_says_what_is_pending_and_since_when(sold: Terminal) -> None:
    before = sold.well("explain", "--live", "--slot", "home-hero", "--visitor", "u:1")
    assert "pending" not in before
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    sold.well("publish", "--no-wait")
    asked = ("explain", "--slot", "home-hero", "--visitor", "u:1")
    text = flat(sold.well(*asked, "--live"))
    assert re.search(r"; some of its rules are pending since \S+ \S+ UTC, 19% of the log is counted", text)
    assert "often: no, it is pending: what it asks for is still being counted from the log" in text
    assert text.count("(pending: still being counted from the log)") == 1
    assert "pending" not in sold.well(*asked)
    assert "pending" not in sold.well(*asked, "--live", "--at", "1997-10-01")


@pytest.mark.usefixtures("only_begun")
def test_a_rollback_while_it_is_counted_leaves_nothing_pending(sold: Terminal) -> None:
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    sold.well("publish", "--no-wait")
    assert "counted" not in sold.well("rollback")
    assert sold.stored(filled).filling is None


def test_a_rollback_to_what_was_counted_once_counts_it_again(sold: Terminal) -> None:
    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    sold.well("publish")
    counts = sold.stored(live_now).version
    sold.change("rules/segments.yaml", DID_FIVE, FIVE)
    assert "counted" not in sold.well("publish")
    text = flat(sold.well("rollback", counts))
    assert "53 events of the log are counted again." in text
    assert text.endswith("nothing is pending any more.")


def test_who_waits_hears_of_a_version_that_went_live_meanwhile(
    sold: Terminal, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    first = sold.stored(live_now)

    async def overtaken(store: Store, *_arguments: object, **_more: object) -> None:
        await store.set_live(Live(first.version, first.at, "somebody"))
        await filling.fill_up(store, *_arguments, **_more)  # type: ignore[arg-type]

    sold.change("rules/segments.yaml", FIVE, DID_FIVE)
    monkeypatch.setattr(counting, "fill_up", overtaken)
    text = flat(sold.well("publish"))
    assert text.endswith(f"{first.version} went live meanwhile, so this version waits no longer.")


async def live_now(store: Store) -> Live:
    live = await store.live()
    assert live is not None
    return live
