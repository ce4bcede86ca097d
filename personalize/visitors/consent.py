"""What the visitor allows: unknown, or the set of purposes granted (the empty set is a refusal)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

#: The purpose that counting what was shown serves.
MEASURE_PURPOSE = "measure"
#: The text of a refusal in the consent cookie: one value for everybody, so it identifies nobody.
REFUSAL = "no"
#: Behind a decision that was taken where the site's login could not be seen, until a page has seen it.
_NEWS = "!"
#: Longer texts, which no site of ours wrote, are not remembered.
_LONGEST_REMEMBERED = 200
_MEASURE_ALONE = frozenset({MEASURE_PURPOSE})


@dataclass(frozen=True, slots=True)
class Consent:
    """A visitor's decision, or that there is none yet.

    `granted` is None while the visitor has not decided; a frozenset of purposes afterwards, empty for a refusal.
    `is_news` says that it has yet to be told to the login, if there is one; it does not tell decisions apart.
    """

    granted: frozenset[str] | None = None
    is_news: bool = field(default=False, compare=False)

    @property
    def decided(self) -> bool:
        """Whether the visitor has answered at all."""
        return self.granted is not None

    @property
    def refused(self) -> bool:
        """Whether the visitor has said no to everything."""
        return self.granted is not None and not self.granted

    @property
    def only_measures(self) -> bool:
        """Whether what is shown may be counted, and nothing else: nobody is told apart for that (see `arms`)."""
        return self.granted == _MEASURE_ALONE

    @property
    def permits_identifier(self) -> bool:
        """Whether an identifier may be set, and a profile kept: a purpose is granted beyond measuring."""
        return bool(self.granted) and self.granted != _MEASURE_ALONE

    @property
    def forbids_identifier(self) -> bool:
        """Whether the visitor has decided against being known: all is refused, or all but measuring."""
        return self.granted is not None and not self.permits_identifier

    def allows(self, purpose: str) -> bool:
        """Whether this purpose is granted; unknown grants nothing."""
        return self.granted is not None and purpose in self.granted

    def as_text(self) -> str:
        """The decision as one cookie-safe word: `no`, or the purposes in order, joined by dots."""
        text = ".".join(sorted(self.granted)) if self.granted else REFUSAL
        return text + _NEWS if self.is_news else text


UNKNOWN = Consent()
REFUSED = Consent(frozenset())


def granting(purposes: Iterable[str]) -> Consent:
    """A decision that grants these purposes; none of them is a refusal."""
    return Consent(frozenset(purposes))


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


#: There are few decisions that visitors can take, and each page view reads one.
_parsed = lru_cache(maxsize=512)(_parse)


def stricter(one: Consent, other: Consent) -> Consent:
    """The stricter of two decisions: only what both grant. Unknown is no decision, so the other one holds."""
    if one.granted is None or one.granted == other.granted:
        return other
    if other.granted is None:
        return one
    return Consent(one.granted & other.granted)
