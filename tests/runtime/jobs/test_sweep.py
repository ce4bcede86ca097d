"""The sweep: everybody who comes or goes is recorded once, by whoever sweeps, and nobody is looked at in vain."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.decisions.watch import SegmentWatch
from personalize.errors import StoreUnavailable
from personalize.events.event import CONSENT, JOIN, PAGE_VIEW, SEGMENT_ENTERED, SEGMENT_LEFT, Event, JSONValue
from personalize.problems import Problems
from personalize.profiles.watched import segment_of
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import FixedClock
from personalize.runtime.draft import read_draft
from personalize.runtime.jobs import sweep as sweep_module
from personalize.runtime.jobs.sweep import Sweep
from personalize.runtime.offline import is_visitor, visitor_context
from personalize.runtime.publish import checked, projectors_of
from personalize.settings import Settings
from personalize.stores.protocols import Applied, Store
from tests.desk import desk_settings, write_desk
from tests.stores.contract import opened
from tests.stores.filling_contract import Make, drawn

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULES = """
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
segments:
  buyers: {who: {purchase.count: {at_least: 1}}}
  keen: {who: {did: purchase, within: 7 days}}
  silent: {who: {purchase.last: {older_than: 30 days}}}
  others: {who: {purchase.count: 0}}
"""
FEWER = RULES.replace("within: 7 days", "within: 3 days")
SEGMENTS = ("buyers", "keen", "silent", "others")


def hooks(*segments: str) -> dict[str, object]:
    """Settings with a webhook for these segments."""
    told = {"url": "https://crm.example/hook", "segments": list(segments), "secret_file": "crm.secret"}
    return {"webhooks_endpoints": {"crm": told}}


class Place:
    """A store that is swept; `now` is what its clock says."""

    def __init__(self, store: Store, folder: Path, *segments: str, rules: str = RULES) -> None:
        self.folder = folder
        self.store = store
        self.settings = desk_settings(folder, **hooks(*(segments or SEGMENTS)))
        self.now = NOON
        self.rule_set = self.read(rules)
        self.numbers = 0

    def read(self, rules: str) -> RuleSet:
        """The rule set of these rules."""
        write_desk(self.folder, rules=rules, items={})
        return checked(read_draft(self.settings, Problems()), self.settings)

    async def write(self, events: Sequence[Event]) -> Applied:
        """Put events into the log."""
        return await self.store.apply(events, projectors_of(self.rule_set, self.settings))

    async def happens(
        self, type_: str, profile_id: str, properties: dict[str, JSONValue] | None = None, ago: float = 0
    ) -> None:
        """Something happened, so many days ago."""
        self.numbers += 1
        at = self.now - timedelta(days=ago)
        await self.write([Event(f"e{self.numbers}", "till", type_, profile_id, at, self.now, properties or {})])

    def sweeper(self) -> Sweep:
        """One who sweeps."""
        clock = FixedClock(self.now)
        return Sweep(self.store, self.rule_set, self.settings, clock=clock, write=self.write)

    async def sweep(self) -> int:
        """Sweep until there is nothing left to do; in how many steps."""
        steps, sweeper = 0, self.sweeper()
        while await sweeper.step():
            steps += 1
            assert steps < 1_000
        return steps

    async def changes(self) -> list[tuple[str, str, str]]:
        """What was recorded: who, whether they came or went, and where."""
        return [
            (event.profile_id, "in" if event.type == SEGMENT_ENTERED else "out", segment)
            async for event in self.store.log()
            if (segment := segment_of(event)) is not None
        ]

    async def members(self) -> set[tuple[str, str]]:
        """Who is in which segment, worked out directly."""
        watch, found = SegmentWatch(self.rule_set, self.settings.webhooks.segments), set[tuple[str, str]]()
        async for profile in self.store.profiles():
            if is_visitor(profile):
                context = visitor_context(profile.profile_id, profile, self.rule_set, self.settings, now=self.now)
                found |= {(profile.profile_id, one) for one in watch.members(context)}
        return found

    async def recorded(self) -> set[tuple[str, str]]:
        """Who is in which segment, by what was recorded; entering and leaving have to take turns."""
        inside = set[tuple[str, str]]()
        for who, way, segment in await self.changes():
            assert ((who, segment) in inside) is (way == "out")
            inside ^= {(who, segment)}
        return inside


def play(make: Make, scene: Callable[[Store], Awaitable[None]]) -> None:
    """Play a scene with an open store."""

    async def whole() -> None:
        async with opened(make()) as store:
            await scene(store)

    asyncio.run(whole())


def test_who_comes_and_goes_is_recorded_once(make: Make, tmp_path: Path) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path, *SEGMENTS[:3])
        await place.happens("purchase", "u:1")
        await place.happens(PAGE_VIEW, "u:2")
        await place.sweep()
        assert await place.changes() == [("u:1", "in", "buyers"), ("u:1", "in", "keen")]
        assert await place.sweep() == 0
        place.now += timedelta(days=7)
        assert await place.sweep() == 0
        place.now += timedelta(seconds=1)
        assert await place.sweep() == 1
        assert (await place.changes())[2:] == [("u:1", "out", "keen")]
        place.now += timedelta(days=23)
        await place.sweep()
        assert (await place.changes())[3:] == [("u:1", "in", "silent")]
        assert await place.recorded() == await place.members()

    play(make, scene)


def test_nobody_else_is_looked_at(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(store: Store) -> None:
        place, looked = Place(store, tmp_path), []
        for number in range(20):
            await place.happens("purchase", f"u:{number:02}", ago=number)
        await place.sweep()
        members = SegmentWatch.members
        monkeypatch.setattr(SegmentWatch, "members", lambda self, c: looked.append(c.now) or members(self, c))
        await place.sweep()
        assert looked == []
        await place.happens("purchase", "u:03")
        place.now += timedelta(hours=1)
        await place.sweep()
        assert len(looked) == 2  # whom something happened to, and whose seven days were over

    play(make, scene)


def test_when_the_rules_change_everybody_is_looked_at_once(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(store: Store) -> None:
        monkeypatch.setattr(sweep_module, "LOOKED_AT_ONCE", 3)
        place = Place(store, tmp_path)
        for number in range(10):
            await place.happens("purchase", f"u:{number:02}", ago=number)
        await place.sweep()
        before = await place.changes()
        place.rule_set = place.read(FEWER)
        assert await place.sweep() == 4
        gone = {who for who, way, _ in (await place.changes())[len(before) :] if way == "out"}
        assert gone == {"u:04", "u:05", "u:06", "u:07"} == gone
        assert await place.recorded() == await place.members()
        assert await place.sweep() == 0
        marks = await place.store.kept("marks", ["sweep"])
        assert b"u:" not in marks["sweep"]

    play(make, scene)


def test_who_was_stored_before_anything_was_watched_is_found(make: Make, tmp_path: Path) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path)
        watched = place.settings
        place.settings = replace(place.settings, webhooks=replace(place.settings.webhooks, endpoints=()))
        await place.happens("purchase", "u:1")
        assert await place.store.due("watch", at=None, rows=9) == []
        place.settings = watched
        await place.sweep()
        assert await place.recorded() == await place.members() == {("u:1", "buyers"), ("u:1", "keen")}

    play(make, scene)


@pytest.mark.parametrize("breaks", ["before the events", "before the rows"])
def test_who_is_killed_in_the_middle_repeats_nothing_and_leaves_nothing_out(
    make: Make, tmp_path: Path, breaks: str
) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path)
        await place.happens("purchase", "u:1")
        sweeper = place.sweeper()
        write, exchange = place.write, place.store.exchange

        async def gone(*_: object) -> Applied:
            raise StoreUnavailable("killed")

        if breaks == "before the events":
            sweeper._write = gone
        else:
            place.store.exchange = gone  # type: ignore[method-assign, assignment]
        with pytest.raises(StoreUnavailable):
            await sweeper.step()
        place.store.exchange, sweeper._write = exchange, write  # type: ignore[method-assign]
        await asyncio.gather(place.sweep(), place.sweep())
        assert await place.changes() == [("u:1", "in", "buyers"), ("u:1", "in", "keen")]

    play(make, scene)


def test_what_happens_while_somebody_is_looked_at_is_seen_next(make: Make, tmp_path: Path) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path)
        await place.happens(PAGE_VIEW, "u:1")
        kept = place.store.kept

        async def meanwhile(projection: str, keys: Sequence[str]) -> dict[str, bytes]:
            found = dict(await kept(projection, keys))
            place.store.kept = kept  # type: ignore[method-assign, assignment]
            await place.happens("purchase", "u:1")
            return found

        place.store.kept = meanwhile  # type: ignore[method-assign, assignment]
        await place.sweep()
        assert await place.recorded() == await place.members() == {("u:1", "buyers"), ("u:1", "keen")}

    play(make, scene)


def test_a_login_takes_over_and_the_browser_leaves(make: Make, tmp_path: Path) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path, "buyers")
        await place.happens("purchase", "v:ann")
        await place.sweep()
        await place.happens(JOIN, "u:1", {"from": "v:ann"})
        await place.sweep()
        assert await place.changes() == [("v:ann", "in", "buyers"), ("u:1", "in", "buyers"), ("v:ann", "out", "buyers")]
        late = [("u:1", "in", "silent")]
        place.settings = desk_settings(tmp_path, **hooks("buyers", "silent"))
        await place.sweep()
        place.now += timedelta(days=31)
        await place.sweep()
        assert (await place.changes())[3:] == late

    play(make, scene)


_happens = st.tuples(
    st.sampled_from(["purchase", "purchase", PAGE_VIEW, CONSENT, JOIN, "later", "rules"]),
    st.sampled_from(["u:1", "u:2", "v:ann"]),
    st.integers(0, 40),
)


@settings(drawn, max_examples=6)
@given(story=st.lists(_happens, max_size=14))
def test_whatever_happens_what_was_recorded_is_who_is_in_it(
    make: Make, tmp_path_factory: pytest.TempPathFactory, story: list[tuple[str, str, int]]
) -> None:
    async def scene(store: Store) -> None:
        place = Place(store, tmp_path_factory.mktemp("place"))
        for type_, who, number in story:
            if type_ == "later":
                place.now += timedelta(days=number, hours=1)
            elif type_ == "rules":
                place.rule_set = place.read(FEWER if number % 2 else RULES)
            elif type_ == JOIN:
                await place.happens(JOIN, "u:1", {"from": "v:ann"})
            else:
                said: dict[str, JSONValue] = {"granted": ["personalize"] if number % 3 else []}
                await place.happens(type_, who, said if type_ == CONSENT else {"amount": number}, ago=number)
            await place.sweep()
            assert await place.recorded() == await place.members()
        await place.store.rebuild(projectors_of(place.rule_set, place.settings))
        before = await place.changes()
        await place.sweep()
        assert await place.changes() == before

    play(make, scene)


def test_settings_name_what_is_watched(tmp_path: Path) -> None:
    found: Settings = desk_settings(tmp_path, **hooks("buyers", "keen"))
    assert found.webhooks.segments == ("buyers", "keen")
    assert found.webhooks.hooks == {"buyers": ("crm",), "keen": ("crm",)}
    assert SEGMENT_LEFT != SEGMENT_ENTERED
