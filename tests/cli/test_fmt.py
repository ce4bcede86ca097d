"""`fmt`: files in one form, their meaning and comments kept, and what can't be read not touched."""

from pathlib import Path

from tests.cli.terminal import Terminal

UGLY = """


# What we know of visitors
attributes:
    city:      {type:   text,title: City }   # where they live
    tier:
        type:  choice
        choices:
        - basic
        -   gold


    # Not used yet
    note: {type: text}   \n
"""
FORMED = """# What we know of visitors
attributes:
  city: {type: text, title: City}   # where they live
  tier:
    type: choice
    choices:
      - basic
      - gold

  # Not used yet
  note: {type: text}
"""


def put(terminal: Terminal, text: str) -> Path:
    path = terminal.folder / "rules/more.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def read(path: Path) -> str:
    return path.read_bytes().decode()


def test_a_file_is_put_into_form_and_stays_in_it(shop: Terminal) -> None:
    path = put(shop, UGLY)
    assert "formatted rules/more.yaml\n" in shop.well("fmt")
    assert read(path) == FORMED
    assert shop.well("fmt") == "4 files are in form.\n"
    assert read(path) == FORMED


def test_checking_names_the_files_and_changes_none(shop: Terminal) -> None:
    path = put(shop, UGLY)
    result = shop.run("fmt", "--check", str(path))
    assert (result.exit_code, result.stdout) == (1, "rules/more.yaml is not in form\n0 files are in form already.\n")
    assert read(path) == UGLY
    put(shop, FORMED)
    assert shop.run("fmt", "--check", str(path)).exit_code == 0


def test_lines_end_as_they_did(shop: Terminal) -> None:
    path = put(shop, UGLY.replace("\n", "\r\n"))
    shop.well("fmt")
    assert read(path) == FORMED.replace("\n", "\r\n")


def test_a_file_that_cannot_be_read_is_told_of_and_not_touched(shop: Terminal) -> None:
    broken = "segments:\n    a: {who: [\n"
    path = put(shop, broken)
    (shop.folder / "rules/other.yaml").write_text("segments:   {}\n")
    said = shop.said("fmt", exit_code=1)
    assert "--> rules/more.yaml:" in said
    assert said.endswith("Such a file is not touched.\n")
    assert read(path) == broken
    assert read(shop.folder / "rules/other.yaml") == "segments: {}\n"
    assert "\n  formatted" not in said


def test_texts_over_several_lines_are_moved_as_they_are(shop: Terminal) -> None:
    text = "segments:\n    a:\n        title: >-\n            Long\n              words   \n\n            end\n"
    path = put(shop, text)
    shop.run("fmt", str(path))
    assert read(path) == ("segments:\n  a:\n    title: >-\n        Long\n          words   \n\n        end\n")
