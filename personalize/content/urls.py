"""Which addresses content may hold: of the web, or of the site itself; nothing that runs."""

import re
from html import unescape

WEB_SCHEMES = frozenset({"http", "https"})
LINK_SCHEMES = WEB_SCHEMES | {"mailto"}

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"'`{}|^\u2028\u2029\ud800-\udfff]")
_IGNORED_BY_BROWSERS = re.compile(r"[\t\n\r]")
_CONTROLS_AND_BLANK = "".join(map(chr, range(0x21)))


def scheme_of(written: str) -> str | None:
    """The scheme that a browser would see in the value of an attribute as written; None for a relative address."""
    seen = _IGNORED_BY_BROWSERS.sub("", unescape(written).lstrip(_CONTROLS_AND_BLANK))
    found = _SCHEME.match(seen)
    return None if found is None else found[1].lower()


def what_is_wrong_with_address(address: str) -> str | None:
    """A sentence on why a field may not hold this address, or None when it may.

    Allowed are `https://…`, `http://…` and addresses of the site itself: `/tents`, `?page=2`, `#sizes`.
    """
    if (found := _NEVER_IN_AN_ADDRESS.search(address)) is not None:
        return f"an address cannot hold {_named(found[0])}"
    scheme = scheme_of(address)
    if scheme is None:
        return _wrong_with_site_address(address)
    if scheme not in WEB_SCHEMES:
        return f'an address cannot begin with "{scheme}:"'
    host = address[len(scheme) + 1 :]
    if not re.match(r"//[^/?#@]+(?:[/?#]|$)", host):
        return f'a host name is expected after "{scheme}://"'
    return None


def _wrong_with_site_address(address: str) -> str | None:
    if address.startswith("//"):
        return 'an address that begins with "//" leads to another site'
    if not address.startswith(("/", "?", "#")):
        return 'an address of the site begins with "/", one of another site with "https://"'
    return None


def _named(character: str) -> str:
    if character.isprintable() and not character.isspace():
        return f"the character {character}"
    return "a blank" if character == " " else f"the character U+{ord(character):04X}"
