"""Text as PostgreSQL takes it, which knows no NUL, and back."""

import re

_KEPT = re.compile(r"\\[\\0]")


def kept_text(text: str) -> str:
    """The text in a form without NUL, which `text_kept` turns back; most of it as it is.

    In that form, too, texts are in the order of their characters, but for NUL and backslashes.
    """
    if "\0" in text or "\\" in text:
        return text.replace("\\", "\\\\").replace("\0", "\\0")
    return text


def text_kept(kept: str) -> str:
    """The text that `kept_text` was given."""
    return _KEPT.sub(lambda found: "\0" if found[0] == "\\0" else "\\", kept) if "\\" in kept else kept
