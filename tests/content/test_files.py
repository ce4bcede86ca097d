"""Content is read from its folder and from nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from personalize.content.files import MAX_ITEM_BYTES, item_name, read_content, split_item
from personalize.problems import Problems

ITEM = "---\ntitle: T\n---\nHello\n"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    desk = tmp_path / "content"
    (desk / "offers").mkdir(parents=True)
    (desk / "offers" / "one.md").write_text(ITEM, encoding="utf-8")
    (desk / "collections.yaml").write_text("collections: {}\n", encoding="utf-8")
    return desk


def read(desk: Path) -> tuple[list[str], list[str]]:
    """The files that were read, and what was found wrong, as `code file`."""
    problems = Problems()
    files = read_content(desk, problems)
    return list(files), [f"{problem.code} {problem.file}" for problem in problems.list]


def test_files_are_named_by_their_folder_and_sorted(desk: Path) -> None:
    (desk / "heroes").mkdir()
    (desk / "heroes" / "calm.html").write_text(ITEM, encoding="utf-8")
    assert read(desk) == (["content/collections.yaml", "content/heroes/calm.html", "content/offers/one.md"], [])
    assert read_content(desk, Problems())["content/offers/one.md"] == ITEM


def test_the_name_of_the_folder_does_not_depend_on_how_it_was_reached(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    assert read(Path()) == read(desk)
    assert read(desk / "offers" / "..") == read(desk)


def test_what_explains_hides_or_is_a_copy_is_passed_over(desk: Path) -> None:
    for name in ("README.md", "offers/readme.md", ".hidden.md", "offers/.one.md.swp", "offers/one.md~"):
        (desk / name).write_bytes(b"\xff")
    (desk / ".git" / "x").mkdir(parents=True)
    (desk / ".git" / "x" / "y.md").write_text(ITEM, encoding="utf-8")
    assert read(desk) == (["content/collections.yaml", "content/offers/one.md"], [])


def test_what_is_no_content_is_said_and_not_read(desk: Path) -> None:
    (desk / "offers" / "tent.jpg").write_bytes(b"\xff\xd8")
    (desk / "collections.yml").write_text("x", encoding="utf-8")
    files, problems = read(desk)
    assert files == ["content/collections.yaml", "content/offers/one.md"]
    assert problems == ["W401 content/collections.yml", "W401 content/offers/tent.jpg"]


def test_a_file_too_deep_is_read_so_that_its_place_is_told(desk: Path) -> None:
    (desk / "offers" / "winter").mkdir()
    (desk / "offers" / "winter" / "a.md").write_text(ITEM, encoding="utf-8")
    files, _ = read(desk)
    assert "content/offers/winter/a.md" in files
    problems = Problems()
    assert item_name("content/offers/winter/a.md", problems) is None
    assert [problem.code for problem in problems.list] == ["E404"]


def test_links_may_stay_in_the_folder_and_not_leave_it(desk: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text("secret", encoding="utf-8")
    (desk / "offers" / "same.md").symlink_to("one.md")
    (desk / "offers" / "out.md").symlink_to(secret)
    (desk / "offers" / "up.md").symlink_to("../../secret.md")
    (desk / "offers" / "chain.md").symlink_to("out.md")
    (desk / "offers" / "gone.md").symlink_to("nothing.md")
    (desk / "offers" / "ring.md").symlink_to("ring.md")
    (desk / "folder").symlink_to(tmp_path / "elsewhere")
    files, problems = read(desk)
    assert files == ["content/collections.yaml", "content/offers/one.md", "content/offers/same.md"]
    assert problems == [
        "E403 content/folder",
        *(f"E403 content/offers/{name}.md" for name in ("chain", "gone", "out", "ring", "up")),
    ]


def test_a_link_to_the_folder_itself_ends(desk: Path) -> None:
    (desk / "offers" / "again").symlink_to("../..", target_is_directory=True)
    (desk / "round").symlink_to(".", target_is_directory=True)
    files, problems = read(desk)
    assert set(problems) == {"E403 content/offers/again", "E403 content/round/offers/again"}
    assert len(files) < 20


def test_the_folder_may_be_a_link_itself(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "desk").symlink_to(desk)
    files, problems = read(tmp_path / "desk")
    assert len(files) == 2
    assert problems == []


@pytest.mark.parametrize("kind", ["nothing", "a file", "a ring"])
def test_a_folder_that_is_none_is_a_problem(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "content"
    if kind == "a file":
        folder.write_text("x", encoding="utf-8")
    if kind == "a ring":
        folder.symlink_to(folder)
    files, problems = read(folder)
    assert files == []
    assert problems == ["E401 content"]


def test_files_that_cannot_be_read_are_problems_and_the_others_are_read(desk: Path) -> None:
    offers = desk / "offers"
    (offers / "huge.md").write_bytes(b"x" * (MAX_ITEM_BYTES + 1))
    (offers / "latin.md").write_bytes("---\ntitle: Blåbær\n---\n".encode("latin-1"))
    (offers / "wide.md").write_bytes(ITEM.encode("utf-16"))
    (offers / "folder.md").mkdir()
    os.mkfifo(offers / "pipe.md")
    files, problems = read(desk)
    assert files == ["content/collections.yaml", "content/offers/one.md"]
    assert problems == [
        *("E003 content/offers/huge.md", "E002 content/offers/latin.md", "E001 content/offers/pipe.md"),
        "E002 content/offers/wide.md",
    ]


def test_a_folder_that_may_not_be_read_is_a_problem_and_the_others_are_read(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        # Root, as whom tests may run, is let into every folder.
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return iter(listed(folder))

    monkeypatch.setattr(Path, "iterdir", iterdir)
    (desk / "closed").mkdir()
    files, problems = read(desk)
    assert len(files) == 2
    assert problems == ["E401 content/closed"]


def test_a_name_that_is_no_text_is_a_problem_that_can_be_printed(desk: Path) -> None:
    try:
        (desk / "offers" / "bl\udce5.md").write_text(ITEM, encoding="utf-8")
    except OSError:
        pytest.skip("this file system keeps only names that are text")
    problems = Problems()
    assert len(read_content(desk, problems)) == 2
    assert [problem.code for problem in problems.list] == ["E402"]
    assert str(problems.list[0]).encode()


def test_a_mark_of_byte_order_and_any_line_end_do_not_matter() -> None:
    ends = (ITEM.replace("\n", "\r\n"), ITEM.replace("\n", "\r"))
    for text in (ITEM, "\ufeff" + ITEM, *ends, ITEM.replace("---", "--- ")):
        problems = Problems()
        halves = split_item(text, "content/offers/one.md", problems)
        assert not problems.list
        assert halves is not None
        assert halves.front.keys() == ("title",)
        assert halves.body == "Hello\n"
        assert (halves.place(0).line, halves.place(3).column) == (4, 4)


def test_a_body_may_hold_lines_of_its_own() -> None:
    problems = Problems()
    halves = split_item("---\ntitle: T\n---\na\n\n---\n\nb\n---\n", "x", problems)
    assert halves is not None
    assert halves.body == "a\n\n---\n\nb\n---\n"
    assert halves.place(8).line == 8
