"""Patterns that a text is held against, in time that grows with the text's length alone, whatever the pattern."""

import re
from dataclasses import dataclass, field

import re2

from personalize.problems import quoted

#: A longer pattern is refused, and one whose repetitions, written out, would be longer.
LONGEST_PATTERN = 500
MOST_STEPS = 300
#: What one pattern may take in memory, for itself and for what it remembers of texts.
_MOST_BYTES = 1 << 20
_OF_OTHER_SCRIPTS = re.compile("[^\x00-\xff]")
_SYNTAX = "it takes the syntax of RE2, which has no (?=…), (?!…), nor references back such as \\1"
_SHORTER = "make it shorter, or several patterns of it: with a list, one of them is enough"
_LIKE = re.compile(r"[*?]|[^*?]+")
_LIKE_SIGNS = {"*": ".*", "?": "."}


class PatternError(ValueError):
    """A pattern that can't be read, or would be slow; the message says which, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. `text` is what was written."""

    text: str
    ignore_case: bool
    _expression: "re2._Regexp" = field(compare=False, repr=False)

    def found_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text."""
        return self._expression.search(text.encode(errors="replace")) is not None

    def __str__(self) -> str:
        return quoted(self.text)


def expression(text: str, *, ignore_case: bool = False) -> Pattern:
    """A regular expression in the syntax of RE2, without anchors of its own. Raises PatternError."""
    return _compiled(text, text, ignore_case=ignore_case)


def like(text: str) -> Pattern:
    """A text in which `*` stands for any signs, or none, and `?` for one; it covers all of what it is held against.

    Raises PatternError.
    """
    parts = (_LIKE_SIGNS.get(part) or re2.escape(part) for part in _LIKE.findall(text))
    return _compiled(text, f"(?s)^{''.join(parts)}$", ignore_case=False)


def _compiled(written: str, source: str, *, ignore_case: bool) -> Pattern:
    if len(written) > LONGEST_PATTERN:
        raise PatternError(f"it has {len(written)} characters, and may have {LONGEST_PATTERN}", _SHORTER)
    options = re2.Options()
    options.max_mem = _MOST_BYTES
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = not ignore_case
    try:
        compiled = re2.compile(source, options)
        options.encoding = re2.Options.Encoding.LATIN1
        steps = re2.compile(_OF_OTHER_SCRIPTS.sub("x", source).encode("latin-1"), options).programsize
    except re2.error as error:
        raise _refusal(error) from error
    if steps > MOST_STEPS:
        raise _too_much()
    return Pattern(written, ignore_case, compiled)


def _refusal(error: Exception) -> PatternError:
    said = error.args[0]
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    is_too_much = "too large" in text or "repetition size" in text
    return _too_much() if is_too_much else PatternError(text, _SYNTAX)


def _too_much() -> PatternError:
    return PatternError("its repetitions are too many to be quick", _SHORTER)
