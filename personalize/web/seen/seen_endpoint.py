"""The address that a page's script tells which slots came into view, and the one that it is fetched from."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import parse_qs

from personalize.runtime.personalizer import Personalizer
from personalize.runtime.same_origin import is_same_origin
from personalize.runtime.seen import SeenMarks, keep_seen
from personalize.web.asgi import Receive, Scope, Send
from personalize.web.headers import RawHeaders
from personalize.web.own_answer import FOR_EVER, OUTDATED, answer
from personalize.web.request.asked import Asked
from personalize.web.request.rate_cap import RateCap
from personalize.web.seen.seen_script import ENDPOINT, FILE_NAME, SCRIPT

_LONGEST_BODY = 2_048
#: How long it may take to come.
PATIENCE_SECONDS = 10.0
#: How many of the latest are remembered.
_MOST_TOLD = 10_000
_LONGEST_VIEW_ID = 64
_SCRIPT_TYPE = b"text/javascript; charset=utf-8"
_NO_STORE = (b"cache-control", b"no-store")


class SeenEndpoint:
    """Answers below the site's prefix: `POST …/seen` with a `view`, an id made by the page, and a `slot`, the mark that
    stood in it. Whatever it is told, it sets no cookie and says nothing."""

    def __init__(self, personalizer: Personalizer, marks: SeenMarks, cap: RateCap) -> None:
        self._personalizer = personalizer
        self._marks = marks
        self._cap = cap
        self._address = f"{personalizer.settings.prefix}/{ENDPOINT}"
        self._told: dict[tuple[str, str], None] = {}

    def serves(self, path: str) -> bool:
        """Whether this path, as the site knows it, is one of these addresses."""
        return path == self._address or (path.startswith(f"{self._address}-") and path.endswith(".js"))

    async def __call__(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if path != self._address:
            kept = FOR_EVER if path.endswith(f"/{FILE_NAME}") else OUTDATED
            await answer(send, scope, 200, SCRIPT, ((b"content-type", _SCRIPT_TYPE), kept))
        elif scope["method"] != "POST":
            await answer(send, scope, 405, b"", ((b"allow", b"POST"), _NO_STORE))
        elif not is_same_origin(scope["headers"]):
            await answer(send, scope, 403, b"", (_NO_STORE,))
        elif not self._cap.allows(scope, self._personalizer.clock.now()):
            await answer(send, scope, 429, b"", ((b"retry-after", b"60"), _NO_STORE))
        else:
            is_told = await self._take(scope, await _body(receive))
            await answer(send, scope, 204 if is_told else 400, b"", (_NO_STORE,))

    async def _take(self, scope: Scope, body: bytes | None) -> bool:
        """Keep what the body tells; false where it tells nothing."""
        rule_set = self._personalizer.rule_set
        fields = {} if body is None else _fields(body)
        view_id, mark = fields.get("view", ""), fields.get("slot", "")
        if not (8 <= len(view_id) <= _LONGEST_VIEW_ID and view_id.isascii() and view_id.isalnum()) or not mark:
            return False
        if rule_set is None or self._personalizer.off:
            return True
        seen = self._marks.read(mark, rule_set)
        if seen is None:
            return False
        if self._is_new((view_id, seen.slot_id)):
            looking = {**scope, "method": "GET", "headers": _of_page(scope["headers"])}
            await keep_seen(self._personalizer, Asked(looking), seen, view_id)
        return True

    def _is_new(self, name: tuple[str, str]) -> bool:
        """Whether this was not told a moment ago, as far as this worker remembers; the log knows for good."""
        if name in self._told:
            return False
        if len(self._told) >= _MOST_TOLD:
            del self._told[next(iter(self._told))]
        self._told[name] = None
        return True


def _of_page(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """The headers of somebody who looks at a page, and gets no id by telling of it."""
    kept = [(name, value) for name, value in headers if name.lower() != b"sec-fetch-dest"]
    return [*kept, (b"sec-fetch-dest", b"empty")]


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None where it is longer than ours ever is, breaks off, or does not come."""
    body, more = b"", True
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while more:
                message = await receive()
                body += bytes(message.get("body", b""))
                if message["type"] != "http.request" or len(body) > _LONGEST_BODY:
                    return None
                more = message.get("more_body", False)
    return None if more else body


def _fields(body: bytes) -> dict[str, str]:
    try:
        told = parse_qs(body.decode("ascii"), max_num_fields=4)
    except ValueError:
        return {}
    return {name: values[0] for name, values in told.items()}
