"""A folder of content becomes a library, or tells everything that keeps it from becoming one."""

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pytest
import yaml

from personalize.content.files import read_content
from personalize.content.library import EMPTY, load_library
from personalize.problems import Problem, Problems
from tests.content.shelf import ATTRIBUTES, CASES, COLLECTIONS, TEMPLATE, load

ROOT = Path(__file__).parents[2]
PROBLEMS: list[dict[str, Any]] = yaml.safe_load((CASES / "problems.yaml").read_text(encoding="utf-8"))
SAYS = re.compile(r"(?P<start>.*?)(?P<code>[EW][0-9]{3}) ?(?P<words>.*?)(?: \[(?P<hint>.*)\])?", re.DOTALL)


def text_of_case(case: dict[str, Any]) -> str:
    front = case.get("front", "")
    if "repeated_badge" in case:
        word, times = case["repeated_badge"]
        front += f"\nbadge: {word * times}"
    body = case["repeated"][0] * case["repeated"][1] if "repeated" in case else case.get("body", "")
    return str(case.get("text", f"---\n{front}\n---\n{body}\n"))


def is_said(problem: Problem, says: str, path: str) -> bool:
    expected = SAYS.fullmatch(says)
    assert expected is not None, says
    file = (problem.file or "").removeprefix("content/")
    start = "" if file == path else f"{file} "
    start += "" if problem.line is None else f"{problem.line}:{problem.column} "
    return (
        start == expected["start"]
        and problem.code == expected["code"]
        and expected["words"] in problem.message
        and (expected["hint"] or "") in (problem.hint or "")
    )


@pytest.mark.parametrize("case", PROBLEMS, ids=[case["name"] for case in PROBLEMS])
def test_a_file_is_told_what_is_wrong_and_where(case: dict[str, Any]) -> None:
    path = case.get("path", f"offers/one.{case.get('suffix', 'md')}")
    templates = {"offer.html": case.get("template", TEMPLATE)}
    library, problems = load({path: text_of_case(case)}, templates, collections=case.get("collections", COLLECTIONS))
    told = "\n".join(f"{problem} // {problem.hint}" for problem in problems.list)
    assert len(problems.list) == len(case["says"]), told
    for says in case["says"]:
        assert any(is_said(problem, says, path) for problem in problems.list), f"{says}\nis not among\n{told}"
    if any(problem.severity == "error" and problem.file == f"content/{path}" for problem in problems.list):
        assert not library.items


def test_every_problem_that_content_can_have_is_among_the_cases() -> None:
    told = {code for case in PROBLEMS for says in case["says"] for code in re.findall(r"\b[EW]4[0-9]{2}\b", says)}
    sources = sorted((ROOT / "personalize" / "content").glob("*.py"))
    raised = {
        code for source in sources for code in re.findall(r'"([EW]4[0-9]{2})"', source.read_text(encoding="utf-8"))
    }
    with_tests_of_their_own = {"E401", "E403", "E406", "W401"}
    assert raised - with_tests_of_their_own == told


def test_problems_of_all_files_are_told_in_one_run() -> None:
    files = {f"offers/{name}.md": f"---\ntitle: {name}\nprise: 3\n---\n" for name in ("a", "b", "c")}
    library, problems = load({**files, "offers/good.md": "---\ntitle: Good\n---\n", "ofers/x.md": "", "ofers/y.md": ""})
    assert [problem.code for problem in problems.list] == ["E405", "E423", "E423", "E423"]
    assert list(library.items) == ["offers/good"]
    assert library.refused == {"offers/a", "offers/b", "offers/c"}


def test_a_collection_that_is_declared_but_cannot_be_used_is_refused_and_not_unknown() -> None:
    library, problems = load({"offers/a.md": "---\ntitle: T\n---\n"}, collections="collections: {offers: {}, tips: 3}")
    assert [problem.code for problem in problems.list] == ["E413", "E410"]
    assert library.refused == {"offers", "tips", "offers/a"}


