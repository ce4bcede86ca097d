"""Time zones by their names in the IANA database."""

import zoneinfo
from functools import cache

UTC = "UTC"


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones that this machine knows, read once."""
    return frozenset(zoneinfo.available_timezones() | {UTC})


def is_zone(name: str) -> bool:
    """Whether this machine knows a zone of this name: one file is looked for, where listing all reads hundreds."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return name == UTC
    return True


def zone_named(name: object) -> zoneinfo.ZoneInfo | None:
    """The zone of this name, written exactly; None for anything else, which may come from a browser."""
    return _zone(name) if isinstance(name, str) and name in zone_names() else None


@cache
def _zone(known_name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(known_name)
