"""From the text of a setting to a store; only the one that is asked for is imported."""

from collections.abc import Callable, Sequence
from pathlib import Path

from personalize.errors import SettingsError
from personalize.problems import Problem, did_you_mean, quoted
from personalize.stores.protocols import Store


def open_store(url: str, root: Path, keys: Sequence[str] = ()) -> Store:
    """The store that `url` names: `sqlite:var/personalize.db`, `postgresql://user@host/database` or `memory:`. Call its
    `open` before using it.

    A relative path is taken from `root`; `keys` are the site's, for whoever erases. Raises `SettingsError`; what
    follows the first colon is never quoted, since PostgreSQL's addresses carry passwords there.
    """
    scheme, colon, rest = url.partition(":")
    opener = _OPENERS.get(scheme) if colon else None
    if opener is None:
        guess = None if scheme in _OPENERS else did_you_mean(scheme, _OPENERS)
        raise _refused(f"{quoted(scheme)} is no kind of store", guess or _KINDS)
    return opener(rest, root, keys)


def database_file(url: str, root: Path) -> Path | None:
    """The file in which the store lies that `url` names; None for one that is no SQLite file."""
    scheme, _, path = url.partition(":")
    return root / path if scheme == "sqlite" and path else None


def _sqlite(path: str, root: Path, keys: Sequence[str]) -> Store:
    if not path or path == ":memory:":
        raise _refused(
            "a SQLite store needs the path of a file",
            "write `sqlite:var/personalize.db`; `memory:` keeps everything in memory, for tests",
        )
    from personalize.stores.sqlite.store import SqliteStore  # noqa: PLC0415 - the driver loads when it is asked for

    return SqliteStore(root / path, keys=keys)


def _postgresql(rest: str, root: Path, keys: Sequence[str]) -> Store:
    from personalize.stores.postgres.address import address_of  # noqa: PLC0415 - as above

    try:
        address = address_of(f"postgresql:{rest}")
    except ValueError as error:
        raise _refused("the address of a PostgreSQL store can't be read", str(error)) from None
    try:
        from personalize.stores.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise _refused("a PostgreSQL store needs asyncpg", 'run: pip install "personalize[postgres]"') from error
    return PostgresStore(address, keys=keys)


def _memory(rest: str, root: Path, keys: Sequence[str]) -> Store:
    if rest:
        raise _refused("`memory:` takes nothing behind the colon", "a file is named by `sqlite:` and its path")
    from personalize.stores.memory.store import MemoryStore  # noqa: PLC0415 - as above

    return MemoryStore(keys)


def _refused(message: str, hint: str) -> SettingsError:
    return SettingsError((Problem("E053", f"store: {message}", hint=hint),))


_OPENERS: dict[str, Callable[[str, Path, Sequence[str]], Store]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "memory": _memory,
}
_KINDS = "write `sqlite:` and a path, `postgresql://user@host/database`, or `memory:`"
