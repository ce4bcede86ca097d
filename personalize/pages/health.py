"""`GET …/health`: what this worker serves and what went wrong, for people who run the site."""

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

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
            "slots": {name: dict(counted) for name, counted in sorted(personalizer.health.slots.items())},
            "failures": dict(personalizer.health.failures),
            "last_failure": personalizer.health.last_failure,
            "events": {"written": ingest.written, "dropped": ingest.dropped, "failed_batches": ingest.failed_batches},
        }
        response = JSONResponse(figures, headers={"cache-control": "no-store"})
        await response(scope, receive, send)
