"""The API below the site's prefix: who calls is known before a body is read, and whatever is refused says why."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from personalize.api.access import Gate
from personalize.api.allowance import Allowance
from personalize.api.operation import Answer, Call, Operation
from personalize.api.operations import OPERATIONS
from personalize.api.reading import JSON, NDJSON, parsed, refuse_other_type, whole_body
from personalize.api.refusal import Refused
from personalize.errors import StoreBusy, StoreError
from personalize.runtime.personalizer import Personalizer

#: Where it lives below the prefix.
ROOT = "/api/v1"
#: How many calls a worker serves at once; more are asked to come again. Each may hold a body of a megabyte.
MOST_AT_ONCE = 128
#: How many of these may be bodies of one sender that have yet to come (all browsers are one): if they never do, there
#: is room for the others.
MOST_AWAITED_OF_ONE = MOST_AT_ONCE // 2
#: And how many calls it works at: enough to share commits. The others wait their turn, so that pages between them
#: come to theirs soon.
MOST_AT_WORK = 16
#: How many visitors of whom nothing is stored a caller may ask for at once, and then in a minute.
MISSES = 20


class Api:
    """An ASGI app for the addresses of its own below `settings.prefix`."""

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer
        self._root = f"{personalizer.settings.prefix}{ROOT}"
        self._gate = Gate(personalizer)
        self._misses = Allowance(MISSES)
        self._served = 0
        self._awaited: Counter[str] = Counter()
        self._work = asyncio.Semaphore(MOST_AT_WORK)
        self._routes: dict[str, dict[str, Operation]] = {}
        for operation in OPERATIONS:
            self._routes.setdefault(f"{self._root}{operation.path}", {})[operation.method] = operation

    def serves(self, path: str) -> bool:
        """Whether this path, as the site knows it, is one of the API's, also one at which nothing is."""
        return path == self._root or path.startswith(f"{self._root}/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        try:
            response = await self._answered(scope, receive)
        except Refused as refused:
            response = refused.response()
        except StoreError as error:
            response = self._unavailable(error)
        except ClientDisconnect:
            return
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive) -> Response:
        if self._served >= MOST_AT_ONCE:  # looked at first: whoever is sent away costs as little as can be
            raise Refused("overloaded", f"{MOST_AT_ONCE} calls are being served", retry_after_seconds=1)
        self._served += 1
        try:
            operation = self._operation(scope)
            caller, visitor = await self._gate.caller(operation, scope)
            call = Call(self._personalizer, caller, scope, receive, self._misses, visitor=visitor)
            answer = await self._answer_of(operation, await self._with_values(call, operation))
        finally:
            self._served -= 1
        return Response(json.dumps(answer.values), answer.status, media_type=JSON)

    @contextmanager
    def _awaiting(self, sender: str) -> Iterator[None]:
        """Wait for a body of this sender. Raises `Refused` where it has so many that have yet to come."""
        if self._awaited[sender] >= MOST_AWAITED_OF_ONE:
            detail = f"{MOST_AWAITED_OF_ONE} bodies of this sender have yet to come"
            raise Refused("overloaded", detail, retry_after_seconds=1)
        self._awaited[sender] += 1
        try:
            yield
        finally:
            self._awaited[sender] -= 1

    async def _answer_of(self, operation: Operation, call: Call) -> Answer:
        """What the operation answers, when it is its turn; one that streams lasts as long as its caller likes."""
        if operation.streams:
            with self._awaiting(call.caller.name):
                return await operation.answer(call)
        async with self._work:
            return await operation.answer(call)

    def _operation(self, scope: Scope) -> Operation:
        path: str = scope["path"]
        root_path: str = scope.get("root_path", "")
        methods = self._routes.get(path.removeprefix(root_path) if root_path else path)
        if methods is None:
            hint = f"{self._root}/openapi.json tells what there is"
            raise Refused("unknown_path", "no operation has this address", hint=hint)
        if scope["method"] not in methods:
            allowed = ", ".join(methods)
            raise Refused("wrong_method", f"it takes {allowed}", headers=[("allow", allowed)])
        return methods[scope["method"]]

    async def _with_values(self, call: Call, operation: Operation) -> Call:
        """The call with what its body holds; one that streams reads it itself."""
        if operation.streams:
            refuse_other_type(call.scope, NDJSON)
        if operation.takes is None or operation.streams:
            return call
        refuse_other_type(call.scope, JSON)
        with self._awaiting(call.caller.name):
            body = await whole_body(call.scope, call.receive)
        return replace(call, values=operation.takes.read(parsed(body), ""))

    def _unavailable(self, error: StoreError) -> Response:
        """What to say where the store can't: nothing was kept, and the same call may be made again."""
        self._personalizer.health.failed(
            "a call of the API could not be answered", error, self._personalizer.clock.now()
        )
        code = "overloaded" if isinstance(error, StoreBusy) else "store_unavailable"
        refused = Refused(code, "nothing of this was kept; the same call may be made again", retry_after_seconds=1)
        return refused.response()
