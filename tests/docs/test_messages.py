"""docs/messages.md has every code of the package and no other, and each of its examples says what is printed."""

import ast
import re
from itertools import groupby
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import Block, blocks_of, folder_of_desk
from tests.docs.recording import printed_by

PAGE = "docs/messages.md"
CODE = re.compile(r"[EW][0-9]{3}")
SECTIONS = {heading: list(blocks) for heading, blocks in groupby(blocks_of(PAGE), key=lambda block: block.heading)}


def codes_of_package() -> set[str]:
    """Every code that is written in the package as a text of its own."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (REPOSITORY / "personalize").rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {text for text in texts if CODE.fullmatch(text)}


def test_every_code_has_its_own_place_and_no_place_is_left_over() -> None:
    headings = re.findall(r"^### (.+)$", (REPOSITORY / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    documented = [heading.partition(":")[0] for heading in headings]
    assert sorted(set(documented)) == sorted(documented)
    assert set(documented) == codes_of_package()


def test_codes_stand_in_their_order_within_each_chapter() -> None:
    for chapter in (REPOSITORY / PAGE).read_text(encoding="utf-8").split("\n## ")[1:]:
        codes = re.findall(r"^### ([EW][0-9]{3})", chapter, re.MULTILINE)
        assert codes == sorted(codes)


@pytest.mark.parametrize("heading", SECTIONS, ids=lambda heading: heading.partition(":")[0])
def test_the_wrong_file_makes_the_message_that_is_shown(heading: str, tmp_path: Path) -> None:
    blocks = SECTIONS[heading]
    shown = [block for block in blocks if block.language == "console" or (block.language == "text" and not block.file)]
    assert any(heading.partition(":")[0] in block.text for block in shown)
    with Bench(tmp_path / "site", folder_of_desk()) as bench:
        for block in blocks:
            if block.language == "console":
                bench.run(block)
            elif block.file is not None:
                bench.write(block)
    assert_recorded(blocks)


def assert_recorded(blocks: list[Block]) -> None:
    """Each snippet of Python is followed by what the log says of it."""
    snippets = [block for block in blocks if block.language == "python" and block.file is None]
    for snippet in snippets:
        following = blocks[blocks.index(snippet) + 1]
        assert following.language == "text"
        assert printed_by(snippet.text) == following.text.rstrip("\n"), snippet.where
