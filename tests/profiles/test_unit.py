"""The unit of splits: whoever was placed by one id keeps that place, whatever they are called later."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from personalize.events.event import Event, JSONValue
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.profiles.unit import unit_of

START = datetime(2026, 11, 1, tzinfo=UTC)
VIEW: tuple[str, dict[str, JSONValue]] = ("page_view", {})
YES: tuple[str, dict[str, JSONValue]] = ("consent", {"granted": ["personalize"]})


def after(*happened: tuple[str, str, dict[str, JSONValue]]) -> dict[str, Profile]:
    """The profiles after these events: whose, which, and with what."""
    projector, rows = ProfileProjector(), dict[str, Profile]()
    for number, (profile_id, type_, properties) in enumerate(happened):
        at = START + timedelta(hours=number)
        event = Event(str(number), "test", type_, profile_id, at, at, properties)
        rows |= projector.project(event, {one: rows.get(one) for one in projector.reads(event, rows)})
    return {one: projector.decode(projector.encode(row)) for one, row in rows.items()}


def join(browser: str) -> tuple[str, dict[str, JSONValue]]:
    return ("join", {"from": browser})


@pytest.mark.parametrize(
    ("happened", "unit"),
    [
        ([("u:1", *VIEW)], "u:1"),
        ([("v:a", *VIEW), ("u:1", *join("v:a"))], "v:a"),
        ([("v:a", *VIEW), ("u:1", *YES), ("u:1", *join("v:a"))], "v:a"),
        ([("u:1", "purchase", {}), ("v:a", *VIEW), ("u:1", *join("v:a"))], "v:a"),
        ([("u:1", *VIEW), ("v:a", *VIEW), ("u:1", *join("v:a"))], "u:1"),
        ([("v:a", *VIEW), ("u:1", *join("v:a")), ("v:b", *VIEW), ("u:1", *join("v:b"))], "v:a"),
        ([("u:1", *join("v:a"))], "v:a"),
    ],
)
def test_the_first_id_that_anything_was_shown_to_stays(
    happened: Sequence[tuple[str, str, dict[str, JSONValue]]], unit: str
) -> None:
    rows = after(*happened)
    assert unit_of("u:1", rows["u:1"]) == unit


def test_on_the_page_of_the_login_it_is_that_of_the_browser_already() -> None:
    rows = after(("v:a", *VIEW), ("u:2", *VIEW))
    assert unit_of("u:1", None, joins="v:a") == "v:a"
    assert unit_of("u:2", rows["u:2"], joins="v:a") == "u:2"
    joined = after(("v:a", *VIEW), ("u:1", *join("v:a")))["u:1"]
    assert unit_of("u:1", joined, joins="v:b") == "v:a"


def test_nobody_has_none() -> None:
    assert unit_of(None, None) is None
