"""What is compiled keeps to what mypyc makes the same of as Python does, as far as a machine can see it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.compiled_code import (
    asynchronous_generators,
    called_properties,
    deleted_attributes,
    heirs_of_compiled,
    kept_properties,
    names_of_c,
    sets_of_keys,
    stops_in_finally,
    stops_in_handler,
    taken_names,
)
from tests.conftest import REPOSITORY
from tests.package_source import Module, read_module, read_package
from tests.test_compiled import SETUP

Check = Callable[[Module], Iterator[str]]
CHECKS: Sequence[Check] = (
    *(stops_in_finally, stops_in_handler, asynchronous_generators, deleted_attributes),
    *(names_of_c, taken_names, kept_properties, sets_of_keys),
)


@pytest.fixture
def package() -> Sequence[Module]:
    """Every module."""
    return read_package(REPOSITORY / "personalize")


@pytest.fixture
def compiled(package: Sequence[Module], monkeypatch: pytest.MonkeyPatch) -> Sequence[Module]:
    """Those that `setup.py` has compiled."""
    monkeypatch.chdir(REPOSITORY)
    paths = set(SETUP["compiled_paths"]())
    found = [module for module in package if module.place in paths]
    assert len(found) == len(paths)
    return found


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_compiled_does_as_it_says(check: Check, compiled: Sequence[Module]) -> None:
    found = [line for module in compiled for line in check(module)]
    assert not found, "\n" + "\n".join(found)


def test_no_property_of_what_is_compiled_is_called_at_once(
    compiled: Sequence[Module], package: Sequence[Module]
) -> None:
    assert list(called_properties(compiled, package)) == []


def test_who_inherits_from_what_is_compiled_is_compiled(compiled: Sequence[Module], package: Sequence[Module]) -> None:
    assert list(heirs_of_compiled(compiled, package)) == []


IN_TRY = "async def f(x):\n    try:\n        await x()\n"
PLANTED = {
    "await in a finally": (stops_in_finally, IN_TRY + "    finally:\n        g(await x())\n", [5]),
    "yield in a finally": (stops_in_finally, "def f(x):\n    try:\n        x()\n    finally:\n        yield 1\n", [5]),
    "with in a finally": (
        stops_in_finally,
        IN_TRY + "    finally:\n        if x:\n            async with x:\n                pass\n",
        [6],
    ),
    "a function in a finally": (
        stops_in_finally,
        IN_TRY + "    finally:\n        async def g():\n            await x()\n        h(lambda: (yield))\n",
        [],
    ),
    "await in an except": (stops_in_handler, IN_TRY + "    except KeyError:\n        await x()\n", [5]),
    "await in one of two": (
        stops_in_handler,
        IN_TRY
        + "    except KeyError:\n        pass\n    except ValueError:\n        async for _ in x:\n            pass\n",
        [7],
    ),
    "await and another error": (
        stops_in_handler,
        IN_TRY + "    except KeyError as error:\n        await x()\n        raise ValueError from error\n",
        [5],
    ),
    "await and the same error": (
        stops_in_handler,
        IN_TRY + "    except KeyError:\n        await x()\n        raise\n",
        [],
    ),
    "await behind it": (stops_in_handler, IN_TRY + "    except KeyError:\n        pass\n    await x()\n", []),
    "asynchronous generator": (asynchronous_generators, "class A:\n    async def f(self):\n        yield 1\n", [2]),
    "generator inside": (
        asynchronous_generators,
        "async def f():\n    def g():\n        yield 1\n    return g\n",
        [],
    ),
    "deleted attribute": (deleted_attributes, "def f(x):\n    del x[0]\n    del x.y\n", [3]),
    "a word of C": (names_of_c, "class A:\n    def __init__(self):\n        self._thread = 1\n", [3]),
    "a word of C as a field": (names_of_c, "class A:\n    _const: int\n    thread: int\n", [1]),
    "a word of C that is read": (names_of_c, "def f(x):\n    return x._thread\n", []),
    "taken name": (taken_names, "class A:\n    def f(self, kind, /, **named): ...\n", [2]),
    "name that nobody takes": (taken_names, "def f(_kind, /, **named): ...\ndef g(kind, /): ...\n", []),
    "kept property": (kept_properties, "class A:\n    @functools.cached_property\n    def f(self): ...\n", [3]),
    "keys": (sets_of_keys, "def f(x, y):\n    return x & y.keys()\n", [2]),
    "keys of keys": (
        sets_of_keys,
        "def f(x, y):\n    return x.keys() - y.keys(), {1} | y.keys(), set(x) ^ y.items(), y.keys() & x\n",
        [],
    ),
}


def planted(folder: Path, name: str, text: str) -> Module:
    """A module with this text."""
    package = folder / "personalize"
    package.mkdir(exist_ok=True)
    (package / f"{name}.py").write_text(text)
    return read_module(package / f"{name}.py", package)


@pytest.mark.parametrize(("check", "text", "lines"), PLANTED.values(), ids=PLANTED.keys())
def test_what_is_planted_is_found(tmp_path: Path, check: Check, text: str, lines: list[int]) -> None:
    found = [line.partition(": ")[0] for line in check(planted(tmp_path, "attic", text))]
    assert found == [f"personalize/attic.py:{line}" for line in lines]


def test_a_planted_call_of_a_property_is_found(tmp_path: Path) -> None:
    attic = planted(
        tmp_path, "attic", "class A:\n    @property\n    def read(self): ...\ndef f(a):\n    return a.read(1)\n"
    )
    other = planted(tmp_path, "other", "class B:\n    def read(self, x): ...\n")
    assert list(called_properties([attic], [attic])) == ["personalize/attic.py:5: a.read is a property, called at once"]
    assert list(called_properties([attic], [attic, other])) == []


def test_a_planted_heir_is_found(tmp_path: Path) -> None:
    attic = planted(tmp_path, "attic", "class A: ...\nclass C(A): ...\n")
    other = planted(tmp_path, "other", "from personalize.attic import A as Old\nclass B(Old): ...\nclass A(B): ...\n")
    found = list(heirs_of_compiled([attic], [attic, other]))
    assert found == ["personalize/other.py:2: B inherits from a class of personalize/attic.py"]
    assert list(heirs_of_compiled([attic, other], [attic, other])) == []
