"""`GET …/metrics`: the figures of this worker as Prometheus and OpenMetrics read them."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from personalize.runtime.figures import Figures, figures_of
from personalize.runtime.personalizer import Personalizer


class MetricsEndpoint:
    """Answers in the text form that the scraper asks for.

    Each series carries its `worker`: a scrape reaches one of several workers of a port, and counters of two must not
    pass for one that jumps.
    """

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer
        self._registry = CollectorRegistry()
        self._registry.register(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the figures of this worker."""
        encode, content_type = choose_encoder(Request(scope).headers.get("accept", ""))
        headers = {"content-type": content_type, "cache-control": "no-store"}
        await Response(encode(self._registry), headers=headers)(scope, receive, send)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: which slots there are shows when pages meet them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics now, for the registry."""
        figures = figures_of(self._personalizer)
        events = figures.events
        yield _info(figures)
        yield _gauge(figures, "compiled", "Whether what a page goes through is compiled.", figures.compiled)
        yield _gauge(figures, "off", "Whether every page is left untouched.", figures.off)
        yield _gauge(figures, "store_answers", "Whether pages read profiles from the store.", figures.store_answers)
        if figures.backed_up_at is not None:
            backed_up_at = figures.backed_up_at.timestamp()
            yield _gauge(figures, "backup_timestamp_seconds", "When the newest backup was done.", backed_up_at)
        if figures.compaction_due_since is not None:
            due_since = figures.compaction_due_since.timestamp()
            yield _gauge(figures, "compaction_due_timestamp_seconds", "Since when a compaction is due.", due_since)
        waiting = figures.pending.rules if figures.pending is not None else 0
        yield _gauge(figures, "pending_rules", "Rules that wait until what they ask of the past is counted.", waiting)
        yield _gauge(figures, "events_waiting", "Events that are neither written nor dropped yet.", events.waiting)
        yield _by_two(figures, "slots", "What became of slots.", "slot", figures.slots)
        yield _by_two(figures, "webhooks", "What became of messages to webhooks.", "webhook", figures.webhooks)
        yield _counter(figures, "pages_skipped", "Pages whose slots were not looked for.", "reason", figures.skipped)
        yield _counter(figures, "failures", "What went wrong, though every page was served.", "what", figures.failures)
        kept = events.written - events.conflicting
        became = {"written": kept, "conflicting": events.conflicting, "dropped": events.dropped}
        yield _counter(figures, "events", "What became of events.", "outcome", became)
        yield _counter(
            figures, "units_changed", "Logins that changed a place in splits.", None, {"": figures.units_changed}
        )
        yield _counter(
            figures, "failed_batches", "Tries to write events that failed.", None, {"": events.failed_batches}
        )


def _info(figures: Figures) -> Metric:
    info = InfoMetricFamily("personalize", "The rule set that the worker serves.", labels=["worker"])
    info.add_metric([figures.worker], {"version": figures.version or ""})
    return info


def _gauge(figures: Figures, name: str, help: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(f"personalize_{name}", help, labels=["worker"])
    gauge.add_metric([figures.worker], value)
    return gauge


def _counter(figures: Figures, name: str, help: str, label: str | None, counts: Mapping[str, int]) -> Metric:
    """A counter for each of these; without a `label` there is one, under the empty name."""
    counter = CounterMetricFamily(f"personalize_{name}", help, labels=["worker", *([label] if label else [])])
    for value, count in sorted(counts.items()):
        counter.add_metric([figures.worker, *([value] if label else [])], count)
    return counter


def _by_two(figures: Figures, name: str, help: str, label: str, counts: Mapping[str, Mapping[str, int]]) -> Metric:
    """A counter for each thing and each outcome that it had."""
    counter = CounterMetricFamily(f"personalize_{name}", help, labels=["worker", label, "outcome"])
    for thing, outcomes in sorted(counts.items()):
        for outcome, count in sorted(outcomes.items()):
            counter.add_metric([figures.worker, thing, outcome], count)
    return counter
