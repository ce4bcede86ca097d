"""What `import personalize` gives: few names, each said in a docstring, and enough for a whole site."""

import ast
import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import personalize
from tests.conftest import REPOSITORY

NAMES = tuple(vars(personalize).get("__all__", ()))


def test_there_are_few_enough_names_to_know_them_all() -> None:
    assert 10 <= len(NAMES) <= 40
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.sources  # what is compiled has no docstrings; its sources lie beside it
@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_it_is(name: str) -> None:
    value = getattr(personalize, name)
    assert not isinstance(value, ModuleType), "a name, not the module where it lives"
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value)


@pytest.mark.parametrize("name", ["Authorizer", "Clock", "ConsentSource", "FactSource", "LoginSource", "Store"])
def test_a_site_may_write_its_own(name: str) -> None:
    """Type checkers and editors help whoever inherits from a protocol; it has to be one that is not compiled."""
    own = type("Own", (getattr(personalize, name),), {})
    assert isinstance(own(), own)


def test_a_site_may_change_a_login_that_there_is() -> None:
    class ByMail(personalize.ScopeLogin):
        def user_id(self, scope: personalize.Scope) -> str | None:
            return super().user_id(scope) or "anna@example.org"

    assert ByMail().user_id({}) == "anna@example.org"


@pytest.mark.parametrize(
    "value",
    [
        *(personalize.Consent(frozenset({"measure"}), is_news=True), personalize.Consent()),
        personalize.Decision("hero", ("things/tent",), "tents", personal=True, version="v1"),
        personalize.Identity(visitor_id="vA"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_copied_and_kept_by_a_site_as_it_is(value: object) -> None:
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == value and repr(other) == repr(value)


def test_nothing_public_is_left_off_the_list() -> None:
    names = {name for name, value in vars(personalize).items() if not isinstance(value, ModuleType)}
    assert {name for name in names if not name.startswith("_")} <= set(NAMES)


def test_every_public_name_is_listed_before_anybody_asked_for_it() -> None:
    program = "import sys, personalize; print(*dir(personalize), 'starlette' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    *listed, is_loaded = done.stdout.split()
    assert set(NAMES) <= set(listed)
    assert is_loaded == "False"


def test_a_name_that_is_none_is_refused_as_by_every_module() -> None:
    with pytest.raises(AttributeError, match="module 'personalize' has no attribute 'warp'"):
        getattr(personalize, "warp")  # noqa: B009
    with pytest.raises(ImportError, match="cannot import name 'warp'"):
        exec("from personalize import warp")


def test_a_type_checker_sees_the_same_names() -> None:
    """A name that is only loaded when asked for must still be written as an import that a type checker reads."""
    tree = ast.parse((REPOSITORY / "personalize" / "__init__.py").read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    imported = {
        alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert set(NAMES) <= imported | assigned
    homes = {alias.name: node.module for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name: homes[name] for name in NAMES if name != "wrap"} == vars(personalize)["_HOMES"]


def test_the_example_site_uses_public_names_only() -> None:
    found = [line for path in sorted((REPOSITORY / "example_site").rglob("*.py")) for line in inner_names(path)]
    assert not found, "\n" + "\n".join(found)


def inner_names(path: Path) -> list[str]:
    """Where a file takes something of personalize that is not one of its public names."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            taken = [alias.name for alias in node.names if alias.name.startswith("personalize.")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "personalize":
            taken = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [
            f"{path.relative_to(REPOSITORY)}:{node.lineno}: {name} is not public"
            for name in taken
            if name.removeprefix("personalize.") not in NAMES
        ]
    return found
