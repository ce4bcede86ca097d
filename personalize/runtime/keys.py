"""The secret keys that sign cookies: the site's own, or one made once and kept in a file."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from personalize.errors import SettingsError
from personalize.problems import Problem
from personalize.settings import Settings

_KEY_BYTES = 32


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The keys, oldest to newest.

    Where the settings name none, every worker of the machine shares the key in `key_file`; the first to come
    makes it. Raises `SettingsError` where it can't be read or made.
    """
    if settings.secret_keys:
        return settings.secret_keys
    try:
        if not settings.key_file.exists():
            _make(settings.key_file)
        key = settings.key_file.read_bytes().strip()
    except OSError as error:
        raise SettingsError((_unusable(settings.key_file, error.strerror or "it can't be opened"),)) from error
    if len(key) < _KEY_BYTES or not key.isascii():
        raise SettingsError((_unusable(settings.key_file, "it holds no key"),))
    return (key.decode("ascii"),)


def known_keys(settings: Settings) -> tuple[str, ...]:
    """The keys, or none where there is no `key_file` yet, or this process may not read it."""
    if not settings.secret_keys and not os.access(settings.key_file, os.R_OK):
        return ()
    return secret_keys(settings)


def _make(path: Path) -> None:
    """Make a key under a name of its own, and give it the right one if nobody else was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_KEY_BYTES))
    try:
        with suppress(FileExistsError):
            os.link(made, path)  # exactly one worker's key gets the name
    finally:
        made.unlink()


def _unusable(path: Path, why: str) -> Problem:
    return Problem(
        "E060",
        f"the key file is of no use: {why}",
        file=str(path),
        hint="set PERSONALIZE_SECRET_KEYS to a random text of at least 32 characters, or make the folder writable",
    )
