"""What the visitor allows: unknown, or the set of purposes granted (the empty set is a refusal)."""

from collections.abc import Iterable
from dataclasses import dataclass

#: The text of a refusal in the consent cookie: one value for everybody, so it identifies nobody.
REFUSAL = "no"


@dataclass(frozen=True, slots=True)
class Consent:
    """A visitor's decision, or that there is none yet.

    `granted` is None while the visitor has not decided; a frozenset of purposes afterwards, empty for a refusal.
    """

    granted: frozenset[str] | None = None

    @property
    def decided(self) -> bool:
        """Whether the visitor has answered at all."""
        return self.granted is not None

    @property
    def refused(self) -> bool:
        """Whether the visitor has said no to everything."""
        return self.granted is not None and not self.granted

    @property
    def permits_identifier(self) -> bool:
        """Whether an identifier may be set: at least one purpose is granted."""
        return bool(self.granted)

    def allows(self, purpose: str) -> bool:
        """Whether this purpose is granted; unknown grants nothing."""
        return self.granted is not None and purpose in self.granted

    def as_text(self) -> str:
        """The decision as one cookie-safe word: `no`, or the purposes in order, joined by dots."""
        return ".".join(sorted(self.granted)) if self.granted else REFUSAL


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
    if text == REFUSAL:
        return REFUSED
    known = frozenset(purposes).intersection(text.split("."))
    return Consent(known) if known else UNKNOWN


def stricter(one: Consent, other: Consent) -> Consent:
    """The stricter of two decisions: only what both grant. Unknown is no decision, so the other one holds."""
    if one.granted is None or one.granted == other.granted:
        return other
    if other.granted is None:
        return one
    return Consent(one.granted & other.granted)
