"""What stands in a public page where a slot is: the page's own markup, and what brings the visitor's in its place.

Whoever does not compose the page, an edge that is left out or a browser without scripts, shows the page's own markup.
"""

import re
from typing import Protocol

#: Longer addresses leave the slot as the page has it: servers refuse requests with very long lines.
LONGEST_ESI_ADDRESS = 6_000
LONGEST_SSI_ADDRESS = 1_000
_READ_BY_ESI = re.compile(rb"</?esi:|<!--esi|<!\[CDATA\[", re.IGNORECASE)


class Include(Protocol):
    """One of the ways.

    `carries_default` says that the answer has to hold the page's own markup where that stays. `writes_comments` says
    that browsers are to read comments, which are such only where markup stands.
    """

    carries_default: bool
    writes_comments: bool

    def around(self, slot_id: str, inside: bytes, address: str, number: int) -> bytes | None:
        """The bytes in the place of `inside`, for the slot that is the page's `number`th; None where none are safe."""


class EsiInclude:
    """For Varnish and Fastly: the edge puts in what the address answers, and takes the page's own out.

    Without such an edge, the include is a comment and `<esi:remove>` an element that means nothing to a browser.
    """

    carries_default = True
    writes_comments = False

    def around(self, slot_id: str, inside: bytes, address: str, number: int) -> bytes | None:
        """None where the page's own markup has ESI in it, which does not nest, or is too long for an address."""
        if _READ_BY_ESI.search(inside) or len(address) > LONGEST_ESI_ADDRESS:
            return None
        return b'<!--esi<esi:include src="%b"/>--><esi:remove>%b</esi:remove>' % (address.encode("ascii"), inside)


class SsiInclude:
    """For nginx: where the answer is empty or fails, nginx shows the page's own markup, which stands in the block."""

    carries_default = False
    writes_comments = False

    def around(self, slot_id: str, inside: bytes, address: str, number: int) -> bytes | None:
        """None where the page's own markup has SSI in it, or the address is longer than our configuration allows."""
        if b"<!--#" in inside or len(address) > LONGEST_SSI_ADDRESS:
            return None
        return b'<!--# block name="pz%d" -->%b<!--# endblock --><!--# include virtual="%b" stub="pz%d" -->' % (
            number,
            inside,
            address.encode("ascii"),
            number,
        )


class ScriptInclude:
    """For our script: the page's own markup stays, between two comments by which it is found."""

    carries_default = False
    writes_comments = True

    def around(self, slot_id: str, inside: bytes, address: str, number: int) -> bytes | None:
        """The address is of no use: the script asks for all slots at once."""
        return b"<!--pz %b-->%b<!--/pz-->" % (slot_id.encode("ascii"), inside)
