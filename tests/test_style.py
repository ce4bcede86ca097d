"""Every file keeps the house style, as far as a machine can see it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.house_style import (
    BROAD_EXCEPTS,
    FOLDERS_OF_THEIR_OWN,
    TESTS_OF_SEVERAL_MODULES,
    broad_excepts,
    long_files,
    long_functions,
    missing_docstrings,
    names_that_say_nothing,
    unmatched_tests,
)
from tests.package_source import Module, read_module, read_package


@pytest.mark.parametrize("check", [long_files, long_functions, broad_excepts, missing_docstrings])
def test_every_module_keeps_the_house_style(check: Callable[[Module], Iterator[str]]) -> None:
    found = [line for module in read_package(REPOSITORY / "personalize") for line in check(module)]
    assert not found, "\n" + "\n".join(found)


def test_every_file_is_named_for_what_is_in_it() -> None:
    folders = ("personalize", "example_site", "tests", "benchmarks")
    assert [name for folder in folders for name in names_that_say_nothing(REPOSITORY / folder)] == []


def test_the_tests_mirror_the_package() -> None:
    found = unmatched_tests(REPOSITORY / "tests", REPOSITORY / "personalize")
    assert not found, "\n" + "\n".join(found)


def test_every_listed_exception_is_still_needed() -> None:
    """A list of exceptions may not outlive what it excuses."""
    for name in BROAD_EXCEPTS:
        assert (REPOSITORY / "personalize" / name).exists(), name
    for name in TESTS_OF_SEVERAL_MODULES | FOLDERS_OF_THEIR_OWN:
        assert (REPOSITORY / "tests" / name).exists(), name


PLANTED = {
    "long file": (long_files, "x = 1\n" * 451, ["450: 451 lines; is it one concept?"]),
    "long function": (
        long_functions,
        "def f():\n" + "    x = 1\n" * 60,
        ["1: f has 61 lines; which parts have a name?"],
    ),
    "except without a name": (
        broad_excepts,
        "try:\n    x = 1\nexcept:\n    x = 2\n",
        ["3: a broad except, outside of the places that may have one"],
    ),
    "except in a tuple": (
        broad_excepts,
        "try:\n    x = 1\nexcept (ValueError, Exception) as error:\n    raise ValueError from error\n",
        ["3: a broad except, outside of the places that may have one"],
    ),
    "suppress": (
        broad_excepts,
        "import contextlib\nwith contextlib.suppress(Exception):\n    x = 1\n",
        ["2: a broad suppress, which is a broad except"],
    ),
    "no docstrings": (
        missing_docstrings,
        "class A:\n    def b(self): ...\n    def _c(self): ...\n",
        ["1: the module has no docstring", "1: A has no docstring", "2: b has no docstring"],
    ),
    "clean": (
        broad_excepts,
        "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise\n",
        [],
    ),
}


@pytest.mark.parametrize(("check", "text", "findings"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(
    tmp_path: Path, check: Callable[[Module], Iterator[str]], text: str, findings: list[str]
) -> None:
    package = tmp_path / "personalize"
    package.mkdir()
    (package / "attic.py").write_text(text)
    found = list(check(read_module(package / "attic.py", package)))
    assert found == [f"personalize/attic.py:{finding}" for finding in findings]


def test_a_test_of_nothing_and_an_empty_name_are_found(tmp_path: Path) -> None:
    for name in (
        "tests/rules/test_parse.py",
        "tests/rules/test_parsed.py",
        "tests/test_misc.py",
        "personalize/rules/parse.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert unmatched_tests(tmp_path / "tests", tmp_path / "personalize") == [
        "tests/rules/test_parsed.py: there is no personalize/rules/parsed.py",
        "tests/test_misc.py: there is no personalize/misc.py",
    ]
    assert names_that_say_nothing(tmp_path / "tests") == ["tests/test_misc.py"]
