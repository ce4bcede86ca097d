"""How fast slots are found and filled in a page, beside two libraries that rewrite HTML while it streams.

Pages of 20 and 200 KB with five slots, of two kinds: a shop's listing, and articles with scripts, comments, drawings
and tables. Everybody fills the same slots with the same markup, from bytes to bytes, and the answers are compared. Ours
finds marks of the slot tag, `data-slot` (which is what the peers look for, by a selector), and slots that a selector in
their definition finds. All cases run in one process, round by round in shuffled order; a figure is the median of the
rounds' CPU time, a ratio the median of the rounds' ratios.

    python -m benchmarks.scanner [--rounds 15]
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

import turbohtml.rewrite

from benchmarks.package_measured import say_what_is_measured
from personalize.rules.definitions import Placement
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import Scanner

TOKEN = "0123456789abcdef0123"
SLOTS = tuple(f"place-{number}" for number in range(1, 6))
MARKUP = {slot_id: f"<article><h2>For you, {slot_id}</h2><p>{'Words. ' * 35}</p></article>" for slot_id in SLOTS}
PLACEMENTS = {slot_id: Placement(f"section#{slot_id}", "inside") for slot_id in SLOTS}
DEFAULT = "<p>Default</p>"
CHUNK_BYTES = 4096
_CARD = '<li class="card"><a href="/p/{n}"><img src="/i/{n}.jpg" alt="">A thing to buy, number {n}</a></li>\n'
_WORDS = "<p>Text that goes on for a while, as it's their way: <em>thing</em> number {n}, 'quoted' & more.</p>\n"
_ARTICLE = (
    '<!-- article {n} --><article class="teaser" title="It\'s no. {n} > {n}"><h2><a href="/a/{n}">Title {n}</a></h2>\n'
    '<svg viewBox="0 0 9 9"><path d="M0 {n}"/></svg>' + 6 * _WORDS + "<table><tr><th>It's<td>{n}</tr></table>\n"
    "<script>if (a < {n} && b > 1) {{ show(\"<div class='x'>\" + '{n}') }}</script></article>\n"
)
Fill = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    """Somebody who fills a page."""

    name: str
    page: bytes
    fill: Fill


def page(row: str, size: int, slot: Callable[[str], str]) -> bytes:
    """A page of so many bytes, with five slots spread over it."""
    parts = ["<!doctype html><html lang=en><head><title>Shop</title></head><body>"]
    rows = size // (len(SLOTS) + 1) // len(row.format(n=100))
    for number, slot_id in enumerate((*SLOTS, ""), start=1):
        parts += [row.format(n=number * 100 + at) for at in range(rows)]
        parts.append(slot(slot_id) if slot_id else "</body></html>")
    return "".join(parts).encode()


def tagged(slot_id: str) -> str:
    """A slot as the slot tag writes it."""
    return open_mark(TOKEN, slot_id) + DEFAULT + close_mark(TOKEN)


def written(slot_id: str) -> str:
    """A slot on an element."""
    return f'<section data-slot="{slot_id}">{DEFAULT}</section>'


def unmarked(slot_id: str) -> str:
    """An element that a selector finds."""
    return f'<section id="{slot_id}">{DEFAULT}</section>'


async def markups(slot_ids: Sequence[str]) -> list[str | None]:
    """What everybody fills in."""
    return [MARKUP[slot_id] for slot_id in slot_ids]


def run(coroutine: Coroutine[None, None, bytes]) -> bytes:
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        filled: bytes = stopped.value
        return filled
    raise AssertionError("nothing here waits")


def ours(placements: Mapping[str, Placement] | None = None) -> Fill:
    """Our scanner and rewriter, on a page in one piece."""

    def fill(body: bytes) -> bytes:
        scanner = Scanner(token=TOKEN.encode(), known=MARKUP.__contains__, placements=placements or {})
        return run(Rewriter(scanner, markups, "utf-8").last(body))

    return fill


def ours_in_chunks(page: bytes) -> Fill:
    """The same, on this page as a site sends it that has it in pieces of 4 KB."""
    chunks = [page[at : at + CHUNK_BYTES] for at in range(0, len(page), CHUNK_BYTES)]

    async def rewritten() -> bytes:
        rewriter = Rewriter(Scanner(token=TOKEN.encode(), known=MARKUP.__contains__), markups, "utf-8")
        return b"".join([*[await rewriter.feed(chunk) for chunk in chunks], await rewriter.close()])

    return lambda _: run(rewritten())


def lol_html() -> Fill:
    """lol-html, which Cloudflare rewrites pages with, by its Python binding."""
    from lolhtml import ContentType, Element, HTMLRewriter  # noqa: PLC0415  a peer: in the extra `bench`

    class Filling:
        def element(self, element: Element) -> None:
            """Fill one element."""
            element.set_inner_content(MARKUP[element.get_attribute("data-slot") or ""], ContentType.HTML)

    def fill(body: bytes) -> bytes:
        parts: list[bytes] = []
        rewriter = HTMLRewriter(lambda part: parts.append(bytes(part)))
        rewriter.on("[data-slot]", Filling())
        rewriter.write(body)
        rewriter.end()
        return b"".join(parts)

    return fill


def _fill(element: turbohtml.rewrite.Element) -> None:
    element.set_content(MARKUP[element.get("data-slot") or ""], html=True)


def turbo() -> Fill:
    """turbohtml's rewriter, in C."""
    return lambda body: turbohtml.rewrite.rewrite(body.decode(), elements=[("[data-slot]", _fill)]).encode()


