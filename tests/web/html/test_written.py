"""What we take for a slot is what a parser takes for that element: the oracle is lexbor, a browser's parser."""

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from personalize.web.html.pieces import Copy, Piece, Slot
from personalize.web.html.scanner import Scanner
from tests.trust.trials import IS_LONG, trials

HTML = Path(__file__).parents[4] / "shared" / "data" / "html"
needs_html = pytest.mark.skipif(not HTML.is_dir(), reason="needs the public pages of ../shared/data/html")


def pieces_of(page: bytes, size: int) -> list[Piece]:
    scanner = Scanner(token=b"0123456789abcdef0123", known={"hero"}.__contains__)
    return [piece for at in range(0, len(page), size) for piece in scanner.feed(page[at : at + size])] + scanner.close()


def filled(pieces: list[Piece]) -> bytes:
    return b"".join(p.data if isinstance(p, Copy) else p.open + b"FILLED" + p.close for p in pieces if p.data)


def text_of_slot(page: bytes) -> str:
    """The text inside of the element that carries the slot, as a parser sees it; empty without one."""
    element = LexborHTMLParser(page.decode("utf-8", "replace")).css_first("[data-slot=hero]")
    return element.text(deep=True) if element is not None else ""


def check(page: bytes) -> bool:
    """Fills a page whose slot is followed by AFTER. Whether there was something to fill."""
    pieces = pieces_of(page, len(page))
    slots = [piece for piece in pieces if isinstance(piece, Slot)]
    if not slots:
        return False
    assert "AFTER" not in text_of_slot(page), "the slot would reach further than we think"
    assert "INSIDE" in text_of_slot(page) or b"INSIDE" not in slots[0].inside
    assert text_of_slot(filled(pieces)) == "FILLED"
    return True


