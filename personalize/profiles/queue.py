"""Rows that wait for a moment: their bytes begin with it, so that a store finds those that are due by their order."""

from dataclasses import dataclass

_LENGTH = 8
#: Sorts behind every moment.
NEVER = b"\xff" * _LENGTH


def queued(due_at_micros: int | None, rest: bytes) -> bytes:
    """A row that is due at a moment, in microseconds since 1970; None for one that waits for no moment."""
    return moment_as_bytes(due_at_micros) + rest


def moment_as_bytes(micros: int | None) -> bytes:
    """What rows that are due at this moment begin with; moments before 1970 count as that."""
    return NEVER if micros is None else max(micros, 0).to_bytes(_LENGTH)


def without_moment(row: bytes) -> tuple[int | None, bytes]:
    """When a row is due, and the rest of it."""
    moment = row[:_LENGTH]
    return None if moment == NEVER else int.from_bytes(moment), row[_LENGTH:]


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row of a projection that is to be changed if it is still what the caller has `seen`; None is no row."""

    key: str
    seen: bytes | None
    then: bytes | None