PEERS = {"lol-html": lol_html, "turbohtml": turbo}


def cases_of(row: str, size: int, peers: Sequence[str]) -> list[Case]:
    """Everybody, on pages of one kind and size. All but the slot tag's and the selector's are the same page."""
    marked, selected = page(row, size, written), page(row, size, unmarked)
    return [
        Case("token marks", page(row, size, tagged), ours()),
        Case("written marks", marked, ours()),
        Case("written marks in 4 KB", marked, ours_in_chunks(marked)),
        Case("selectors", selected, ours(PLACEMENTS)),
        *(Case(name, marked, PEERS[name]()) for name in peers),
    ]


def check(cases: Sequence[Case]) -> None:
    """Everybody fills the same."""
    expected = cases[1].fill(cases[1].page)
    for case in cases:
        filled = case.fill(case.page)
        assert all(filled.count(markup.encode()) == 1 for markup in MARKUP.values()), case.name
        assert case.page is not cases[1].page or filled == expected, case.name


def in_rounds(cases: Sequence[Case], rounds: int, times: int) -> dict[str, list[float]]:
    """CPU seconds of each case, round by round."""
    order = random.Random(1)
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in order.sample(list(cases), len(cases)):
            begin = time.process_time()
            for _ in range(times):
                case.fill(case.page)
            seconds[case.name].append((time.process_time() - begin) / times)
    return seconds


def report(title: str, cases: Sequence[Case], seconds: Mapping[str, Sequence[float]]) -> None:
    """Print what each takes, and how it compares with written marks in one piece."""
    print(f"{title:<30}{'us a page':>12}{'MB/s':>8}{'times written marks':>22}")
    for case in cases:
        figures, base = seconds[case.name], seconds["written marks"]
        ratio = statistics.median(one / other for one, other in zip(figures, base, strict=True))
        middle = statistics.median(figures)
        print(f"{case.name:<30}{middle * 1e6:>12.1f}{len(case.page) / middle / 1e6:>8.0f}{ratio:>22.2f}")
    print()


def main(rounds: int, times: int, peers: Sequence[str] = tuple(PEERS)) -> None:
    """Measure pages of each kind and size."""
    for kind, row in (("listing", _CARD), ("articles", _ARTICLE)):
        for size in (20_000, 200_000):
            cases = cases_of(row, size, peers)
            check(cases)
            report(f"{kind}, {size // 1000} KB", cases, in_rounds(cases, rounds, max(times * 20_000 // size, 1)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=100)
    arguments = parser.parse_args()
    say_what_is_measured()
    main(arguments.rounds, arguments.times)
