"""The versions that have been live: all of them as a table, and the one whose first letters somebody gave."""

from collections.abc import Sequence

from personalize.cli.findings import Failed
from personalize.cli.site import Site
from personalize.cli.tables import table, terminal_width
from personalize.problems import quoted
from personalize.stores.protocols import Live


def version_named(beginning: str, lives: Sequence[Live], site: Site) -> str:
    """The version that begins so. Raises `Failed` with all there are where it is none, or could be several."""
    found = {live.version for live in lives if live.version.startswith(beginning)}
    if len(found) != 1:
        what = "is the beginning of several versions" if found else "is no version that has been live"
        raise Failed("\n".join([f"{quoted(beginning)} {what}. These have been:", "", *live_versions(lives, site)]))
    return found.pop()


def live_versions(lives: Sequence[Live], site: Site) -> list[str]:
    """Every version, the newest first, with when it last went live."""
    newest = {live.version: live for live in lives}
    rows = [(one.version, site.written(one.at), one.by) for one in sorted(newest.values(), key=_age, reverse=True)]
    marked = [(*row, "live now" if row[0] == lives[-1].version else "") for row in rows]
    header = ("version", "went live", "by", "")
    return list(table(header, marked, wraps=2, numbers=frozenset(), width=terminal_width()))


def _age(live: Live) -> float:
    return live.at.timestamp()