ODDS_AND_ENDS = (
    "<div> </div> <p> </p> <b> </b> <i> </i> <a> </a> <ul> </ul> <li> </li> <table> </table> <tr> </tr> <td> </td> "
    "<tbody> <caption> </caption> <th> <colgroup> <col> </colgroup> <span> </span> <h1> </h1> <h2> </h2> <section> "
    "</section> <form> </form> <button> </button> <select> </select> <option> </option> <svg> </svg> <math> </math> "
    "<mi> </mi> <foreignObject> </foreignObject> <title> </title> <style> </style> <script> </script> <!-- --> --!> "
    "<![CDATA[ ]]> <template> </template> <textarea> </textarea> <iframe> </iframe> <xmp> </xmp> <br> <hr> <input> "
    "<dl> <dd> <dt> </dl> <ruby> <rt> </ruby> <nobr> </nobr> <x-y> </x-y> <g> </g> <path/> <desc> </desc> <object> "
    "</object> <font> </font> <pre> </pre> <label> </label> <details> <summary> </summary> </details> <?x> </_> < "
    "&lt; \" ' <a\ttitle=' <a\ttitle=\" '> \"> <b\tx=y/> word </body> <body> <html> <!doctype> <hr/>"
)
PARTS = st.sampled_from(ODDS_AND_ENDS.split(" "))
NESTED = st.recursive(
    PARTS | st.just("word"),
    lambda inner: st.builds(
        lambda pair, parts: f"{pair[0]}{''.join(parts)}{pair[1]}",
        st.sampled_from(
            [
                *(("<div>", "</div>"), ("<p>", "</p>"), ("<p>", ""), ("<b>", "</b>"), ("<span>", "</span>")),
                *(("<ul><li>", "</ul>"), ("<li>", ""), ("<table><tr><td>", "</table>"), ("<td>", "</td>")),
                *(("<svg><g>", "</g></svg>"), ("<a title='x>y'>", "</a>"), ("<script>'", "'</script>")),
                *(("<select><option>", "</select>"), ("<form>", "</form>"), ("<template>", "</template>")),
            ]
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
MARKUP = st.lists(NESTED, max_size=4).map("".join)
EXAMPLES = trials(250, 20_000)
ELEMENTS = st.sampled_from(["div", "section", "ul", "span", "h2", "a", "b", "x-y", "details", "address"])


@pytest.mark.trust(tries=EXAMPLES)
@given(before=MARKUP, inside=MARKUP, element=ELEMENTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_slot_ends_where_a_parser_ends_its_element(before: str, inside: str, element: str) -> None:
    """Whatever stands before and in it: a slot in doubt may stay unfilled, but none is filled wrongly."""
    assume("data-slot" not in before)
    check(f"{before}<{element} data-slot=hero>INSIDE{inside}</{element}>AFTER".encode())


WELL_NESTED = st.recursive(
    st.sampled_from(["word", "<br>", "<img alt='>'>", "<!-- </div> -->", "<svg><path/></svg>", 'it\'s "so"']),
    lambda inner: st.builds(
        lambda name, parts: f"<{name}>{''.join(parts)}</{name}>",
        st.sampled_from(["div", "section", "em", "article", "blockquote"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(before=WELL_NESTED, inside=WELL_NESTED)
@settings(max_examples=200, deadline=None)
def test_a_slot_in_sound_markup_is_always_filled(before: str, inside: str) -> None:
    assert check(f"{before}<div data-slot=hero>INSIDE{inside}</div>AFTER".encode())


@pytest.mark.parametrize("name", [b"pcript", b"mitle", b"ntyle", b"nextarea"])
def test_a_name_that_is_almost_one_that_matters_is_an_element_like_any(name: bytes) -> None:
    page = b"<p>Some text that goes on for a while, and then for a while more, without an end.</p>"
    page += b"<%b><table></%b></SCRIPT></TITLE></STYLE></TEXTAREA>" % (name, name)
    slot = b"<div data-slot=hero>INSIDE</div>"
    assert filled(pieces_of(page + slot, len(page + slot))) == page + slot, "it stands in a table, but in no cell"
    ended = page + b"</table>" + slot
    assert filled(pieces_of(ended, len(ended))) == ended.replace(b"INSIDE", b"FILLED")


def broken_markup() -> Iterator[bytes]:
    """The inputs of html5lib's tree construction tests: broken markup of every kind."""
    with tarfile.open(HTML / "html5lib-tree-construction.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".dat") else None
            for part in file.read().split(b"#data\n")[1:] if file is not None else ():
                yield part.partition(b"\n#errors")[0]


@pytest.mark.shared_data
@needs_html
def test_no_broken_markup_around_or_in_a_slot_misleads() -> None:
    found = 0
    for markup in broken_markup():
        # The oracle runs no scripts, so it reads on inside of <noscript> where browsers do not.
        if b"<noscript" not in markup:
            found += check(markup + b"<div data-slot=hero>INSIDE</div>AFTER")
            found += check(b"<div data-slot=hero>INSIDE" + markup + b"</div>AFTER")
            found += check(b"<p><span data-slot=hero>INSIDE" + markup + b"</span>AFTER")
    assert found > 1_500


def inputs_of_tokenizers() -> Iterator[bytes]:
    """The inputs of html5lib's tokenizer tests, in whatever state they begin."""
    with tarfile.open(HTML / "html5lib-tests.tar.gz") as archive:
        for member in archive:
            is_of_tokenizer = member.name.startswith("tokenizer/") and member.name.endswith(".test")
            file = archive.extractfile(member) if is_of_tokenizer else None
            for test in json.load(file).get("tests", ()) if file is not None else ():
                text = test["input"]
                text = text.encode().decode("unicode-escape") if test.get("doubleEscaped") else text
                yield text.encode("utf-8", "replace")


@pytest.mark.shared_data
@needs_html
def test_what_tokenizers_stumble_over_passes_unchanged_and_misleads_nobody() -> None:
    count = found = 0
    for text in inputs_of_tokenizers():
        count += 1
        assert filled(pieces_of(text, 1 + count % 7)) == text
        if b"noscript" not in text.lower() and (IS_LONG or count % 2):
            found += check(text + b"<div data-slot=hero>INSIDE</div>AFTER")
            found += count % 4 == 0 and check(b"<div data-slot=hero>INSIDE" + text + b"</div>AFTER")
    assert count > 6_500
    assert found > 2_000


@pytest.mark.shared_data
@needs_html
def test_real_pages_pass_unchanged_and_are_filled_only_in_their_slot() -> None:
    slot = b"<div data-slot=hero>INSIDE</div>"
    for number, path in enumerate(sorted((HTML / "article-extraction-benchmark" / "html").glob("*.html.gz"))):
        page = gzip.decompress(path.read_bytes())
        assert all(isinstance(piece, Copy) for piece in pieces_of(page, len(page))), path.name
        end = page.lower().rindex(b"</body")
        with_slot = page[:end] + slot + page[end:]
        for size in (len(with_slot), 4096) if IS_LONG or number % 4 == 0 else (len(with_slot),):
            expected = page[:end] + slot.replace(b"INSIDE", b"FILLED") + page[end:]
            assert filled(pieces_of(with_slot, size)) == expected, path.name
