"""The READMEs on the example's desk: what they show their editors can be published there."""

import shutil
from pathlib import Path

import pytest

from personalize.problems import Problems
from personalize.runtime.draft import load_files, read_draft
from personalize.settings import load_settings
from tests.conftest import REPOSITORY
from tests.docs.blocks import Block, blocks_of

EXAMPLES = [*blocks_of("rules/README.md"), *blocks_of("content/README.md")]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A copy of the example's desk."""
    for name in ("rules", "content", "example_site/content_templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    shutil.copy(REPOSITORY / "personalize.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.where)
def test_what_a_readme_shows_can_be_published(block: Block, desk: Path) -> None:
    if block.language == "yaml":
        rules = "".join(f"      {line}\n" for line in block.text.splitlines())
        (desk / "rules" / "zz.yaml").write_text(f"slots:\n  zz:\n    rules:\n{rules}", encoding="utf-8")
    else:
        assert block.language == "markdown", block.where
        (desk / "content" / "offers" / "zz.md").write_text(block.text, encoding="utf-8")
    settings, problems = load_settings(desk / "personalize.toml", {}), Problems()
    load_files(read_draft(settings, problems).files, settings, problems)
    assert problems.list == ()


def test_the_readmes_name_what_is_there() -> None:
    for page in ("rules/README.md", "content/README.md"):
        folder = (REPOSITORY / page).parent
        lines = (REPOSITORY / page).read_text(encoding="utf-8").splitlines()
        named = {line.split("`")[1] for line in lines if line.startswith("| `")}
        assert named
        for name in named:
            assert (folder / name).exists(), f"{page}: {name}"
