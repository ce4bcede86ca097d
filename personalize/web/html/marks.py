"""The words of a token mark: what the slot tag writes around a slot's default, and the middleware looks for."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: What a slot may be called.
SLOT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

#: Where a template engine that knows the slot tag keeps the token.
TOKEN_ATTRIBUTE = "personalize_token"

_PURPOSE = b"personalize slot mark"
_ARE_WRITTEN = ContextVar("personalize_marks_are_written", default=True)


def token_of(secret_key: str) -> str:
    """The installation's token: the same in every worker, unguessable without the key, 20 hex digits.

    Nobody who can write into a page's content can write a mark, so marks are found by a plain byte search.
    """
    return hmac.new(secret_key.encode(), _PURPOSE, hashlib.sha256).hexdigest()[:20]


def word_of_marks(token: str) -> str:
    """What stands in every mark of this token, and nowhere else."""
    return f"slot {token}"


def open_mark(token: str, slot_id: str) -> str:
    """The mark before a slot's default. Raises ValueError for what no slot can be called.

    It holds the word `slot`, as written marks do: one search finds a page that has neither.
    """
    if SLOT_ID.fullmatch(slot_id) is None:
        raise ValueError(f'"{slot_id}" can\'t be the name of a slot: use small letters, digits, - and _')
    return f"<!--{word_of_marks(token)} {slot_id}-->"


def close_mark(token: str) -> str:
    """The mark behind a slot's default."""
    return f"<!--/{word_of_marks(token)}-->"


def marks_are_written() -> bool:
    """Whether slot tags write marks: yes, but for pages that leave untouched, from which nobody would take them."""
    return _ARE_WRITTEN.get()


@contextmanager
def without_marks() -> Iterator[None]:
    """Slot tags that are rendered in here, or in threads that were handed this context, write no marks."""
    before = _ARE_WRITTEN.set(False)
    try:
        yield
    finally:
        _ARE_WRITTEN.reset(before)