def test_one_fault_of_a_template_is_told_once_however_many_items_it_has() -> None:
    files = {f"offers/{name}.md": "---\ntitle: T\n---\n" for name in ("a", "b", "c")}
    library, problems = load(files, {"offer.html": "{{ 1/0 }}"})
    assert [problem.code for problem in problems.list] == ["E417"]
    assert not library.items
    assert library.refused == {"offers/a", "offers/b", "offers/c"}


def test_two_files_of_one_name_are_told() -> None:
    library, problems = load({"offers/a.md": "---\ntitle: One\n---\n", "offers/a.html": "---\ntitle: Two\n---\n"})
    assert [(problem.code, problem.file) for problem in problems.list] == [("E406", "content/offers/a.md")]
    assert library.items["offers/a"].title == "Two"


def test_files_that_explain_the_folder_are_no_items() -> None:
    item = "---\ntitle: T\n---\n"
    library, problems = load({"README.md": "Hello", "offers/readme.md": "Hello", "offers/my-readme.md": item})
    assert not problems.list
    assert list(library.items) == ["offers/my-readme"]


def test_a_site_without_content_has_an_empty_library() -> None:
    library, problems = load({}, collections=None)
    assert library is EMPTY
    assert not problems.list
    assert library.item("offers/a") is None
    assert library.tagged("offers", ["a"]) == ()


def test_an_item_carries_what_was_written() -> None:
    library, problems = load(
        {
            "offers/one.md": "---\ntitle: Hi {{ visitor.town }}\ntags: [b, a]\npriority: 3\nprice: 29.9\n"
            "weight: 1.50\nsale: true\nday: 2026-12-24\nsize: small\nimage: /a.png\nurl: /b\n---\nx"
        }
    )
    assert not problems.list
    item = library.item("offers/one")
    assert item is not None
    assert (item.item_id, item.collection, item.kind, item.priority) == ("offers/one", "offers", "offer", 3)
    assert (item.title, item.tags, item.file) == ("Hi {{ visitor.town }}", {"a", "b"}, "content/offers/one.md")
    assert {name: str(value) for name, value in item.fields.items()} == {
        **{"price": "2990", "weight": "1.50", "sale": "True", "day": "2026-12-24", "size": "small", "url": "/b"},
        "image": "{'src': '/a.png', 'alt': ''}",
    }
    assert item.rendering.attributes == {"town"}
    assert "NOK 29.90" in item.rendering.markup({})


def test_items_are_found_by_tag_highest_priority_first_and_then_by_name() -> None:
    def item(tags: str, priority: int) -> str:
        return f"---\ntitle: T\ntags: {tags}\npriority: {priority}\n---\n"

    library, _ = load(
        {
            "offers/d.md": item("[x]", 0),
            "offers/a.md": item("[y]", 0),
            "offers/c.md": item("[x, y]", 5),
            "offers/b.md": item("x", -1),
        }
    )
    assert library.tagged("offers", ["x"]) == ("offers/c", "offers/d", "offers/b")
    assert library.tagged("offers", ["x", "y"]) == ("offers/c", "offers/a", "offers/d", "offers/b")
    assert library.tagged("offers") == ("offers/c", "offers/a", "offers/d", "offers/b")
    assert library.tagged("offers", ["z"]) == ()
    assert library.tagged("tips", ["x"]) == ()


def test_the_shop_has_content_without_a_problem() -> None:
    desk, templates = ROOT / "content", ROOT / "example_site" / "content_templates"
    problems = Problems()
    library = load_library(
        read_content(desk, problems),
        templates=jinja2.FileSystemLoader(templates),
        zone=ZoneInfo("Europe/Oslo"),
        currency="NOK",
        currency_digits=2,
        attributes=ATTRIBUTES,
        problems=problems,
    )
    assert not problems.list, "\n".join(map(str, problems.list))
    assert len(library.items) >= 20
    assert all(item.rendering.markup({}).strip() for item in library.items.values())
