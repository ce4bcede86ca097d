"""What a process does beside a store that a newer version of personalize has changed: it adds to the log, no more.

While a site is upgraded worker by worker, the first of the new ones changes the store under the old ones. What these
would project lacks what the new ones keep, and what they would erase, too; so from then on they write nothing but
events, which wait for the next worker that knows how to project them. A change of what rows hold is therefore a change
of the schema, also where it leaves the tables as they are.
"""

from collections.abc import Iterable

from personalize.errors import NewerStore

#: Changes whose names begin so alter how events are kept: older workers don't even add to the log behind them.
OF_THE_LOG = "the log"


def refuse_newer(unknown: Iterable[str], *, adds_only: bool) -> None:
    """Raise `NewerStore` where one of these changes, which this version does not know, is in the way of a write;
    `adds_only` says that it does nothing but add events to the log."""
    in_the_way = sorted(name for name in unknown if not adds_only or name.startswith(OF_THE_LOG))
    if in_the_way:
        raise NewerStore(in_the_way[0])
