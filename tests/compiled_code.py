"""What mypyc makes something else of than Python does: the search for it in what is compiled.

It refuses most that it can't compile. This is what it compiles all the same, and what shows late. Each finding is a
line, `file:line: what is wrong`.
"""

import ast
from collections.abc import Iterator, Sequence

from tests.house_style import rises_again
from tests.package_source import Module, dotted, meanings_of

#: mypyc writes an underscore before the name of each attribute; these are then words of the C compiler, or macros.
NAMES_THAT_C_KEEPS = frozenset(
    {
        *("_alignof", "_asm", "_attribute", "_auto_type", "_block", "_complex", "_const", "_extension", "_imag"),
        *("_inline", "_int128", "_label", "_linux", "_null", "_real", "_restrict", "_signed", "_strong", "_thread"),
        *("_typeof", "_unix", "_volatile", "_weak", "Alignas", "Alignof", "Atomic", "Bool", "Complex", "Generic"),
        *("Imaginary", "Noreturn", "Static_assert", "Thread_local"),
    }
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Inner = _Function | ast.Lambda | ast.ClassDef
_Stop = ast.Await | ast.Yield | ast.YieldFrom | ast.AsyncFor | ast.AsyncWith


def stops_in_finally(module: Module) -> Iterator[str]:
    """A coroutine that was stopped there forgets what was thrown into it."""
    for node in ast.walk(module.tree):
        for stop in stops_in(node.finalbody) if isinstance(node, ast.Try) else ():
            yield f"{module.place}:{stop.lineno}: stops in a finally, where what was thrown gets lost"


def stops_in_handler(module: Module) -> Iterator[str]:
    """Whatever runs meanwhile, a stranger's request, has the exception that is handled as its context."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and not rises_again(node):
            for stop in stops_in(node.body):
                yield f"{module.place}:{stop.lineno}: stops in an except that does not end with a bare raise"


def stops_in(body: Sequence[ast.AST]) -> Iterator[_Stop]:
    """Where the function of these statements may stop and let others run; not the functions inside of it."""
    for node in body:
        if isinstance(node, _Stop):
            yield node
        if not isinstance(node, _Inner):
            yield from stops_in([*ast.iter_child_nodes(node)])


def asynchronous_generators(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef) and any(isinstance(one, ast.Yield) for one in stops_in(node.body)):
            yield f"{module.place}:{node.lineno}: {node.name} is an asynchronous generator"


def deleted_attributes(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        for target in node.targets if isinstance(node, ast.Delete) else ():
            if isinstance(target, ast.Attribute):
                yield f"{module.place}:{node.lineno}: deletes {ast.unparse(target)}"


def names_of_c(module: Module) -> Iterator[str]:
    """Attributes that the C compiler takes for a word of its own."""
    for node in ast.walk(module.tree):
        names: list[str] = []
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names = [node.attr]
        elif isinstance(node, ast.ClassDef):
            fields = (one for one in node.body if isinstance(one, ast.AnnAssign))
            names = [one.target.id for one in fields if isinstance(one.target, ast.Name)]
        for name in NAMES_THAT_C_KEEPS.intersection(names):
            yield f"{module.place}:{node.lineno}: _{name}, as C has it, is a word of the C compiler"


def taken_names(module: Module) -> Iterator[str]:
    """A parameter that is only given by its place takes its name from what is given by name, compiled."""
    for node in functions([module]):
        for parameter in node.args.posonlyargs if node.args.kwarg else ():
            if parameter.arg != "self" and not parameter.arg.startswith("_"):
                yield f"{module.place}:{node.lineno}: nothing that {node.name} is given may be called {parameter.arg}"


def kept_properties(module: Module) -> Iterator[str]:
    """A compiled object has no dictionary where such a value could be kept."""
    for node in ast.walk(module.tree):
        if isinstance(node, _Function) and {"cached_property", "once"} & {name_of(one) for one in node.decorator_list}:
            yield f"{module.place}:{node.lineno}: {node.name} is kept, and there is no place for it"


def sets_of_keys(module: Module) -> Iterator[str]:
    """`frozenset & mapping.keys()` gives a set, which type checkers take for a frozenset: `intersection` gives one."""
    joins = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
    for node in ast.walk(module.tree):
        is_joined = isinstance(node, ast.BinOp) and isinstance(node.op, joins)
        if is_joined and are_keys(node.right) and not is_set(node.left):
            yield f"{module.place}:{node.lineno}: {ast.unparse(node)} is a set, even if the left is a frozenset"


def are_keys(node: ast.expr) -> bool:
    """Whether an expression calls for the keys of a mapping, or for its items."""
    return isinstance(node, ast.Call) and name_of(node.func) in ("keys", "items") and not node.args


def is_set(node: ast.expr) -> bool:
    """Whether an expression certainly gives a set, or keys."""
    is_made = isinstance(node, ast.Call) and name_of(node.func) == "set"
    return is_made or are_keys(node) or isinstance(node, ast.Set | ast.SetComp)


def called_properties(compiled: Sequence[Module], package: Sequence[Module]) -> Iterator[str]:
    """A property of a compiled class, called at once: compiled, the call does not reach what the property gives. Where
    a method of the package has the same name nobody can tell here which one is called."""
    properties = {node.name for node in functions(compiled) if is_property(node)}
    methods = {node.name for node in functions(package) if not is_property(node)}
    for module in compiled:
        for node in ast.walk(module.tree):
            asked = node.func if isinstance(node, ast.Call) else None
            if isinstance(asked, ast.Attribute) and asked.attr in properties - methods:
                yield f"{module.place}:{node.lineno}: {ast.unparse(asked)} is a property, called at once"


def heirs_of_compiled(compiled: Sequence[Module], package: Sequence[Module]) -> Iterator[str]:
    """No class can inherit from a compiled one unless it is compiled itself; that shows when one is made of it."""
    places = {f"{module.name}.{node.name}": module.place for module in compiled for node in classes(module)}
    for module in package:
        meanings = meanings_of(module)
        for node in classes(module) if module not in compiled else ():
            for base in node.bases:
                if (place := places.get(dotted(base, meanings) or "")) is not None:
                    yield f"{module.place}:{node.lineno}: {node.name} inherits from a class of {place}"


def classes(module: Module) -> Iterator[ast.ClassDef]:
    """Every class of a module."""
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))


def functions(modules: Sequence[Module]) -> Iterator[_Function]:
    """Every function and method."""
    for module in modules:
        yield from (node for node in ast.walk(module.tree) if isinstance(node, _Function))


def is_property(node: _Function) -> bool:
    """Whether a method is asked for without being called."""
    return "property" in {name_of(one) for one in node.decorator_list}


def name_of(node: ast.expr) -> str:
    """The last part of a name, without what it is subscribed with."""
    bare = node.value if isinstance(node, ast.Subscript) else node
    return getattr(bare, "attr", getattr(bare, "id", ""))
