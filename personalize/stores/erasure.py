"""Erasures: what stays of them is a receipt."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """The receipt of an erasure: when, by whom, and how many profiles and events are gone; nothing of the person.

    `seal` stands for the id that was named (see `stores.seals`), in hex. `copies` are the ids of the exports and
    backups that may hold what was erased.
    """

    seal: str
    at: datetime
    by: str
    profiles: int
    events: int
    copies: tuple[str, ...] = ()
