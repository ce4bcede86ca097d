"""Which pages are pages of their own, and which are parts that a script puts into another one."""

import re

#: How much of a page tells whether it is one of its own.
FIRST_BYTES = 2_048
_DOCUMENT = re.compile(rb"<(?:!doctype|html|head|title|body)[\s>]", re.IGNORECASE)


def is_document(first_bytes: bytes) -> bool:
    """Whether a page that begins so is one of its own, which may get a script of ours; parts of others get none."""
    return _DOCUMENT.search(first_bytes[:FIRST_BYTES]) is not None
