"""Rule sets and their lives in files."""

from pathlib import Path

import pytest

from personalize.errors import ExportRefused
from personalize.exports.rule_set_files import LIVES, RULE_SETS, lives, rule_sets, write_lives, write_rule_set
from personalize.stores.protocols import Live
from tests.stores.samples import at


def test_rule_sets_and_lives_come_back_as_they_were(tmp_path: Path) -> None:
    files = {"rules/a.yaml": "slots: {}\n# é \U0001f43b \u2028\n", "rules/b.yaml": ""}
    write_rule_set(tmp_path, "v1", files)
    write_rule_set(tmp_path, "v2", {})
    were = [Live("v1", at(0.000001), "Ingrid"), Live("v2", at(1), "ola"), Live("v1", at(2), "rollback")]
    write_lives(tmp_path, were)
    assert list(rule_sets(tmp_path / RULE_SETS)) == [("v1", files), ("v2", {})]
    assert list(lives(tmp_path / LIVES)) == were


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"version": 1, "at": "noon"}'])
def test_a_line_that_holds_neither_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(line + "\n")
    for read in (rule_sets, lives):
        with pytest.raises(ExportRefused, match=r"x\.jsonl, line 1, "):
            list(read(path))
