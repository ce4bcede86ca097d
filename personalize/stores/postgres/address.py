"""Where a PostgreSQL store lies: the address that a setting names, and what of it may be said aloud."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

#: Where our tables stand if the address names no other place: beside those of the site, not among them.
OWN_SCHEMA = "personalize"


@dataclass(frozen=True, slots=True)
class Address:
    """A database, and the schema in it that holds our tables. `dsn` may carry a password: it is shown nowhere."""

    dsn: str = field(repr=False)
    schema: str
    #: Hosts, ports and database, for messages.
    place: str

    def __str__(self) -> str:
        return self.place


def address_of(url: str) -> Address:
    """The address in `postgresql://user:password@host:5432/shop?schema=personalize`.

    All that libpq takes behind the question mark is passed on (`sslmode`, `host` …), but for `schema`. Raises
    ValueError with a reason that quotes nothing.
    """
    parts = urlsplit(url)
    # An @ behind the host is one of a password with a slash or a question mark in it, of which a part is no host.
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("write /, ?, # and @ in a password as %2F, %3F, %23 and %40")
    if parts.fragment:
        raise ValueError("nothing may stand behind a #; in a password it is written %23")
    named = dict(parse_qsl(parts.query, keep_blank_values=True))
    schema = named.pop("schema", OWN_SCHEMA)
    if not schema or "\0" in schema or len(schema.encode()) > 63:
        raise ValueError("the name of a schema has 1 to 63 bytes")
    hosts = parts.netloc.rpartition("@")[2] or named.get("host", "")
    for host in hosts.split(","):
        port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else "5432"
        if not port.isdecimal():
            raise ValueError("a port is a number")
    dsn = SplitResult("postgresql", parts.netloc, parts.path, urlencode(named), "").geturl()
    return Address(dsn, schema, f"postgresql://{hosts}{parts.path}")
