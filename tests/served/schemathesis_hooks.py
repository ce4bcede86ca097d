"""What Schemathesis has to know of our API: how a stream is written, and what JSON Schema can't say of a number or a
moment.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import schemathesis

from personalize.events.values import NUMBER_DECIMALS, NUMBER_DIGITS


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """A stream of one line."""
    return json.dumps(value).encode() + b"\n"


@schemathesis.hook
def filter_body(_context: Any, body: Any) -> bool:
    """Whether no number of the body has more digits than are kept, and it tells of nothing that is yet to occur, which
    no schema can say."""
    is_kept = all(-_exponent(each) <= NUMBER_DECIMALS and abs(each) < 10**NUMBER_DIGITS for each in _decimals(body))
    return is_kept and not (isinstance(body, dict) and _is_ahead(body.get("at")))


def _is_ahead(at: object) -> bool:
    with suppress(ValueError, TypeError, OverflowError):
        return datetime.fromisoformat(str(at)) > datetime.now(UTC)
    return False


def _decimals(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _decimals(part)


def _exponent(number: float) -> int:
    exponent = Decimal(repr(number)).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
