"""Where a visitor is, coarsely: looked up by the address of the request in a GeoIP database that the site provides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from personalize.problems import Problems, quoted
from personalize.settings import Settings

if TYPE_CHECKING:
    from maxminddb import Reader

#: How many networks of a database are looked at for one that tells a country, before it counts as of no use.
_TRIED_NETWORKS = 1_000
#: Networks whose places are remembered, and how small they may be: fewer than 256 addresses would tell of people.
_MOST_NETWORKS = 4_096
_LONGEST_PREFIX = {4: 24, 6: 48}
#: What Python's reader raises where a file is broken.
_BROKEN = (ValueError, TypeError, LookupError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is: the ISO code of the country, and the English names of region and city, where told."""

    country: str
    region: str | None
    city: str | None


class GeoIP:
    """An open GeoIP database, in the form of MaxMind's files: https://maxmind.github.io/MaxMind-DB/.

    The file is mapped into memory, by `open_geoip`, and read by Python: the reader in C is quicker, and a broken file
    can bring it down, and the site with it. Places are remembered for networks of many, never for an address.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._knows_ipv6 = reader.metadata().ip_version == 6
        self._known = PlacesOfNetworks()

    def place(self, client: object) -> Place | None:
        """Where the client of an ASGI scope is: `(host, port)`, or None.

        None where the database does not tell, or the address is missing, private, or none at all, such as a
        socket's path. Raises `maxminddb.InvalidDatabaseError` where the file is broken at that place.
        """
        address = _public_address(client)
        if address is None or (address.version == 6 and not self._knows_ipv6):
            return None
        known = self._known.find(address)
        if known is not UNKNOWN:
            return known
        record, prefix_length = self._reader.get_with_prefix_len(address)
        place = _place(record)
        self._known.add(address, prefix_length, place)
        return place

    def close(self) -> None:
        """Let go of the file, and of what is remembered of it."""
        self._reader.close()
        self._known = PlacesOfNetworks()


class _Unknown(Enum):
    UNKNOWN = auto()


UNKNOWN: Final = _Unknown.UNKNOWN


class PlacesOfNetworks:
    """The places of networks that were asked for lately; it is emptied when it is full."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, int, int], Place | None] = {}
        self._lengths: dict[int, set[int]] = {4: set(), 6: set()}

    def find(self, address: IPv4Address | IPv6Address) -> Place | Literal[_Unknown.UNKNOWN] | None:
        """The place of the network that the address is in, `UNKNOWN` where none is remembered."""
        number, bits, version = int(address), address.max_prefixlen, address.version
        for length in self._lengths[version]:
            found = self._places.get((version, length, number >> bits - length), UNKNOWN)
            if found is not UNKNOWN:
                return found
        return UNKNOWN

    def add(self, address: IPv4Address | IPv6Address, length: int, place: Place | None) -> None:
        """Remember the place of the network of this length that the address is in, unless it is too small."""
        version = address.version
        if length > _LONGEST_PREFIX[version]:
            return
        if len(self._places) >= _MOST_NETWORKS:
            self._places.clear()
        self._lengths[version].add(length)
        self._places[version, length, int(address) >> address.max_prefixlen - length] = place


def open_geoip(settings: Settings, problems: Problems) -> GeoIP | None:
    """The database that the setting `geoip` names.

    None where it names none, or where it can't be used: then `problems` says why.
    """
    if settings.geoip is None:
        return None
    try:
        import maxminddb  # noqa: PLC0415  an extra: sites without a database do without it
    except ModuleNotFoundError:
        _refuse("the package maxminddb is not installed", 'pip install "personalize[geo]"', settings, problems)
        return None
    try:
        reader = maxminddb.open_database(settings.geoip, maxminddb.MODE_MMAP)
        if _tells_countries(reader):
            return GeoIP(reader)
    except OSError as error:
        why = error.strerror or "it can't be opened"
        _refuse(why, "`geoip` names an .mmdb file; a relative path begins beside the settings file", settings, problems)
    except _BROKEN:
        _refuse("this is no MaxMind database, or a broken one", "download it again", settings, problems)
    else:
        _refuse("it tells no countries", "take a database of countries or cities", settings, problems)
    return None


def _tells_countries(reader: Reader) -> bool:
    """Whether any of the first networks has a country. Lets go of the file where not."""
    try:
        tells = any(_place(record) is not None for _, record in islice(reader, _TRIED_NETWORKS))
    except _BROKEN:
        reader.close()
        raise
    if not tells:
        reader.close()
    return tells


def check_geoip(settings: Settings, problems: Problems) -> None:
    """Say why the database that the setting `geoip` names can't be used, where it can't."""
    geoip = open_geoip(settings, problems)
    if geoip is not None:
        geoip.close()


def _refuse(why: str, hint: str, settings: Settings, problems: Problems) -> None:
    assert settings.geoip is not None
    inside = settings.geoip.is_relative_to(settings.root)
    named = settings.geoip.relative_to(settings.root) if inside else settings.geoip
    problems.error("E258", f"the GeoIP database {quoted(str(named))} can't be used: {why}", hint=hint)


def _public_address(client: object) -> IPv4Address | IPv6Address | None:
    if not isinstance(client, tuple | list) or not client:
        return None
    try:
        address = ip_address(client[0])
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # as servers that listen to both write it
    return None if address.is_private else address


def _place(record: object) -> Place | None:
    country = _text(_part(record, "country"), "iso_code")
    if country is None:
        return None
    regions = record.get("subdivisions") if isinstance(record, Mapping) else None
    region = regions[0] if isinstance(regions, list) and regions else None
    return Place(country, _english(region), _english(_part(record, "city")))


def _english(named: object) -> str | None:
    return _text(_part(named, "names"), "en")


def _part(record: object, key: str) -> object:
    return record.get(key) if isinstance(record, Mapping) else None


def _text(record: object, key: str) -> str | None:
    value = _part(record, key)
    return value if isinstance(value, str) and value else None
