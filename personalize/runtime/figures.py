"""How one worker is doing, in numbers: what the health page and the metrics tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from personalize.compiled import IS_COMPILED
from personalize.rules.pending import pending_rules

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer


@dataclass(frozen=True, slots=True)
class PendingFigures:
    """How many rules wait for their counters, since when, and how far the counting is."""

    rules: int
    since: datetime | None
    events_counted: int | None
    events: int | None


@dataclass(frozen=True, slots=True)
class EventFigures:
    """What became of events since the worker started: `waiting` are neither written nor dropped yet. Of those written
    are `conflicting` which say something else than the log has under their id: the first is kept."""

    written: int
    conflicting: int
    waiting: int
    dropped: int
    failed_batches: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One worker at one moment; counts are since it started. No visitor, rule, content or host is named.

    `compiled` says whether what a page goes through is (`personalize.compiled`). `slots` counts by slot and by what
    became of it, `skipped` pages by why their slots were not looked for, `webhooks` messages by the name of the
    webhook and by what became of them. `units_changed` counts logins by which somebody's place in splits changed,
    whom reports leave out. `store_answers` is false while the breaker keeps pages from asking it; `backed_up_at` is
    when the newest backup of it was done, `compaction_due_since` when the first visitor was erased whose bytes its
    files may hold still.
    """

    worker: str
    compiled: bool
    version: str | None
    off: bool
    store_answers: bool
    backed_up_at: datetime | None
    compaction_due_since: datetime | None
    pending: PendingFigures | None
    slots: Mapping[str, Mapping[str, int]]
    skipped: Mapping[str, int]
    failures: Mapping[str, int]
    last_failure: Mapping[str, str] | None
    events: EventFigures
    webhooks: Mapping[str, Mapping[str, int]]
    units_changed: int


def figures_of(personalizer: "Personalizer") -> Figures:
    """The figures of this worker now."""
    health, ingest = personalizer.health, personalizer.ingest
    return Figures(
        worker=personalizer.worker.rpartition(":")[2],
        compiled=IS_COMPILED,
        version=personalizer.rule_set.version if personalizer.rule_set is not None else None,
        off=personalizer.off,
        store_answers=not personalizer.breaker.is_open,
        backed_up_at=personalizer.follower.backed_up_at,
        compaction_due_since=personalizer.follower.compaction_due_since,
        pending=_pending(personalizer),
        slots={name: {str(outcome): count for outcome, count in met.items()} for name, met in health.slots.items()},
        skipped=dict(health.skipped),
        failures=dict(health.failures),
        last_failure=health.last_failure,
        events=EventFigures(ingest.written, ingest.conflicting, ingest.waiting, ingest.dropped, ingest.failed_batches),
        webhooks={name: dict(outcomes) for name, outcomes in health.webhooks.items()},
        units_changed=health.units_changed,
    )


def _pending(personalizer: "Personalizer") -> PendingFigures | None:
    if personalizer.rule_set is None or not personalizer.pending:
        return None
    filled = personalizer.follower.filled
    filling = None if filled is None else filled.filling
    return PendingFigures(
        rules=len(pending_rules(personalizer.rule_set, personalizer.pending)),
        since=None if filling is None else filling.since,
        events_counted=None if filling is None else filling.projected,
        events=None if filled is None else filled.events,
    )
