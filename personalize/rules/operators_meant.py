"""What editors mean who write as they do elsewhere: `>= 2` is `{at_least: 2}` here, and `yes` is `true`."""

import re

from personalize.guesses import Guess

_SIGNS = {">=": "at_least", "=>": "at_least", "≥": "at_least", ">": "more_than", "<=": "at_most", "=<": "at_most"}
_SIGNS |= {"≤": "at_most", "<": "less_than", "!=": "is_not", "<>": "is_not", "≠": "is_not", "=": "is", "==": "is"}
_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_COMPARISON = re.compile("([<>=!≥≤≠]{1,2}) *(.+)")
_NEEDS_NO_QUOTES = re.compile(r"[\w.:-]+")


def order_meant(text: str) -> Guess | None:
    """A hint with the operator for a text such as `>= 2`; None for any other text."""
    found = _COMPARISON.fullmatch(text.strip())
    word = _SIGNS.get(found[1]) if found is not None else None
    if found is None or word is None:
        return None
    meant = f"{{{word}: {found[2]}}}"
    return Guess(f"write {meant}", text, meant if _NEEDS_NO_QUOTES.fullmatch(found[2]) else None)


def operator_meant(word: str) -> Guess | None:
    """A hint with the operator for a sign such as `>=`; None for any other word."""
    meant = _SIGNS.get(word.strip())
    return None if meant is None else Guess(f"write `{meant}`", word, meant)


def switch_meant(text: str) -> Guess | None:
    """A hint with `true` for a text such as `yes`; None for any other text."""
    meant = _SWITCHES.get(text.casefold(), text.casefold() if text.casefold() in ("true", "false") else None)
    return None if meant is None else Guess(f"write {meant}", text, meant)
