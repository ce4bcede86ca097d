"""docs/architecture.md draws the floors that the package stands on, docs/performance.md shows what is measured."""

import re

from tests.conftest import REPOSITORY
from tests.docs.blocks import blocks_of
from tests.house_style import BROAD_EXCEPTS
from tests.walls import FLOORS

PAGE = "docs/architecture.md"
PACKAGE = REPOSITORY / "personalize"


def floors_drawn() -> list[tuple[str, list[str]]]:
    """Each floor of the picture with the modules that it names."""
    (picture,) = [block for block in blocks_of(PAGE) if block.language == "text"]
    lines = [line for line in picture.text.splitlines()[1:] if line.strip()]
    names = (re.match(r"  (\w+)/? +(.+)", line) for line in lines)
    found = [(match[1], match[2]) for match in names if match is not None]
    assert len(found) == len(lines)
    return [
        (name, re.findall(r"[a-z_]+(?= ·|$)|(?<=· )[a-z_]+", what) if " · " in what else []) for name, what in found
    ]


def test_the_floors_are_those_that_the_layer_test_walks() -> None:
    present = [name for name in FLOORS if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()]
    assert [name for name, _ in floors_drawn()] == ["__init__", *present]


def test_every_module_that_is_named_exists() -> None:
    for floor, modules in floors_drawn():
        for module in modules:
            places = (PACKAGE / floor / f"{module}.py", PACKAGE / floor / module / "__init__.py")
            assert any(place.is_file() for place in places), f"{floor}/{module}"
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    for name in re.findall(r"`((?:tests/)?\w+/[\w/]+\.py)`", text):
        assert (PACKAGE / name).is_file() or (REPOSITORY / name).is_file(), name


def test_the_broad_excepts_are_those_that_are_allowed() -> None:
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    sentence = re.search(r"A broad `except` stands in (.+?)A fourth", text, re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`([\w/]+\.py)`", sentence[1])) == set(BROAD_EXCEPTS)


def test_the_figures_are_of_the_variants_that_the_benchmark_measures() -> None:
    script = (REPOSITORY / "benchmarks" / "page_overhead.py").read_text(encoding="utf-8")
    compiled, as_python = blocks_of("docs/performance.md")
    for block in (compiled, as_python):
        shown = [line[:28].strip() for line in block.text.splitlines()[1:]]
        assert shown == [*re.findall(r'Case\("([^"]+)"', script), "one bytes.find"]
