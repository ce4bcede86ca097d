"""All pages for people: their links lead somewhere, and no block of them is run by nobody."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.blocks import blocks_in, blocks_of, pages
from tests.docs.console import is_as_promised, steps_of

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")

#: Blocks that stand for themselves, each held by a test of its page.
SHOWN_ONLY = {
    "README.md": {"sh"},
    "docs/api.md": {"js"},
    "docs/architecture.md": {"text"},
    "docs/messages.md": {"python", "text"},
    "docs/operators.md": {"sh"},
    "docs/performance.md": {"text"},
}
#: Pages whose parts of files are loaded by a test of their own.
PARTS = {
    "docs/editors.md": {"yaml"},
    "docs/operators.md": {"toml"},
    "rules/README.md": {"yaml"},
    "content/README.md": {"markdown"},
}


def anchors_of(page: Path) -> set[str]:
    """What a link may name in a page, as GitHub calls its headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    path = REPOSITORY / page
    text = CODE.sub("", FENCE.sub("", path.read_text(encoding="utf-8")))
    for target in LINK.findall(text):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), f"{page}: {target}"
        assert found.is_relative_to(REPOSITORY), f"{page}: {target}"
        assert not anchor or anchor in anchors_of(found), f"{page}: {target}"


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run_or_loaded_by_a_test(page: str) -> None:
    for block in blocks_of(page):
        held = SHOWN_ONLY.get(page, set()) | PARTS.get(page, set())
        has_test = block.language == "console" or block.file is not None or block.language in held
        assert has_test, f"{block.where}: a block of {block.language or 'no language'} that nobody runs"


@pytest.mark.parametrize("page", pages())
def test_a_page_says_nothing_of_how_it_came_about(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|Users|work)/", text), "a path of somebody's machine"
    assert not re.search(r"\bTODO\b|\bTBD\b|lorem", text)


@pytest.mark.parametrize("page", pages())
def test_lines_are_short_enough_to_read_in_a_terminal(page: str) -> None:
    text = FENCE.sub("", (REPOSITORY / page).read_text(encoding="utf-8"))
    long = [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
    assert not long


# What the other tests of pages stand on ---------------------------------------------------------------


PROMISES = (
    ("one\ntwo", "one\ntwo\n", True),
    ("one\ntwo", "one\ntwo\nthree\n", False),
    ("one\n…", "one\ntwo\nthree\n", True),
    ("one\n…\nthree", "one\nthree\n", True),
    ("one\n…\nfour", "one\ntwo\nthree\n", False),
    ("in … s: no problems", "in 0.1 s: no problems", True),
    ("in … s", "in 0.1 s\nand more", False),
    ("a (b) [c] .*", "a (b) [c] xy", False),
    ("", "", True),
    ("", "something", False),
    ("one", "one   \n", True),
)


@pytest.mark.parametrize(("expected", "printed", "fits"), PROMISES)
def test_what_is_promised_is_what_has_to_be_printed(expected: str, printed: str, fits: bool) -> None:
    assert is_as_promised(expected, printed) is fits


def test_a_console_block_is_commands_with_what_they_print() -> None:
    steps = list(steps_of("$ one --long \\\n    --more\nprinted\n\nmore\n$ two\n"))
    assert [(step.command, step.expected) for step in steps] == [("one --long --more", "printed\n\nmore"), ("two", "")]
    with pytest.raises(ValueError, match="begins with a command"):
        list(steps_of("printed\n"))


def test_a_block_knows_its_file_its_line_and_its_heading() -> None:
    text = "# One\n\n```yaml rules/a.yaml append\na: 1\n```\n\n## Two\n\n```\nplain\n```\n"
    first, second = blocks_in(text)
    assert (first.language, first.file, first.is_more, first.line, first.heading) == (
        *("yaml", "rules/a.yaml", True, 3, "One"),
    )
    assert (second.language, second.file, second.is_more, second.text) == ("", None, False, "plain\n")


def test_every_test_that_a_promise_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", (REPOSITORY / "docs/trust.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
