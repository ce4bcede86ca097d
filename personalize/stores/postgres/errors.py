"""What an error of PostgreSQL means for whoever runs the site; no asyncpg error leaves the store."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from personalize.errors import StoreBusy, StoreError, StoreUnavailable
from personalize.stores.postgres.address import Address

#: SQLSTATE codes by their beginnings; the longest that fits counts.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BUSY = {
    "40": "others change the same rows at the same time",
    "53300": "it takes no more connections",
    "55P03": "others hold what is asked for",
    "57014": "it took too long",
    "57P03": "it is just starting or stopping",
}
_REASONS = {
    "08": "the connection broke",
    "25006": "it can only be read: is it a standby?",
    "28": "it refuses this user and password",
    "3D000": "there is no such database",
    "3F000": "there is no such schema",
    "42501": "this user may not do that: look at the rights of the schema and its tables",
    "42P01": "a table is missing",
    "53100": "the disk is full",
    "53200": "there is no memory left",
    "57P01": "an operator ended the connection",
    "57P02": "it crashed",
    "58": "its disk reports an error",
    "XX": "it is damaged: look into its log",
}
_ABOUT_THE_VALUE = ("22", "23", "54")


@contextmanager
def store_errors(address: Address) -> Iterator[None]:
    """Turn what asyncpg raises inside into `StoreBusy`, `StoreUnavailable`, or `ValueError` for a value that no row
    can hold."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise meaning_of(error, address) from error


def meaning_of(error: Exception, address: Address) -> StoreError | ValueError:
    """The error of ours that an operator can act on."""
    if isinstance(error, asyncpg.PostgresError):
        code = str(error.sqlstate or "")
        if (reason := _for(code, _BUSY)) is not None:
            return StoreBusy(f"the store {address} is busy: {reason}")
        if code.startswith(_ABOUT_THE_VALUE):
            return ValueError(f"the store cannot hold this value: {error}")
        return StoreUnavailable(f"the store {address} cannot be used: {_for(code, _REASONS) or error}")
    if isinstance(error, asyncpg.DataError):
        return ValueError(f"the store cannot hold this value: {error}")
    if isinstance(error, TimeoutError):
        return StoreBusy(f"the store {address} did not answer in time")
    return StoreUnavailable(f"the store {address} cannot be reached: {_told(error)}")


def _for(code: str, reasons: dict[str, str]) -> str | None:
    return next((reasons[code[:end]] for end in range(len(code), 1, -1) if code[:end] in reasons), None)


def _told(error: Exception) -> str:
    """What an error of the network or of the driver says; those of the driver may name what was configured."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: does the server run?"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return "look at its address" if isinstance(error, asyncpg.ClientConfigurationError) else "the connection broke"
