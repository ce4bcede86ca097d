"""Which encoding a page is in, and which pages are left alone for it."""

import html
import re
import tarfile
from pathlib import Path

import pytest

from personalize.web.html.charset import page_encoding

META = b"<!doctype html><meta charset=%b>"
XML = b'<?xml version="1.0" encoding="%b"?>\n'


@pytest.mark.parametrize(
    ("content_type", "first_bytes", "encoding"),
    [
        ("text/html", b"<p>", "utf-8"),
        ("text/html; charset=ISO-8859-1", b"<p>", "iso8859-1"),
        ('text/html;charset="windows-1252"; x=y', b"<p>", "cp1252"),
        ("TEXT/HTML; CHARSET = Shift_JIS", b"<p>", "cp932"),
        ("text/html; charset=x-sjis", b"<p>", "cp932"),
        ("text/html; charset=gb18030", b"<p>", "gb18030"),
        ("text/html; charset=utf8", META % b"iso-8859-1", "utf-8"),
        ("text/html; charset=iso-8859-1", b"\xef\xbb\xbf<p>", "utf-8"),
        ("text/html", META % b"iso-8859-1", "iso8859-1"),
        ("text/html", META % b"'koi8-r'", "koi8-r"),
        ("text/html", b'<meta http-equiv=Content-Type content="text/html; charset=euc-jp">', "euc_jp"),
        ("text/html", b"<!-- <meta charset=latin1> --><meta charset=euc-kr>", "cp949"),
        ("text/html", b" " * 1020 + b"<meta charset=latin1>", "utf-8"),
        ("text/html", META % b"utf-16", "utf-8"),
        ("text/html; charset=utf-8", b"a\x00b<p>", "utf-8"),
        ("text/html", META % b"nonsense" + META % b"latin1", "iso8859-1"),
        ("text/html; charset=nonsense", META % b"latin1", "iso8859-1"),
        ("text/html; charset=windows-874", META % b"latin1", "cp874"),
        ("text/html; charset=x-mac-cyrillic", META % b"latin1", "mac-cyrillic"),
        ("text/html; charset=logical", META % b"latin1", "iso8859-8"),
        ("text/html; charset=x-user-defined", META % b"latin1", "ascii"),
        ("text/html; charset=unicode11utf8", META % b"latin1", "utf-8"),
        ("text/html; charset=rot13", b"<p>", "utf-8"),
        ("text/html; charset=idna", b"<p>", "utf-8"),
        ("text/html; charset=utf_8_sig", META % b"latin1", "iso8859-1"),
        ("text/html; charset=\x00", b"<p>", "utf-8"),
        ("text/html; charset=", b"<p>", "utf-8"),
        ("", b"", "utf-8"),
        ("text/html", XML % b"windows-1252", "cp1252"),
        ("text/html", b"<?xml version='1.0' encoding = 'KOI8-R' standalone='yes'?>", "koi8-r"),
        ("text/html", XML % b"latin1" + META % b"koi8-r", "koi8-r"),
        ("text/html; charset=utf-8", XML % b"latin1", "utf-8"),
        ("text/html", XML % b"utf-16", "utf-8"),
        ("text/html", XML % b"nonsense", "utf-8"),
        ("text/html", b"\n" + XML % b"latin1", "utf-8"),
        ("text/html", b'<?xml encoding="latin1"', "utf-8"),
    ],
)
def test_the_most_certain_word_on_the_encoding_counts(content_type: str, first_bytes: bytes, encoding: str) -> None:
    assert page_encoding(content_type, first_bytes) == encoding
    assert "<b a=\"'/>".encode(encoding) == b"<b a=\"'/>"


@pytest.mark.parametrize(
    ("content_type", "first_bytes"),
    [
        ("text/html", b"\xff\xfe<\x00"),
        ("text/html", b"\xfe\xff\x00<"),
        ("text/html", b"\xff\xfe\x00\x00"),
        ("text/html", b"\x00\x00\xfe\xff"),
        ("text/html", b"<\x00p\x00"),
        ("text/html; charset=utf-16", b"<p>"),
        ("text/html; charset=UTF-16LE", b"<p>"),
        ("text/html; charset=utf-32", b"<p>"),
        ("text/html; charset=utf-7", b"<p>"),
        ("text/html; charset=iso-2022-jp", b"<p>"),
        ("text/html; charset=hz-gb-2312", b"<p>"),
        ("text/html; charset=iso-2022-kr", b"<p>"),
        ("text/html; charset=replacement", b"<p>"),
        ("text/html; charset=csUnicode", b"<p>"),
        ("text/html; charset=unicodeFFFE", b"<p>"),
        ("text/html; charset=iso-10646-ucs-2", b"<p>"),
        ("text/html", META % b"iso-2022-jp"),
        ("text/html", XML % b"iso-2022-jp"),
    ],
)
def test_a_page_that_cannot_be_searched_by_bytes_is_left_alone(content_type: str, first_bytes: bytes) -> None:
    assert page_encoding(content_type, first_bytes) is None


#: A few of the labels of the Encoding standard, by Python's name for what they mean there, and a word to write in it.
MEANT = {
    "big5hkscs": ("big5 big5-hkscs csbig5 cn-big5", "價格 Цена"),
    "euc_jp": ("cseucpkdfmtjapanese euc-jp", "値段"),
    "cp949": ("euc-kr korean ks_c_5601-1987 windows-949 cseuckr", "가격 똠"),
    "gb18030": ("chinese gb2312 gbk csgb2312 iso-ir-58", "价格"),
    "cp932": ("csshiftjis ms_kanji shift_jis sjis windows-31j x-sjis", "値段 ¥1,200"),
    "cp1252": ("ascii iso-8859-1 l1 latin1 x-cp1252 us-ascii", "größe"),
    "cp1254": ("latin5 iso-8859-9 l5", "ışık"),
    "cp874": ("tis-620 dos-874 iso-8859-11", "ราคา"),
    "koi8-r": ("koi koi8 cskoi8r", "цена"),
    "cp1251": ("x-cp1251 windows-1251", "цена"),
}


@pytest.mark.parametrize("meant", MEANT)
def test_what_is_written_under_any_label_is_read_by_a_browser(meant: str) -> None:
    labels, word = MEANT[meant]
    for label in labels.split():
        encoding = page_encoding(f"text/html; charset={label}", b"")
        assert encoding is not None
        written = word.encode(encoding, "xmlcharrefreplace")
        assert html.unescape(written.decode(meant)) == word, label


@pytest.mark.shared_data
def test_a_declaration_in_the_page_is_found_where_browsers_find_it(shared_data: Path) -> None:
    count = 0
    with tarfile.open(shared_data / "html" / "html5lib-tests.tar.gz") as archive:
        for member in archive:
            if re.fullmatch(r"encoding/[a-z0-9-]+\.dat", member.name):
                file = archive.extractfile(member)
                assert file is not None
                for part in file.read().split(b"#data\n")[1:]:
                    page, _, label = part.partition(b"\n#encoding\n")
                    expected = page_encoding(f"text/html; charset={label.strip().decode()}", b"")
                    # Without a declaration we say UTF-8; and browsers read on, and change their mind.
                    found = page_encoding("text/html", page)
                    count += 1
                    late = found == "utf-8" and b"charset" not in page[:1024].replace(b"<!-- ", b"")
                    assert found == expected or {found, expected} <= {"utf-8", "cp1252", "iso8859-1"} or late, page
    assert count > 70
