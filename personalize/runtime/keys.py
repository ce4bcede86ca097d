"""The secret keys that sign cookies: the site's own, or one made once and kept in a file."""

import os
import secrets
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
        return (_kept(settings.key_file),)
    except OSError as error:
        raise SettingsError((_unusable(settings.key_file, error.strerror or "it can't be opened"),)) from error


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.write_text(secrets.token_urlsafe(_KEY_BYTES), encoding="ascii")
    made.chmod(0o600)
    try:
        os.link(made, path)  # exactly one worker's key gets the name
    except FileExistsError:
        pass
    finally:
        made.unlink()
    key = path.read_text(encoding="ascii").strip()
    if len(key) < _KEY_BYTES:
        raise SettingsError((_unusable(path, "it holds no key"),))
    return key


def _unusable(path: Path, why: str) -> Problem:
    return Problem(
        "E060",
        f'the key file "{path}" is of no use: {why}',
        hint="set PERSONALIZE_SECRET_KEYS to a random text of at least 32 characters, or make the folder writable",
    )
