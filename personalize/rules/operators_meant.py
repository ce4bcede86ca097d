"""What editors mean who write a comparison as signs: `>= 2` is `{at_least: 2}` here."""

import re

_SIGNS = {">=": "at_least", "=>": "at_least", "≥": "at_least", ">": "more_than", "<=": "at_most", "=<": "at_most"}
_SIGNS |= {"≤": "at_most", "<": "less_than", "!=": "is_not", "<>": "is_not", "≠": "is_not", "=": "is", "==": "is"}
_COMPARISON = re.compile("([<>=!≥≤≠]{1,2}) *(.+)")


def order_meant(text: str) -> str | None:
    """A hint with the operator for a text such as `>= 2`; None for any other text."""
    found = _COMPARISON.fullmatch(text.strip())
    word = _SIGNS.get(found[1]) if found is not None else None
    return None if found is None or word is None else f"write {{{word}: {found[2]}}}"
