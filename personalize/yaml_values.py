"""What a value of YAML is that stands without quotes: by the core schema of YAML 1.2, nothing, true or false, a decimal
number, or else a text. A number with a leading zero is text."""

import math
import re

LONGEST_NUMBER = 40

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
#: With what all but texts begin, if they are not empty.
_BEGINNINGS = frozenset("~nNtTfF+-.0123456789")


def plain_value(text: str) -> bool | int | float | str | None:
    """The value of an unquoted text. Raises ValueError for a number that can't be counted with."""
    if text and text[0] not in _BEGINNINGS:
        return text
    if _NULL.fullmatch(text):
        return None
    if (switch := _BOOL.fullmatch(text)) is not None:
        return switch[1] is not None
    if _INT.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return _fraction(text)
    if _ENDLESS.fullmatch(text):
        raise ValueError(text)
    return text


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)


def _fraction(text: str) -> float:
    number = float(text)
    if len(text) > LONGEST_NUMBER or not math.isfinite(number):
        raise ValueError(text)
    return number
