"""`GET …/health`: what this worker serves and what went wrong, for people who run the site."""

from datetime import datetime

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from personalize.runtime.figures import figures_of
from personalize.runtime.personalizer import Personalizer


class HealthEndpoint:
    """Answers with figures only: no visitor, rule, content or host is named."""

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the figures of this worker, as JSON."""
        told = orjson.dumps(figures_of(self._personalizer), _text, orjson.OPT_PASSTHROUGH_DATETIME)
        response = Response(told, media_type="application/json", headers={"cache-control": "no-store"})
        await response(scope, receive, send)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
