"""Addresses of fragments: what stands in a page that is the same for everybody, for one of its slots."""

import hashlib
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote

from itsdangerous import BadSignature, Signer

from personalize.web.html.marks import SLOT_ID
from personalize.web.request.page_address import PageAddress, read_page_address

#: How many slots that stand before one are told to it, so that no item stands on a page twice.
MOST_BEFORE = 20
_LONGEST_QUERY = 32_000
_MOST_PARAMETERS = 300


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one address asks for: the slots of a page, and what goes with them.

    `before` are slots that stand before them on the page and are decided first. `counts_page` says that this
    request tells of the page view. `default` is the page's own markup, empty where whoever asks has it. `is_ascii`
    says that the page is in another encoding than UTF-8.
    """

    page: PageAddress
    slot_ids: tuple[str, ...]
    before: tuple[str, ...] = ()
    counts_page: bool = False
    default: bytes = b""
    is_ascii: bool = False


class FragmentAddresses:
    """Writes the query strings of fragments and reads them back.

    The page's own markup travels along, packed and signed, so that every worker can answer with it at any time, and
    nobody can have the site say anything else. HMAC with SHA-256, by itsdangerous; `keys` are those of the cookies.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._signer = Signer(list(keys), salt="default of a slot", digest_method=hashlib.sha256)

    def query(self, slot_id: str, fragment: Fragment, *, with_default: bool) -> str:
        """The query string for this slot; it holds no character that markup or an edge would read otherwise."""
        parts = [f"p={quote(fragment.page.path, safe='/')}"]
        if fragment.before:
            parts.append(f"before={','.join(fragment.before)}")
        if fragment.counts_page:
            parts.append("view=1")
        if fragment.is_ascii:
            parts.append("ascii=1")
        if with_default:
            parts.append(f"d={self._packed(slot_id, fragment.default)}")
        return "&".join(parts)

    def read_slot(self, slot_id: str, query_string: bytes) -> Fragment | None:
        """What the address of one slot asks for; None where it is none of ours."""
        told = _parameters(query_string)
        page = None if told is None else read_page_address(_first(told, "p"))
        if told is None or page is None or SLOT_ID.fullmatch(slot_id) is None:
            return None
        return Fragment(
            page,
            (slot_id,),
            before=_slot_ids(_first(told, "before").split(","), MOST_BEFORE),
            counts_page="view" in told,
            default=self._unpacked(slot_id, _first(told, "d")),
            is_ascii="ascii" in told,
        )

    def _packed(self, slot_id: str, default: bytes) -> str:
        packed = urlsafe_b64encode(zlib.compress(default, 9)).rstrip(b"=")
        signature = self._signer.get_signature(slot_id.encode() + b":" + packed)
        return f"{packed.decode('ascii')}.{signature.decode('ascii')}"

    def _unpacked(self, slot_id: str, text: str) -> bytes:
        packed, point, _ = text.partition(".")
        if not point or not text.isascii():
            return b""
        try:
            self._signer.unsign(f"{slot_id}:{text}")
        except BadSignature:
            return b""
        return zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))


def read_slots(query_string: bytes, most: int, root_path: str) -> Fragment | None:
    """What our script asks for: the slots of a page, all at once, and where the visitor came from. It knows the page
    by the address in its browser, which begins with what the site is mounted at."""
    told = _parameters(query_string)
    page = None if told is None else read_page_address(_first(told, "p"), referrer=_first(told, "r"))
    if told is None or page is None:
        return None
    if root_path and page.path.startswith(f"{root_path}/"):
        page = replace(page, path=page.path.removeprefix(root_path))
    return Fragment(page, _slot_ids(told.get("s", ()), most), counts_page="view" in told)


def _parameters(query_string: bytes) -> dict[str, list[str]] | None:
    """Every value of each parameter; None where there is more than any page of ours would send."""
    if len(query_string) > _LONGEST_QUERY:
        return None
    told: dict[str, list[str]] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)[:_MOST_PARAMETERS]:
        told.setdefault(name, []).append(value)
    return told


def _first(told: dict[str, list[str]], name: str) -> str:
    return told.get(name, [""])[0]


def _slot_ids(named: Sequence[str], most: int) -> tuple[str, ...]:
    """The slots that are named, each once, in their order."""
    return tuple(dict.fromkeys(one for one in named if SLOT_ID.fullmatch(one)))[:most]
