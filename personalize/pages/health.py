"""`GET …/health`: what this worker serves and what went wrong, for people who run the site."""

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from personalize.rules.pending import pending_rules
from personalize.runtime.personalizer import Personalizer


class HealthEndpoint:
    """Answers with figures only: no visitor, rule, content or host is named."""

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the figures of this worker."""
        personalizer = self._personalizer
        ingest = personalizer.ingest
        figures = {
            "worker": personalizer.worker.rpartition(":")[2],
            "version": personalizer.rule_set.version if personalizer.rule_set is not None else None,
            "pending": self._pending(),
            "slots": {name: dict(counted) for name, counted in sorted(personalizer.health.slots.items())},
            "failures": dict(personalizer.health.failures),
            "last_failure": personalizer.health.last_failure,
            "events": {"written": ingest.written, "dropped": ingest.dropped, "failed_batches": ingest.failed_batches},
        }
        response = JSONResponse(figures, headers={"cache-control": "no-store"})
        await response(scope, receive, send)

    def _pending(self) -> dict[str, object] | None:
        """How many rules wait for their counters, since when, and how far the counting is."""
        personalizer = self._personalizer
        if personalizer.rule_set is None or not personalizer.pending:
            return None
        filled = personalizer.filled
        filling = None if filled is None else filled.filling
        return {
            "rules": len(pending_rules(personalizer.rule_set, personalizer.pending)),
            "since": None if filling is None else filling.since.isoformat(timespec="seconds"),
            "events_counted": None if filling is None else filling.projected,
            "events": None if filled is None else filled.events,
        }
