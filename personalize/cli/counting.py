"""What a move of the live row leaves to be counted: which rules wait for it, for how long, and waiting for it."""

import asyncio
import math
import os
import sys
import time
from datetime import timedelta
from types import TracebackType

import click

from personalize.cli.site import Site
from personalize.cli.tables import counted, paragraph
from personalize.durations import format_duration
from personalize.errors import StaleVersion
from personalize.events.event import to_micros
from personalize.profiles.holding import Holding
from personalize.rules.pages import RuleKey
from personalize.rules.pending import pending_facts, pending_rules
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import SystemClock
from personalize.runtime.filling import fill_up
from personalize.stores.protocols import Filled, Store

#: How long is counted where nobody waits: enough to see the pace.
_HEAD_START_SECONDS = 1.0
#: The command has no pages to serve; the pauses are for the writers of the site.
_REST = 0.5
_MOST_NAMED = 5
_OTHERS_GO_ON = 'The workers of the site go on with it; "personalize explain --live" says how far they are.'

wait_option = click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait until rules that need something counted from the log are no longer pending; that is the default.",
)


async def say_what_is_counted(store: Store, held: Holding, rule_set: RuleSet, site: Site, *, wait: bool) -> None:
    """After a move of the live row: what was counted with it, given what was held before, or is counted by now."""
    filled = await store.filled()
    if filled.holding.covers(rule_set.needed):
        if filled.events and not held.covers(rule_set.needed):
            click.echo(paragraph("It counts other things than before, so all profiles were made from the log again."))
    else:
        await count(store, rule_set, site, wait=wait)


async def count(store: Store, rule_set: RuleSet, site: Site, *, wait: bool) -> None:
    """Count what the live rule set lacks, say which rules wait for it, and stay until it is done where `wait`.

    Says nothing where nothing is lacking. Whoever breaks it off leaves the rest to the workers of the site.
    """
    filled = await store.filled()
    if filled.holding.covers(rule_set.needed):
        return
    waiting = pending_rules(rule_set, pending_facts(rule_set, filled.holding))
    click.echo(paragraph(f"{_left_of(filled, site)} {_named(waiting)}"))
    clock = SystemClock()
    holder = f"command:{os.getpid()}:{to_micros(clock.now()):x}"
    try:
        with _Pace(filled, rule_set.needed, wait=wait) as pace:
            await fill_up(store, rule_set, site.settings, holder=holder, clock=clock, rest=_REST, goes_on=pace.goes_on)
        click.echo(paragraph(pace.outcome(await store.filled())))
    except asyncio.CancelledError:
        click.echo(paragraph(f"Not waited for. {_OTHERS_GO_ON}"))
    except StaleVersion as error:
        click.echo(paragraph(f"{error.live} went live meanwhile, so this version waits no longer."))


class _Pace:
    """How fast it goes: a bar on a terminal, and what is left in words."""

    def __init__(self, filled: Filled, needed: Holding, *, wait: bool) -> None:
        self._needed = needed
        self._wait = wait
        self._begun = time.perf_counter()
        self._first = self._counted(filled)
        self._is_told = False
        self._bar = click.progressbar(
            length=filled.events, label="counting", file=sys.stderr, hidden=not (wait and sys.stderr.isatty())
        )

    def __enter__(self) -> "_Pace":
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, tb)

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._begun

    def goes_on(self, filled: Filled) -> bool:
        """Move the bar; whether to go on."""
        self._bar.length = filled.events
        self._bar.update(self._counted(filled) - self._bar.pos)
        if self._seconds < _HEAD_START_SECONDS:
            return True
        if self._wait and self._bar.hidden and not self._is_told and not filled.holding.covers(self._needed):
            self._is_told = True
            click.echo(f"About {self._left(filled)}.")
        return self._wait

    def outcome(self, filled: Filled) -> str:
        """That it is done, or how long it will still take."""
        if filled.holding.covers(self._needed):
            return f"Counted in {self._seconds:.1f} s: nothing is pending any more."
        return f"About {self._left(filled)}, where the site is running. {_OTHERS_GO_ON}"

    def _left(self, filled: Filled) -> str:
        """How long the rest takes at this pace, as precise as a guess can be."""
        counted_by_now = self._counted(filled)
        seconds = (filled.events - counted_by_now) * self._seconds / max(1, counted_by_now - self._first)
        unit = 60 if seconds >= 60 else 1
        return f"{format_duration(timedelta(seconds=unit * math.ceil(seconds / unit)))} more"

    def _counted(self, filled: Filled) -> int:
        if filled.holding.covers(self._needed):
            return filled.events
        return 0 if filled.filling is None else filled.filling.projected


def _left_of(filled: Filled, site: Site) -> str:
    """How much of the log there is to count, and since when it is counted where somebody has begun."""
    events, filling = counted(filled.events, "event"), filled.filling
    if filling is None or not filling.projected:
        return f"{events} of the log are counted again."
    since = site.written(filling.since)
    return f"{filled.events - filling.projected:,} of {events} of the log are still to be counted, since {since}."


def _named(waiting: tuple[RuleKey, ...]) -> str:
    """Which rules wait, in words."""
    if not waiting:
        return "No rule waits for it."
    names = ", ".join(f"{slot_id}/{rule_id}" for slot_id, rule_id in waiting[:_MOST_NAMED])
    more = f" and {len(waiting) - _MOST_NAMED} more" if len(waiting) > _MOST_NAMED else ""
    is_one = len(waiting) == 1
    what = "is pending and matches" if is_one else "are pending and match"
    return f"Until that is done, {counted(len(waiting), 'rule')} {what} nobody: {names}{more}."
