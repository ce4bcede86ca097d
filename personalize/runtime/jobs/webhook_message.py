"""What a webhook is told, and how it is signed: Standard Webhooks 1.0.0 (standardwebhooks.com).

The signature is the base64 of an HMAC-SHA256 over id, time in seconds and body, joined by points. The receiver finds
the same, and so knows who sends, that nothing was changed, and that it is not an old message told again.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from personalize.errors import SecretUnreadable
from personalize.events.event import from_micros
from personalize.profiles.outbox import Message

SECRET_PREFIX = "whsec_"
#: How many bytes a key has at least, and at most.
FEWEST_BYTES, MOST_BYTES = 24, 64


def body_of(message: Message, profile_id: str) -> bytes:
    """The JSON that is sent: who has entered or left which segment, and when that was noticed."""
    moment = from_micros(message.occurred_at_micros).astimezone(UTC).isoformat(timespec="milliseconds")
    told = {
        "type": "segment.entered" if message.entered else "segment.left",
        "timestamp": moment.replace("+00:00", "Z"),
        "data": {"visitor": profile_id, "segment": message.segment_id},
    }
    return orjson.dumps(told)


def headers_of(message_id: str, body: bytes, at: datetime, secrets: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The headers of a message that is sent now; one signature for each key, the newest first."""
    seconds = int(at.timestamp())
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return [
        (b"content-type", b"application/json"),
        (b"user-agent", b"personalize"),
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", str(seconds).encode()),
        (b"webhook-signature", b" ".join(_signature(secret, signed) for secret in reversed(secrets))),
    ]


def _signature(secret: bytes, signed: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())


def read_secrets(path: Path) -> Sequence[bytes]:
    """The keys of a webhook, oldest to newest: one `whsec_…` a line. Raises `SecretUnreadable`, which quotes none."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnreadable(path, "it can't be read") from error
    if not lines:
        raise SecretUnreadable(path, "it is empty")
    return tuple(_secret(path, line) for line in lines)


def _secret(path: Path, line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecretUnreadable(path, f"a line is no {SECRET_PREFIX}… in base64") from error
    if not FEWEST_BYTES <= len(secret) <= MOST_BYTES:
        raise SecretUnreadable(path, f"a key has {FEWEST_BYTES} to {MOST_BYTES} bytes")
    return secret
