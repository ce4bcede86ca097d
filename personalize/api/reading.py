"""Reads bodies: as long as they come in time, are no longer than they may be, and are JSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Never

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from personalize.api.refusal import Refused
from personalize.problems import quoted

JSON = "application/json"
NDJSON = "application/x-ndjson"

MOST_BYTES = 1_000_000
#: How long a whole body, or one line of a stream, may take to come.
PATIENCE_SECONDS = 10.0
LONGEST_LINE_BYTES = 200_000

#: The connection is of no use to the next request: what is left of this one's body was not read.
_CLOSING = (("connection", "close"),)


def refuse_other_type(scope: Scope, expected: str) -> None:
    """Raise `Refused` where the body says that it is of another type than expected."""
    said = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if said.partition(b";")[0].strip().lower() != expected.encode():
        found = quoted(said.decode("latin-1")) if said else "nothing"
        detail = f"the header Content-Type says {found}, and this takes {expected}"
        raise Refused("wrong_media_type", detail, headers=_CLOSING)


async def whole_body(scope: Scope, receive: Receive) -> bytes:
    """The body. Raises `Refused` for one that is too large or comes too slowly, `ClientDisconnect` for half of one."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared[:20]) > MOST_BYTES:
        raise _too_large(MOST_BYTES, "a body")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for part in _parts(receive):
                body += part
                if len(body) > MOST_BYTES:
                    raise _too_large(MOST_BYTES, "a body")
    except TimeoutError:
        raise _too_slow("the body") from None
    return bytes(body)


async def lines(receive: Receive) -> AsyncIterator[bytes]:
    """The lines of a body, as they come; no more of it is held than one line and one part.

    Empty lines come, too, so that they can be counted. Raises `Refused` for a line that is too long, or a second one
    that is too long in coming.
    """
    held = bytearray()
    parts = _parts(receive)
    deadline = _deadline()
    while (part := await _in_time(parts, deadline)) is not None:
        begin = 0
        while (end := part.find(b"\n", begin)) >= 0:
            held += part[begin:end]
            if len(held) > LONGEST_LINE_BYTES:
                raise _too_large(LONGEST_LINE_BYTES, "a line")
            yield bytes(held)
            held.clear()
            begin, deadline = end + 1, _deadline()
        held += part[begin:]
        if len(held) > LONGEST_LINE_BYTES:
            raise _too_large(LONGEST_LINE_BYTES, "a line")
    if held:
        yield bytes(held)


def _deadline() -> float:
    return asyncio.get_running_loop().time() + PATIENCE_SECONDS


async def _in_time(parts: AsyncIterator[bytes], deadline: float) -> bytes | None:
    """The next part, or None at the end. Whoever writes what came before is not blamed for the time it takes."""
    now = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(max(deadline, now + 0.1)):
            return await anext(parts, None)
    except TimeoutError:
        raise _too_slow("a line") from None


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if body := message.get("body", b""):
            yield body


def parsed(body: bytes) -> Any:
    """The value of a JSON text: whole numbers of any size, decimals exact. Raises `Refused`."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Refused("no_json", f"the byte {body[error.start]:02X} at {error.start} is no UTF-8") from None
    except RecursionError:
        raise Refused("no_json", "its lists and objects lie too deep in one another") from None
    except ValueError as error:
        raise Refused("no_json", str(error) if body else "the body is empty") from None


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{quoted(name)} is no number that JSON knows")


def _too_large(most: int, what: str) -> Refused:
    hint = "send events in several batches, or as a stream" if what == "a body" else None
    return Refused("too_large", f"{what} may have {most:,} bytes", hint=hint, headers=_CLOSING)


def _too_slow(what: str) -> Refused:
    return Refused("too_slow", f"{what} has to be there within {PATIENCE_SECONDS:g} seconds", headers=_CLOSING)
