"""Dotted paths into values: `father.age`. A backslash takes the sign behind it as part of the name."""

import re
from collections.abc import Mapping

_STEP = re.compile(r"(?:\\.|[^.\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def split_path(text: str) -> tuple[str, ...] | None:
    r"""The steps of a path, or None where one is empty: `a.b\.c` has the steps `a` and `b.c`."""
    steps = _STEP.findall(text)
    return tuple(_ESCAPED.sub(r"\1", step) for step in steps) if ".".join(steps) == text else None


def follow(value: object, path: tuple[str, ...]) -> object | None:
    """What stands at the end of a path, None where a step is missing. Steps lead into mappings only."""
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
