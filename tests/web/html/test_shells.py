"""Pages whose bytes came before are not scanned again, and those that never come again cost no memory."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from personalize.rules.definitions import Placement
from personalize.web.html.doubts import Doubt
from personalize.web.html.shells import Shell, Shells

TOKEN = b"0123456789abcdefabcd"
PAGE = b"<h1>%d</h1><section data-slot=hero>Default</section>"


class Hero:
    """A rule set of one slot."""

    version = "v1"
    placements: Mapping[str, Placement] = MappingProxyType({})

    def knows(self, slot_id: str) -> bool:
        return slot_id == "hero"


def shell_of(shells: Shells, number: int, path: str = "/") -> Shell:
    shell = shells.shell(PAGE % number, path, "text/html", Hero())
    assert shell.body == PAGE % number and shell.layout.slot_ids == ("hero",)
    return shell


def scanned(shells: Iterable[Shell]) -> int:
    """How many pages were scanned for these shells: each time it is another one."""
    return len({id(shell): shell for shell in shells})


def test_a_page_that_came_twice_is_not_scanned_again_wherever_it_comes() -> None:
    shells = Shells(TOKEN)
    assert scanned([shell_of(shells, 1, path) for path in ("/", "/", "/", "/elsewhere")]) == 2


def test_pages_that_are_ever_new_are_scanned_and_soon_not_remembered() -> None:
    shells = Shells(TOKEN)
    assert scanned([shell_of(shells, number) for number in range(2_000)]) == 2_000
    assert len(shells._seen) < 400 and not shells._kept


def test_where_pages_were_ever_new_one_that_stays_is_remembered_before_long() -> None:
    shells = Shells(TOKEN)
    for number in range(500):
        shell_of(shells, number)
    assert scanned([shell_of(shells, 7) for _ in range(100)]) <= 18


def test_however_many_paths_there_are_few_are_counted() -> None:
    shells = Shells(TOKEN)
    for number in range(3_000):
        shell_of(shells, number, f"/{number}")
    shell_of(shells, 1, "/" + "x" * 10_000)
    assert len(shells._news) <= 1_000 and max(map(len, shells._news)) < 600


def test_the_same_bytes_of_another_encoding_are_read_anew() -> None:
    shells, page = Shells(TOKEN), b"<section data-slot=hero>Default</section>"
    for content_type, encoding in (("text/html", "utf-8"), ("text/html; charset=latin-1", "iso8859-1")) * 3:
        assert shells.shell(page, "/", content_type, Hero()).encoding == encoding
    assert shells.shell(page, "/", "text/html; charset=utf-16", Hero()).layout.slot_ids == ()


def test_a_slot_before_the_byte_that_tells_the_encoding_stays_as_it_is() -> None:
    page = b"<section data-slot=hero>Default</section><meta charset=utf-8><p>And more"
    shell = Shells(TOKEN).shell(page, "/", "text/html", Hero())
    assert shell.doubts == {"hero": Doubt.EARLY} and shell.layout.slot_ids == ()
