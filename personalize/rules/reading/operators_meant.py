"""What editors mean who write as they do elsewhere: `>= 2` is `{at_least: 2}` here, and `yes` is `true`."""

import re

from personalize.guesses import Guess

_SIGNS = {">=": "at_least", "=>": "at_least", "≥": "at_least", ">": "more_than", "<=": "at_most", "=<": "at_most"}
_SIGNS |= {"≤": "at_most", "<": "less_than", "!=": "is_not", "<>": "is_not", "≠": "is_not", "=": "is", "==": "is"}
_WORDS = {"eq": "is", "ne": "is_not", "neq": "is_not", "gt": "more_than", "gte": "at_least", "ge": "at_least"}
_WORDS |= {"lt": "less_than", "lte": "at_most", "le": "at_most", "in": "one_of", "not_in": "none_of"}
_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_COMPARISON = re.compile("([<>=!≥≤≠]{1,2}) *(.+)")
#: That of `29,90`, and not of `1,000`.
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9]{1,2}$)")
#: `profile.country:NO`, also with a blank that only looks like one; but no address (`https://…`) and no time of day.
_GLUED = re.compile(r"([a-z_][\w.-]*):(?!//)[\xa0\u2007\u202f\u200b]*([^\s:].*)", re.IGNORECASE)
_NEEDS_NO_QUOTES = re.compile(r"[\w.:-]+")


def order_meant(text: str) -> Guess | None:
    """A hint with the operator for a text such as `>= 2`; None for any other text."""
    found = _COMPARISON.fullmatch(text.strip())
    word = _SIGNS.get(found[1]) if found is not None else None
    if found is None or word is None:
        return None
    value = _COMMA.sub(".", found[2])
    meant = f"{{{word}: {value}}}"
    return Guess(f"write {meant}", text, meant if _NEEDS_NO_QUOTES.fullmatch(found[2]) else None)


def operator_meant(word: str) -> Guess | None:
    """A hint with the operator for a sign such as `>=`, or a word of programs such as `gte`; None for any other."""
    meant = _SIGNS.get(word.strip()) or _WORDS.get(word.casefold())
    return None if meant is None else Guess(f"write `{meant}`", word, meant)


def switch_meant(text: str) -> Guess | None:
    """A hint with `true` for a text such as `yes`; None for any other text."""
    meant = _SWITCHES.get(text.casefold(), text.casefold() if text.casefold() in ("true", "false") else None)
    return None if meant is None else Guess(f"write {meant}", text, meant)


def pair_meant(text: str, *, form: str | None = None) -> Guess | None:
    """A hint for a text such as `profile.country:NO`, which lacks the blank that makes it two; None for any other.

    `form` is how the two may be written in its place, such as `{}` or `{{{}}}`; None where somebody has to look first.
    """
    found = _GLUED.fullmatch(text)
    if found is None:
        return None
    pair = f"{found[1]}: {found[2]}"
    instead = form.format(pair) if form is not None and _NEEDS_NO_QUOTES.fullmatch(found[2]) else None
    return Guess(f"write {pair} with a plain blank after the colon", text, instead)
