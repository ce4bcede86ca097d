"""In which character encoding a page is written, and whether bytes of it can be searched at all."""

import codecs
import re
from functools import lru_cache

_FIRST_BYTES = 1024
_REMEMBERED = 256
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, None), (codecs.BOM_UTF16_BE, None))
_FIRST_OF_MARKS = frozenset(mark[:1] for mark, _ in _BYTE_ORDER_MARKS)
_IN_HEADER = re.compile(r";\s*charset\s*=\s*(?:\"([^\"]*)\"?|([^\s;\"]+))", re.IGNORECASE)
_META = re.compile(
    rb"<!--.*?-->|<meta[\s/](?=[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+))[^>]*>", re.IGNORECASE | re.DOTALL
)
#: Encodings, by Python's names, in which every byte below 128 that stands alone is that ASCII character.
_LIKE_ASCII = re.compile(
    r"utf-8(?:-sig)?|ascii|iso8859-\d+|cp(?:125\d|866|874|93[26]|949|950)|koi8-[rut]|mac-\w+|tis-620"
    r"|shift_jis\w*|euc_\w+|gbk|gb2312|gb18030|big5\w*"
)
#: Encodings that shift or widen ASCII, so that a search for bytes finds what is none, or nothing.
_UNLIKE_ASCII = re.compile(
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
_ALIASES = {label: name for name, labels in _LABELS.items() for label in labels.split()}


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
    if b"\0" in first_bytes[:4]:
        return None
    label = _label_in(content_type)
    return _encoding_of(label) if label is not None else _encoding_in(first_bytes)


@lru_cache(maxsize=_REMEMBERED)
def _label_in(content_type: str) -> str | None:
    """The encoding that a header names, if anybody knows it."""
    found = _IN_HEADER.search(content_type)
    label = (found[1] or found[2] or "") if found is not None else ""
    return label if _UNLIKE_ASCII.match(label.strip()) or _known(label) else None


@lru_cache(maxsize=_REMEMBERED)
def _encoding_of(label: str) -> str | None:
    """What that is for `str.encode`, None where markup can't be found in it by its bytes."""
    return None if _UNLIKE_ASCII.match(label.strip()) else _known(label)


def _encoding_in(first_bytes: bytes) -> str | None:
    for meta in _META.finditer(first_bytes[:_FIRST_BYTES]):
        label = (meta[1] or b"").decode("ascii", "replace")
        if label.lower().startswith("utf-16"):
            return "utf-8"  # A page whose <meta> can be read is not in UTF-16, whatever it says.
        if _UNLIKE_ASCII.match(label):
            return None
        known = _known(label)
        if known is not None:
            return known
    return "utf-8"


def _known(label: str) -> str | None:
    label = label.strip().lower()
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
    except (LookupError, ValueError):
        return None
    return name if _LIKE_ASCII.fullmatch(name) else None
