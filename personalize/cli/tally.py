"""A line on the terminal that says how far a long piece of work has come, and is wiped when it is done."""

import sys
from types import TracebackType

import click

_EVERY = 500
_BAR = 20


class Tally:
    """Says `doing` and then a running number of `things`, on a terminal only, and on the side of errors."""

    def __init__(self, doing: str, things: str) -> None:
        self._doing = doing
        self._things = things
        self._count = 0
        self._told = 0
        self._is_shown = sys.stderr.isatty()

    def __enter__(self) -> "Tally":
        self._say(f"{self._doing} ...")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._say("")

    def add(self, more: int) -> None:
        """Count more of them."""
        self._count += more
        if self._count >= self._told + _EVERY:
            self._told = self._count
            self._say(f"{self._count:,} {self._things} ...")

    def reach(self, done: int, total: int | None, things: str | None = None) -> None:
        """Say that so many are done, of these `things`; with a bar where it is known how many there are."""
        things = things or self._things
        if total is None:
            self._say(f"{done:,} {things} ...")
        else:
            self._say(f"{'#' * (_BAR * done // max(1, total)):.<{_BAR}} {done:,} of {total:,} {things}")

    def _say(self, text: str) -> None:
        if self._is_shown:
            click.echo(f"\r\033[K{text}", nl=False, err=True)
