"""In which character encoding a page is written, and whether bytes of it can be searched at all."""

import codecs
import re
from functools import lru_cache
from typing import Final

from personalize.web.html.tags import BLANK, TAG, attributes_of

_FIRST_BYTES: Final = 1024
_REMEMBERED = 256
_BYTE_ORDER_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, None), (codecs.BOM_UTF16_BE, None))
_MARKS: Final = tuple(mark for mark, _ in _BYTE_ORDER_MARKS)
_LONGEST_MARK: Final = max(map(len, _MARKS))
_FIRST_OF_MARKS: Final = frozenset(mark[:1] for mark, _ in _BYTE_ORDER_MARKS)
_IN_HEADER: Final = re.compile(r";\s*charset\s*=\s*(?:\"([^\"]*)\"?|([^\s;\"]+))", re.IGNORECASE)
# What a browser looks over in the first bytes: comments, tags, and what begins like one (HTML standard, 13.2.3.2).
_PRESCAN: Final = re.compile(rb"<!--(?:-?>|.*?-->|.*)|%b|<[!/?][^>]*+>" % TAG.pattern, re.DOTALL)
# The declaration of XML, by which browsers go where nothing else tells (the same, "get an XML encoding").
_XML: Final = re.compile(rb"<\?xml[^>]*?encoding[\0- ]*=[\0- ]*([\"'])([!-~]*?)\1[^>]*+>")
_IN_CONTENT: Final = re.compile(rb"charset[%b]*=[%b]*(?:\"([^\"]*)\"|'([^']*)'|([^%b;\"']+))" % (BLANK, BLANK, BLANK))
#: Encodings, by Python's names, in which every byte below 128 that stands alone is that ASCII character.
_LIKE_ASCII: Final = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp(?:125\d|866|874|93[26]|949|950)|koi8-[rut]|mac-\w+|tis-620"
    r"|shift_jis\w*|euc_\w+|gbk|gb2312|gb18030|big5\w*"
)
#: Encodings that shift or widen ASCII, so that a search for bytes finds what is none, or nothing.
_UNLIKE_ASCII: Final = re.compile(
    r"utf-?_?(?:7|16|32)|ucs|iso-?_?2022|csiso2022|hz|iso-10646|(?:cs)?unicode\Z|unicodef|replacement", re.IGNORECASE
)
#: Labels of the standard (Encoding, 4.2) that Python does not know, by Python's names for what they mean.
_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "ascii": "x-user-defined",
    "iso8859-1": "iso88591",
    "iso8859-2": "iso88592",
    "iso8859-6": "csiso88596e csiso88596i iso-8859-6-e iso-8859-6-i",
    "iso8859-7": "sun_eu_greek",
    "iso8859-8": "csiso88598e csiso88598i iso-8859-8-e iso-8859-8-i logical visual",
    "iso8859-11": "iso885911",
    "iso8859-15": "csisolatin9",
    "koi8-r": "koi koi8",
    "mac-roman": "csmacintosh mac x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "dos-874 windows-874",
    **{f"cp125{number}": f"x-cp125{number}" for number in range(9)},
    "cp932": "windows-31j",
    "cp949": "cseuckr csksc56011987 iso-ir-149 ks_c_5601-1989 ksc_5601 windows-949",
    "gbk": "csgb2312 gb_2312 gb_2312-80 x-gbk",
    "big5": "cn-big5 x-x-big5",
    "euc_jp": "cseucpkdfmtjapanese x-euc-jp",
    "shift_jis": "x-sjis",
}
#: Python's encodings that write a letter as bytes which browsers read as another one, and those that don't.
_AS_BROWSERS_READ: Final = {"shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs", "gb2312": "gbk"}
_LABEL: Final = re.compile(r"[a-z0-9._:+-]+")
_ALIASES: Final = {label: name for name, labels in _LABELS.items() for label in labels.split()}


def page_encoding(content_type: str, first_bytes: bytes) -> str | None:
    """The encoding of a page for `str.encode`, from its `Content-Type` and its first bytes.

    A byte order mark counts before the header, the header before a `<meta>` in the first 1024 bytes; without
    any it is UTF-8. None for encodings in which markup can't be found by its bytes: UTF-16, UTF-32, UTF-7,
    ISO-2022, HZ. Names that nobody knows are passed over (HTML standard, 13.2.3).
    """
    if first_bytes[:1] in _FIRST_OF_MARKS:
        for mark, encoding in _BYTE_ORDER_MARKS:
            if first_bytes.startswith(mark):
                return encoding
    label = _label_in(content_type)
    if label is not None:
        return _encoding_of(label)
    return None if first_bytes.find(b"\0", 0, 4) >= 0 else _encoding_in(first_bytes)


