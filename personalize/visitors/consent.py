"""What the visitor allows: unknown, or the set of purposes granted (the empty set is a refusal)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final

#: The purpose that counting what was shown serves.
MEASURE_PURPOSE = "measure"
#: The text of a refusal in the consent cookie: one value for everybody, so it identifies nobody.
REFUSAL: Final = "no"
#: Behind a decision that was taken where the site's login could not be seen, until a page has seen it.
_NEWS: Final = "!"
#: Longer texts, which no site of ours wrote, are not remembered.
_LONGEST_REMEMBERED: Final = 200
_MEASURE_ALONE: Final = frozenset({MEASURE_PURPOSE})


def _follows() -> Any:
    """A field that follows from what was granted: worked out once, since each page asks again and again."""
    return field(init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A visitor's decision, or that there is none yet.

    `granted` is None while the visitor has not decided; a frozenset of purposes afterwards, empty for a refusal.
    `is_news` says that it has yet to be told to the login, if there is one; it does not tell decisions apart.
    """

    granted: frozenset[str] | None = None
    is_news: bool = field(default=False, compare=False)

    #: Whether the visitor has answered at all.
    decided: bool = _follows()
    #: Whether the visitor has said no to everything.
    refused: bool = _follows()
    #: Whether what is shown may be counted, and nothing else: nobody is told apart for that (see `arms`).
    only_measures: bool = _follows()
    #: Whether an identifier may be set, and a profile kept: a purpose is granted beyond measuring.
    permits_identifier: bool = _follows()
    #: Whether the visitor has decided against being known: all is refused, or all but measuring.
    forbids_identifier: bool = _follows()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Copied and pickled by its fields, compiled or not."""
        return Consent, (self.granted, self.is_news)

    def __post_init__(self) -> None:
        follow, granted = partial(object.__setattr__, self), self.granted
        follow("decided", granted is not None)
        follow("refused", granted is not None and not granted)
        follow("only_measures", granted == _MEASURE_ALONE)
        follow("permits_identifier", bool(granted) and granted != _MEASURE_ALONE)
        follow("forbids_identifier", self.decided and not self.permits_identifier)

    def allows(self, purpose: str) -> bool:
        """Whether this purpose is granted; unknown grants nothing."""
        return self.granted is not None and purpose in self.granted

    def as_text(self) -> str:
        """The decision as one cookie-safe word: `no`, or the purposes in order, joined by dots."""
        text = ".".join(sorted(self.granted)) if self.granted else REFUSAL
        return text + _NEWS if self.is_news else text


UNKNOWN: Final = Consent()
REFUSED = Consent(frozenset())


def granting(purposes: Iterable[str]) -> Consent:
    """A decision that grants these purposes; none of them is a refusal."""
    return _granting(frozenset(purposes))


#: There are few that visitors can take, and each page view meets one.
_granting = lru_cache(maxsize=512)(Consent)


def parse_consent(text: str | None, purposes: Iterable[str]) -> Consent:
    """The decision written by `Consent.as_text`; unknown for anything else.

    Purposes that the site no longer asks for are left out; text that names none of the site's purposes
    is no decision.
    """
    if not text:
        return UNKNOWN
    return _parsed(text, tuple(purposes)) if len(text) <= _LONGEST_REMEMBERED else _parse(text, purposes)


def _parse(text: str, purposes: Iterable[str]) -> Consent:
    is_news = text.endswith(_NEWS)
    text = text.removesuffix(_NEWS)
    if text == REFUSAL:
        return Consent(frozenset(), is_news)
    known = frozenset(purposes).intersection(text.split("."))
    return Consent(known, is_news) if known else UNKNOWN


_parsed = lru_cache(maxsize=512)(_parse)


def stricter(one: Consent, other: Consent) -> Consent:
    """The stricter of two decisions: only what both grant. Unknown is no decision, so the other one holds."""
    if one.granted is None or one.granted == other.granted:
        return other
    if other.granted is None:
        return one
    return Consent(one.granted & other.granted)
