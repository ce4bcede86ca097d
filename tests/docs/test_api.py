"""docs/api.md: its commands print what it shows, and no operation and no code is missing."""

import json
import re
from pathlib import Path

from personalize.api.access import BAD_TOKENS, CALLS_OF_VISITOR
from personalize.api.app import MISSES, MOST_AT_ONCE, ROOT
from personalize.api.operation import Operation, Role
from personalize.api.operations import OPERATIONS
from personalize.api.reading import LONGEST_LINE_BYTES, MOST_BYTES, PATIENCE_SECONDS
from personalize.api.recording import MOST_EVENTS
from personalize.api.refusal import KINDS
from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import blocks_of, folder_of_desk, table_below

PAGE = "docs/api.md"
TEXT = (REPOSITORY / PAGE).read_text(encoding="utf-8")


def test_the_calls_are_answered_as_the_page_shows(tmp_path: Path) -> None:
    with Bench(tmp_path / "site", folder_of_desk()) as bench:
        for block in blocks_of(PAGE):
            if block.language == "console":
                bench.run(block)
            elif block.file is not None:
                bench.write(block)


def test_the_script_of_a_page_calls_what_there_is_with_what_it_takes() -> None:
    (script,) = [block.text for block in blocks_of(PAGE) if block.language == "js"]
    (address,) = re.findall(r'fetch\("([^"]+)"', script)
    (body,) = re.findall(r"JSON\.stringify\((\{.+\})\)", script)
    written = re.sub(r"(\w+):", r'"\1":', body.replace("crypto.randomUUID()", '"one"'))
    operation = next(one for one in OPERATIONS if one.name == "record_browser_event")
    assert address == f"/_personalize{ROOT}{operation.path}"
    assert operation.takes is not None
    sent = operation.takes.read(json.loads(written), "")
    (rules,) = [block.text for block in blocks_of(PAGE) if block.file == "rules/till.yaml"]
    assert sent["type"] in rules and all(name in rules for name in sent["properties"])


def test_every_operation_has_its_line_with_who_may_call_it() -> None:
    described = [[f"`{one.method} {one.path}`", _who(one), one.words] for one in OPERATIONS]
    assert table_below(PAGE, "Operations") == described


def _who(operation: Operation) -> str:
    if operation.who is Role.ANY_TOKEN:
        return "any token"
    return "a page of the site" if operation.who is Role.BROWSER else f"`{operation.who}`"


def test_every_code_has_its_line() -> None:
    described = [[f"`{code}`", str(kind.status), kind.title] for code, kind in KINDS.items()]
    assert table_below(PAGE, "When it does not go well") == described


def test_the_limits_are_those_of_the_code() -> None:
    for sentence in (
        f"up to {MOST_EVENTS:,}.",
        f"after {MISSES} of them",
        f"after {CALLS_OF_VISITOR} calls a minute",
        f"A body may have\n{MOST_BYTES // 1_000_000} MB and a line {LONGEST_LINE_BYTES // 1_000} KB",
        f"within {PATIENCE_SECONDS:g} seconds",
        f"serves {MOST_AT_ONCE} calls at once",
    ):
        assert sentence in TEXT, sentence
    operators = (REPOSITORY / "docs/operators.md").read_text(encoding="utf-8")
    assert f"{BAD_TOKENS} tokens" in operators