def declared_until(content_type: str, first_bytes: bytes) -> int:
    """Where the `<meta>` ends that alone tells the encoding of a page: what grows before it could push it out of sight
    of browsers, which look at the first 1024 bytes. 0 where the header tells, a byte order mark, or nothing."""
    if _label_in(content_type) is not None or first_bytes.startswith(_MARKS):
        return 0
    declared = _declared(first_bytes)
    return declared[1] if declared is not None else 0


class EncodingInParts:
    """The encoding of a page that comes in parts. It is certain as soon as something declares it, and at the latest
    when the first 1024 bytes are there, or the end.

    `name` and `declared_until` are as the functions above tell them.
    """

    def __init__(self, content_type: str) -> None:
        self.name: str | None = None
        self.declared_until = 0
        self.is_certain = False
        self._content_type = content_type
        self._first_bytes = b""

    def read(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take what comes next."""
        if self.is_certain:
            return
        self._first_bytes += chunk[: _FIRST_BYTES - len(self._first_bytes)]
        self.name = page_encoding(self._content_type, self._first_bytes)
        self.declared_until = declared_until(self._content_type, self._first_bytes)
        self.is_certain = (
            is_last
            or len(self._first_bytes) >= _FIRST_BYTES
            or self.declared_until > 0
            or (_label_in(self._content_type) is not None and len(self._first_bytes) >= _LONGEST_MARK)
        )


@lru_cache(maxsize=_REMEMBERED)
def _label_in(content_type: str) -> str | None:
    """The encoding that a header names, if anybody knows it."""
    found = _IN_HEADER.search(content_type)
    label = (found[1] or found[2] or "") if found is not None else ""
    return label if _means_something(label.strip()) else None


@lru_cache(maxsize=_REMEMBERED)
def _encoding_of(label: str) -> str | None:
    """What that is for `str.encode`, None where markup can't be found in it by its bytes."""
    return None if _UNLIKE_ASCII.match(label.strip()) else _known(label)


def _encoding_in(first_bytes: bytes) -> str | None:
    declared = _declared(first_bytes)
    label = declared[0] if declared is not None else _label_in_xml(first_bytes)
    if not label or label.startswith("utf-16"):
        return "utf-8"  # A page whose <meta> can be read is not in UTF-16, whatever it says.
    return _encoding_of(label)


def _declared(first_bytes: bytes) -> tuple[str, int] | None:
    """What the first `<meta>` with a known label says, and where it ends."""
    for tag in _PRESCAN.finditer(first_bytes[:_FIRST_BYTES].lower()):
        if tag[2] == b"meta" and not tag[1]:
            label = _label_in_meta(tag[0])
            if _means_something(label):
                return label, tag.end()
    return None


def _label_in_xml(first_bytes: bytes) -> str:
    """The known label in a declaration of XML with which the page begins, else nothing."""
    declared = _XML.match(first_bytes, 0, _FIRST_BYTES)
    label = declared[2].decode("ascii").lower() if declared is not None else ""
    return label if _means_something(label) else ""


def _label_in_meta(tag: bytes) -> str:
    """The label in a `<meta charset>`, or in a `<meta http-equiv=content-type>`; else nothing."""
    found: dict[bytes, bytes] = {}
    for name, value in attributes_of(tag):
        found.setdefault(name, value)
    label = found.get(b"charset", b"")
    if b"charset" not in found and found.get(b"http-equiv") == b"content-type":
        content = _IN_CONTENT.search(found.get(b"content", b""))
        label = (content[1] or content[2] or content[3] or b"") if content is not None else b""
    return label.decode("ascii", "replace").strip()


def _means_something(label: str) -> bool:
    return _UNLIKE_ASCII.match(label) is not None or _known(label) is not None


def _known(label: str) -> str | None:
    label = label.strip().lower()
    if _LABEL.fullmatch(label) is None:
        return None  # Python would look over what does not belong there
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
    except (LookupError, ValueError):
        return None
    return _AS_BROWSERS_READ.get(name, name) if _LIKE_ASCII.fullmatch(name) else None
