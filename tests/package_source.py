"""The source of a package as the tests of its shape read it: modules, imports, what names stand for."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, as `personalize.rules.parse`, and the name taken from it, if one was."""

    target: str
    name: str | None
    line: int
    for_types: bool
    in_function: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: `place` is its path from the package's parent, `path_inside` from the package."""

    name: str
    place: str
    path_inside: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether the file is a package's `__init__.py`."""
        return self.place.endswith("__init__.py")


@cache
def read_package(root: Path) -> tuple[Module, ...]:
    """Every module under a package's folder, sorted by path; read once, for many tests look at all of it."""
    return tuple(read_module(path, root) for path in sorted(root.rglob("*.py")))


def read_module(path: Path, root: Path) -> Module:
    """One file of the package that lies in `root`."""
    inside = path.relative_to(root)
    parts = [root.name, *inside.with_suffix("").parts]
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    place = (root.name / inside).as_posix()
    return Module(name, place, inside.as_posix(), text, ast.parse(text, filename=place))


def imports_of(module: Module, known: frozenset[str]) -> list[Import]:
    """All imports of a module in the order of its lines; `known` are the names of the package's modules."""
    found: list[Import] = []
    for node, for_types, in_function in walk_with_scope(module.tree):
        for target, name in targets_of(node, module, known):
            found.append(Import(target, name, node.lineno, for_types, in_function))
    return sorted(found, key=lambda each: each.line)


def walk_with_scope(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, bool, bool]]:
    """Every node with whether it stands under `if TYPE_CHECKING:`, and whether in a function."""
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while waiting:
        node, for_types, in_function = waiting.pop()
        if isinstance(node, ast.expr | ast.stmt):
            yield node, for_types, in_function
        inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        only_types = node.body if isinstance(node, ast.If) and asks_type_checking(node.test) else []
        for child in ast.iter_child_nodes(node):
            waiting.append((child, for_types or child in only_types, inner))


def asks_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def targets_of(node: ast.AST, module: Module, known: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    """The modules that one statement or call imports, each with the name taken from it."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = resolve(node.module or "", node.level, module)
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            yield (inner, None) if inner in known else (source, alias.name)
    elif isinstance(node, ast.Call) and node.args and is_dynamic_import(node.func):
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            stripped = first.value.lstrip(".")
            yield resolve(stripped, len(first.value) - len(stripped), module), None


def is_dynamic_import(function: ast.expr) -> bool:
    """Whether a call is `import_module(…)`, `importlib.import_module(…)` or `__import__(…)`."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def resolve(name: str, level: int, module: Module) -> str:
    """The absolute name of a module that is imported with `level` leading dots."""
    if level == 0:
        return name
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    return ".".join([*package[: len(package) - level + 1], *([name] if name else [])])


def meanings_of(module: Module) -> dict[str, str]:
    """What each imported name of a module stands for: `{"dt": "datetime", "now": "time.time"}`."""
    meanings: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                meanings[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            source = resolve(node.module or "", node.level, module)
            meanings.update((alias.asname or alias.name, f"{source}.{alias.name}") for alias in node.names)
    return meanings


def dotted(node: ast.expr, meanings: dict[str, str]) -> str | None:
    """The full name that a chain like `dt.datetime.now` stands for; None if no import gave its first name."""
    if isinstance(node, ast.Name):
        return meanings.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, meanings)
        return f"{owner}.{node.attr}" if owner else None
    return None
