"""Finding visitors by what is known of them: an index of the attributes that are declared `searchable`.

It holds whatever such an attribute was ever set to, as far as the log has it, and so leads to everybody who may have
the value now; whether they have, their profile says. So corrections, late events and joins need nothing here.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from personalize.events.event import SET, Event
from personalize.profiles.holding import NOTHING_HELD
from personalize.profiles.in_force import ANONYMOUS_PREFIX, KNOWN_PREFIX

#: The projection that these rows belong to.
SEARCH = "search"
#: How many bytes tell values apart: rows begin with them. Two that share them are told apart by the profiles.
TERM_BYTES = 8
_BETWEEN = "\n"
_NO_TERM = bytes(TERM_BYTES)


def as_searched(value: object) -> str | None:
    """A value in the form in which it is compared: in small letters, whatever the width or the composition of its
    characters, and with single blanks. None for what is no text, or an empty one."""
    if not isinstance(value, str):
        return None
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split()) or None


def term_of(attribute: str, value: object) -> bytes | None:
    """What stands for a value of an attribute; None for what nobody can be found by."""
    searched = as_searched(value)
    return None if searched is None else sha256(f"{attribute}\0{searched}".encode()).digest()[:TERM_BYTES]


def visitor_in(key: str) -> str:
    """The profile id that a row which begins with a term leads to."""
    return key.rpartition(_BETWEEN)[0]


def term_keys(profile_id: str, row: bytes | None) -> Sequence[str]:
    """The keys of all rows that lead to a visitor, by the bytes of the one that has their terms."""
    return [] if row is None else [_key(profile_id, term) for term in _terms_in(row)]


@dataclass(frozen=True, slots=True)
class Terms:
    """A row of the index: all terms of a visitor, in the order in which they came; or one of them, which `leads` to the
    visitor in its key."""

    terms: tuple[bytes, ...]
    leads: bool = False


class SearchProjector:
    """Keeps the index for these attributes: one `Terms` per visitor, and one per visitor and term."""

    name = SEARCH
    holding = NOTHING_HELD

    def __init__(self, attributes: Iterable[str]) -> None:
        self._attributes = frozenset(attributes)

    def reads(self, event: Event, rows: Mapping[str, Terms | None]) -> tuple[str, ...]:
        """The visitor's row, and those of the terms that the event tells."""
        terms = tuple(self._told(event))
        return (event.profile_id, *(_key(event.profile_id, term) for term in terms)) if terms else ()

    def project(self, event: Event, rows: Mapping[str, Terms | None]) -> Mapping[str, Terms]:
        """Those rows after the event."""
        known = rows.get(event.profile_id)
        before = () if known is None else known.terms
        new = tuple(term for term in dict.fromkeys(self._told(event)) if term not in before)
        return {event.profile_id: Terms((*before, *new)), **_leading(event.profile_id, new)} if new else {}

    def replay(self, key: str) -> "SearchReplay":
        """The rows of a visitor whose history has lost something."""
        return SearchReplay(key, self)

    def encode(self, row: Terms) -> bytes:
        """The row as bytes: those that lead to a visitor begin with their term."""
        return row.terms[0] if row.leads else _NO_TERM + b"".join(row.terms)

    def decode(self, data: bytes) -> Terms:
        """The row that `encode` wrote."""
        return Terms((data,), leads=True) if data[:TERM_BYTES] != _NO_TERM else Terms(tuple(_terms_in(data)))

    def terms_of(self, events: Iterable[Event]) -> tuple[bytes, ...]:
        """All terms that these events tell, in the order in which they came."""
        return tuple(dict.fromkeys(term for event in events for term in self._told(event)))

    def _told(self, event: Event) -> Iterator[bytes]:
        if event.type == SET and event.profile_id.startswith((KNOWN_PREFIX, ANONYMOUS_PREFIX)):
            for name in sorted(self._attributes & event.properties.keys()):
                if (term := term_of(name, event.properties[name])) is not None:
                    yield term


class SearchReplay:
    """The index of one visitor, made anew from their history."""

    types: frozenset[str] = frozenset()

    def __init__(self, profile_id: str, projector: SearchProjector) -> None:
        self._projector = projector
        self._before: tuple[bytes, ...] = ()
        self._events: list[Event] = []
        self.keys: tuple[str, ...] = (profile_id,)
        self.missing: tuple[str, ...] = (profile_id,)

    def look(self, rows: Mapping[str, Terms | None], deciding: Iterable[Event]) -> None:
        """Take the visitor's row as it was."""
        (row,) = rows.values()
        self._before, self.missing = () if row is None else row.terms, ()

    def project(self, event: Event) -> None:
        """Take the next event."""
        self._events.append(event)

    @property
    def touched(self) -> tuple[str, ...]:
        """The rows of all terms that there were and are."""
        terms = sorted({*self._before, *self._projector.terms_of(self._events)})
        return tuple(_key(self.keys[0], term) for term in terms)

    def rows(self, touched: Mapping[str, Terms | None]) -> Mapping[str, Terms | None]:
        """All of them after the last event."""
        nothing: dict[str, Terms | None] = dict.fromkeys((*self.keys, *touched))
        (profile_id,), terms = self.keys, self._projector.terms_of(self._events)
        return {**nothing, profile_id: Terms(terms), **_leading(profile_id, terms)} if terms else nothing


def _leading(profile_id: str, terms: tuple[bytes, ...]) -> dict[str, Terms]:
    return {_key(profile_id, term): Terms((term,), leads=True) for term in terms}


def _key(profile_id: str, term: bytes) -> str:
    return f"{profile_id}{_BETWEEN}{term.hex()}"


def _terms_in(row: bytes) -> Iterator[bytes]:
    for begins in range(TERM_BYTES, len(row), TERM_BYTES):
        yield row[begins : begins + TERM_BYTES]
