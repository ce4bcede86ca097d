"""docs/developers.md: the site that it builds works, and nothing public that it names is missing."""

import inspect
import re
import shutil
from pathlib import Path

import personalize
from personalize.decisions.decision import Reason
from personalize.runtime.visitor import OWN_FACTS
from personalize.web.html.open_elements import may_carry_slot
from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import blocks_of, code_words, folder_of_desk, folder_of_sites, table_below

PAGE = "docs/developers.md"
TEXT = (REPOSITORY / PAGE).read_text(encoding="utf-8")


def test_the_site_of_the_page_passes_its_own_tests(tmp_path: Path) -> None:
    shutil.copytree(folder_of_sites(), tmp_path / "site")
    with Bench(tmp_path / "site", folder_of_desk()) as bench:
        for block in blocks_of(PAGE):
            if block.file is not None:
                bench.write(block)
        for block in blocks_of(PAGE):
            if block.language == "console":
                bench.run(block)


def test_the_elements_that_may_carry_a_slot_are_those_of_the_scanner() -> None:
    sentences = re.search(r"It may stand on (.+?) and the like.+?It may not\s+stand on (.+?)\.\n", TEXT, re.DOTALL)
    assert sentences is not None
    assert all(may_carry_slot(name.encode()) for name in code_words(sentences[1]))
    assert not any(may_carry_slot(name.encode()) for name in code_words(sentences[2]))


def test_every_argument_of_wrap_has_its_line() -> None:
    arguments = list(inspect.signature(personalize.wrap).parameters)[1:]
    assert [code_words(row[0])[0] for row in table_below(PAGE, "Wrap")] == arguments


def test_every_field_of_a_request_that_a_source_may_replace_is_named() -> None:
    sentence = re.search(r"A `FactSource` gives text, or None, in place of (.+?)\. The country", TEXT, re.DOTALL)
    assert sentence is not None
    assert set(code_words(sentence[1])) == OWN_FACTS


def test_every_reason_of_a_decision_is_named() -> None:
    sentence = re.search(r"`reason` \((.+?)\)", TEXT, re.DOTALL)
    assert sentence is not None
    assert code_words(sentence[1]) == [str(reason) for reason in Reason]


def test_names_of_the_package_that_the_page_uses_are_public() -> None:
    """A word in backticks that looks like a class of ours is one."""
    words = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)", TEXT))
    foreign = {"AuthenticationMiddleware", "StaticFiles", "WSGIMiddleware"}
    assert words - foreign <= set(personalize.__all__)
