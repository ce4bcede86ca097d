"""What the house style asks of every file, as far as a machine can see it: the search for what breaks it.

Each finding is a line, `file:line: what is wrong`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.package_source import Module

LONGEST_FILE = 450
LONGEST_FUNCTION = 60
NAMES_THAT_SAY_NOTHING = frozenset({"util", "utils", "helper", "helpers", "common", "base", "misc"})

# Where whatever goes wrong is counted and the site's page goes out all the same. Everywhere else it rises.
BROAD_EXCEPTS = {
    "runtime/visitor.py": "recognising the visitor",
    "runtime/own_facts.py": "recognising the visitor: what the site's own code knows",
    "runtime/page_view.py": "filling a slot",
    "web/html/places.py": "filling a slot: the library that looks for its place",
    "runtime/ingest.py": "flushing a batch",
}

# Tests of no single module: of the whole, of what stands beside the package, of what several modules do together.
TESTS_OF_THE_WHOLE = frozenset(
    {"benchmarks", "compiled_code", "conftest", "dev", "docs", "example_site", "layers", "public_names", "style"}
)
FOLDERS_OF_THEIR_OWN = frozenset({"docs", "example_site", "properties", "served", "trust"})
TESTS_OF_SEVERAL_MODULES = frozenset(
    {
        *("runtime/test_broken_files.py", "web/test_faults.py", "web/test_recognising.py", "web/test_slow_store.py"),
        *("web/test_few_steps.py", "web/test_joins.py", "web/test_sites_own_life.py"),
    }
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_files(module: Module) -> Iterator[str]:
    length = len(module.text.splitlines())
    if length > LONGEST_FILE:
        yield f"{module.place}:{LONGEST_FILE}: {length} lines; is it one concept?"


def long_functions(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        length = (node.end_lineno or node.lineno) - node.lineno + 1 if isinstance(node, Function) else 0
        if isinstance(node, Function) and length > LONGEST_FUNCTION:
            yield f"{module.place}:{node.lineno}: {node.name} has {length} lines; which parts have a name?"


def broad_excepts(module: Module) -> Iterator[str]:
    if module.path_inside in BROAD_EXCEPTS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and is_broad(node.type) and not rises_again(node):
            yield f"{module.place}:{node.lineno}: a broad except, outside of the places that may have one"
        if isinstance(node, ast.Call) and called(node) == "suppress" and any(map(is_broad, node.args)):
            yield f"{module.place}:{node.lineno}: a broad suppress, which is a broad except"


def is_broad(caught: ast.expr | None) -> bool:
    """Whether what is caught is everything: nothing named, `Exception`, or a tuple with it."""
    if isinstance(caught, ast.Tuple):
        return any(map(is_broad, caught.elts))
    return caught is None or getattr(caught, "id", "") in ("Exception", "BaseException")


def rises_again(handler: ast.ExceptHandler) -> bool:
    """Whether the handler only cleans up: its last statement is a bare `raise`."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def called(call: ast.Call) -> str:
    """The last part of what a call calls."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def missing_docstrings(module: Module) -> Iterator[str]:
    if any(part.startswith("_") for part in module.name.split(".")):
        return
    if not ast.get_docstring(module.tree):
        yield f"{module.place}:1: the module has no docstring"
    for node in public_definitions(module.tree):
        if not ast.get_docstring(node):
            yield f"{module.place}:{node.lineno}: {node.name} has no docstring"


def public_definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Public functions and classes of a module, and the public methods of its public classes."""
    waiting: list[ast.Module | ast.ClassDef] = [tree]
    while waiting:
        for node in waiting.pop().body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                if not is_declared_elsewhere(node):
                    yield node
                if isinstance(node, ast.ClassDef):
                    waiting.append(node)


def is_declared_elsewhere(node: Function | ast.ClassDef) -> bool:
    """Whether another place says what this is: an overload, a setter, a protocol's field written as a property."""
    words = {getattr(each, "attr", getattr(each, "id", "")) for each in node.decorator_list}
    is_stub = ast.unparse(node.body[-1]) == "..." if isinstance(node, Function) else False
    return bool(words & {"overload", "setter"}) or ("property" in words and is_stub)


def names_that_say_nothing(root: Path) -> list[str]:
    """Files and folders below `root` that are named for being left over."""
    paths = sorted(root.rglob("*.py"))
    return [path.relative_to(root.parent).as_posix() for path in paths if NAMES_THAT_SAY_NOTHING & words_of(path)]


def words_of(path: Path) -> set[str]:
    """The file's name and its folder's, without the `test_` in front."""
    return {path.stem.removeprefix("test_"), path.parent.name}


def unmatched_tests(tests: Path, package: Path) -> list[str]:
    """Test files that stand beside no module of the package and are not listed as tests of something else."""
    found = []
    for path in sorted(tests.rglob("test_*.py")):
        inside = path.relative_to(tests)
        tested = package / inside.with_name(inside.stem.removeprefix("test_"))
        listed = inside.as_posix() in TESTS_OF_SEVERAL_MODULES or inside.parts[0] in FOLDERS_OF_THEIR_OWN
        of_the_whole = len(inside.parts) == 1 and tested.name in TESTS_OF_THE_WHOLE
        if not (listed or of_the_whole or tested.is_dir() or tested.with_suffix(".py").is_file()):
            found.append(f"tests/{inside.as_posix()}: there is no {package.name}/{tested.relative_to(package)}.py")
    return found
