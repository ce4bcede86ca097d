"""Publishing: which rule set is live is one row in the store; everybody who serves follows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from personalize.errors import InvalidFiles, StaleVersion, UnknownVersion
from personalize.problems import Problems
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.members import MembersProjector
from personalize.profiles.organization import belonging_of
from personalize.profiles.outbox import OutboxProjector
from personalize.profiles.project import ProfileProjector
from personalize.profiles.searched import SearchProjector
from personalize.profiles.watched import WatchProjector
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import Draft, load_files
from personalize.runtime.quiet_loading import load_quietly
from personalize.settings import Settings
from personalize.stores.protocols import NOTHING_LIVE, Live, Projector, Store

#: Loads a rule set from its files, or tells why it can't.
Load: TypeAlias = Callable[[Mapping[str, str], Settings, Problems], Awaitable[RuleSet | None]]

#: A log of at most so many events is counted again in the transaction that moves the live row: that takes less
#: than half a second, and nothing is ever pending on a small site.
COUNTED_AT_ONCE = 5_000


async def _load_here(files: Mapping[str, str], settings: Settings, problems: Problems) -> RuleSet | None:
    return await load_quietly(partial(load_files, files, settings, problems), files)


async def publish(
    store: Store, draft: Draft, settings: Settings, *, at: datetime, by: str, load: Load = _load_here
) -> RuleSet:
    """Check the draft, as `load` does, keep its texts, and make it live; every worker serves it within two seconds.

    What it counts and the stored profiles lack is counted from the log: at once where that is short, else by the
    workers of the site, or by who calls `fill_up`. Until then the rules that read it are pending, and match nobody.
    Raises `InvalidFiles` with every problem; what was live stays live then.
    """
    rule_set = await _loaded(draft.files, settings, load)
    await store.save_rule_set(rule_set.version, draft.files, at)
    await _move(store, rule_set, settings, Live(rule_set.version, at, by))
    return rule_set


async def publish_over(
    store: Store, draft: Draft, settings: Settings, *, at: datetime, by: str, base: str | None
) -> RuleSet:
    """The same, where `base` is still what is live, None for nothing; else raises `StaleVersion`, and nothing moves."""
    rule_set = await _loaded(draft.files, settings, _load_here)
    await store.save_rule_set(rule_set.version, draft.files, at)
    live = _after(Live(rule_set.version, at, by), await store.live())
    expected = NOTHING_LIVE if base is None else base
    await store.set_live(live, projectors_of(rule_set, settings), expected=expected, at_once=COUNTED_AT_ONCE)
    return rule_set


async def roll_back(store: Store, settings: Settings, *, at: datetime, by: str, version: str | None = None) -> RuleSet:
    """Make an earlier version live again: the given one, or the one that was live before the present one first
    was (`version_before`), so that doing it again goes further back.

    Raises `UnknownVersion` where there is no such version, and `InvalidFiles` where it no longer loads.
    """
    target = version if version is not None else await _previous(store)
    rule_set = await saved_rule_set(store, target, settings)
    await _move(store, rule_set, settings, Live(target, at, by))
    return rule_set


async def live_rule_set(store: Store, settings: Settings) -> RuleSet | None:
    """The rule set that is live, or None where nothing was ever published.

    Raises `InvalidFiles` where its files no longer load.
    """
    live = await store.live()
    return None if live is None else await saved_rule_set(store, live.version, settings)


async def saved_rule_set(store: Store, version: str, settings: Settings, *, load: Load = _load_here) -> RuleSet:
    """A version that the store keeps, as `load` loads it. Raises `UnknownVersion`, and `InvalidFiles` where it no
    longer loads."""
    return await _loaded(await store.rule_set(version), settings, load)


async def _loaded(files: Mapping[str, str], settings: Settings, load: Load) -> RuleSet:
    problems = Problems()
    rule_set = await load(files, settings, problems)
    if rule_set is None:
        raise InvalidFiles(problems.list)
    return rule_set


def checked(draft: Draft, settings: Settings, problems: Problems | None = None) -> RuleSet:
    """The rule set of the draft. Raises `InvalidFiles` with every problem where there is an error, also with
    those of `problems`, which reading the draft has found."""
    problems = Problems() if problems is None else problems
    rule_set = load_files(draft.files, settings, problems)
    if rule_set is None or problems.has_errors:
        raise InvalidFiles(problems.list)
    return rule_set


def projectors_of(rule_set: RuleSet | None, settings: Settings) -> Sequence[Projector]:
    """What turns events into profiles under this rule set, and keeps those who are due where segments are watched;
    without a rule set, only built-in events count."""
    watching: tuple[Projector, ...] = ()
    if settings.webhooks.endpoints:
        watching = (WatchProjector(), OutboxProjector(settings.webhooks.hooks))
    lifecycle = lifecycle_of(settings)
    if rule_set is None:
        return (ProfileProjector(lifecycle=lifecycle), *watching)
    profiles = ProfileProjector(rule_set.schema, rule_set.counters, lifecycle)
    belonging = belonging_of(rule_set.schema)
    names = rule_set.schema.searchable
    searching = (SearchProjector(names),) if names else ()
    return (profiles if belonging is None else MembersProjector(profiles, belonging), *watching, *searching)


async def projectors_to_erase(store: Store, settings: Settings) -> Sequence[Projector]:
    """Those of what is live; none where that does not load here, which keeps nobody from being erased."""
    try:
        return projectors_of(await live_rule_set(store, settings), settings)
    except InvalidFiles:
        return ()


def lifecycle_of(settings: Settings) -> Lifecycle:
    """The site's idea of visits, of how long silence means what, and of how fast interests fade."""
    visits = settings.visits
    return Lifecycle(visits.ends_after, visits.cooling_after, visits.lapsed_after, settings.interests.half_life)


async def _move(store: Store, rule_set: RuleSet, settings: Settings, live: Live) -> None:
    """Move the row, unless it stands there already.

    Each new try means that somebody else's publishing has succeeded meanwhile.
    """
    projectors = projectors_of(rule_set, settings)
    while (last := await store.live()) is None or last.version != live.version:
        expected = NOTHING_LIVE if last is None else last.version
        try:
            await store.set_live(_after(live, last), projectors, expected=expected, at_once=COUNTED_AT_ONCE)
        except StaleVersion:
            continue
        return


def _after(live: Live, last: Live | None) -> Live:
    """The same life at a moment that never lies before the last one, so that their order is their history."""
    if last is None or live.at > last.at:
        return live
    return Live(live.version, last.at + timedelta(microseconds=1), live.by)


async def _previous(store: Store) -> str:
    earlier = version_before(await store.versions())
    if earlier is None:
        raise UnknownVersion("the one before")
    return earlier


def version_before(lives: Sequence[Live]) -> str | None:
    """The version that was live before the newest one first was; None where nothing was.

    Versions that were gone back from lie on no way back: after A, B, C and a rollback to B it is A, and not C.
    """
    way: list[str] = []
    for live in lives:
        way = [*way[: way.index(live.version)], live.version] if live.version in way else [*way, live.version]
    return way[-2] if len(way) > 1 else None
