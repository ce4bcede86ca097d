"""Light values behave as frozen dataclasses do, but for the guard that nobody pays for at run time."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from dataclasses import replace as replaced
from datetime import UTC, datetime

import pytest

from personalize.events.event import Event
from personalize.light_values import replace
from personalize.profiles.profile import Ties
from tests.conftest import REPOSITORY
from tests.package_source import read_package

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = Event("id", "web", "page_view", "v:a", NOW, NOW, {})


def test_a_light_value_is_a_dataclass_with_slots() -> None:
    assert [field.name for field in fields(EVENT)][:2] == ["event_id", "sender"]
    assert not hasattr(EVENT, "__dict__")


def test_light_values_are_equal_and_hashed_by_their_fields() -> None:
    other = replace(EVENT, sender="app")
    assert other != EVENT and replace(other, sender="web") == EVENT
    one, same, another = (Ties(claimed_by=(name,)) for name in ("u:a", "u:a", "u:b"))
    assert {one, same, another} == {one, another}


def test_a_changed_value_is_another_one_and_the_first_stays() -> None:
    other = replace(EVENT, sender="app", version="v2")
    assert other == replaced(EVENT, sender="app", version="v2")
    assert (EVENT.sender, EVENT.version) == ("web", None)
    with pytest.raises(AttributeError):
        replace(EVENT, sendr="app")


def written_out(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """The light values of a module that write their own `__init__`."""
    for each in ast.walk(tree):
        if isinstance(each, ast.ClassDef) and "light_dataclass" in "".join(map(ast.unparse, each.decorator_list)):
            yield from [each for part in each.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]


def faults_of(value: ast.ClassDef) -> Iterator[str]:
    """What is not as dataclasses would write it: each field in order, guarded, and set to what is given for it."""
    fields = [part for part in value.body if isinstance(part, ast.AnnAssign)]
    made = next(part for part in value.body if isinstance(part, ast.FunctionDef) and part.name == "__init__")
    given = [argument for argument in made.args.args if argument.arg != "self"]
    declared = [(ast.unparse(field.target), ast.unparse(field.annotation)) for field in fields]
    if declared != [(each.arg, f"Final[{ast.unparse(each.annotation)}]") for each in given if each.annotation]:
        yield f"{value.name}: __init__ takes other fields than are declared"
    if [ast.unparse(line) for line in made.body] != [f"self.{each.arg} = {each.arg}" for each in given]:
        yield f"{value.name}: __init__ sets other fields than it takes"


def test_who_writes_its_own_init_takes_and_sets_its_fields() -> None:
    found = [value for module in read_package(REPOSITORY / "personalize") for value in written_out(module.tree)]
    assert {"RequestFacts", "PageEvents", "Profile", "Visit"} <= {value.name for value in found}
    assert [fault for value in found for fault in faults_of(value)] == []


WRITTEN = """
@light_dataclass(frozen=False, slots=True)
class Pair:
    one: Final[int]
    other: Final[str]

    def __init__(self, one: int, other: str = "") -> None:
        self.one = one
        self.other = other
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("    other: Final[str]\n", ""),
        ("other: Final[str]", "other: str"),
        ("one: int, other: str", "other: str, one: int"),
        ('other: str = ""', 'other: int = ""'),
        ("self.other = other", "self.other = one"),
        ("        self.other = other\n", ""),
    ],
)
def test_a_field_that_is_forgotten_or_mistaken_is_found(right: str, wrong: str) -> None:
    assert [list(faults_of(value)) for value in written_out(ast.parse(WRITTEN))] == [[]]
    assert WRITTEN.count(right) == 1
    (value,) = written_out(ast.parse(WRITTEN.replace(right, wrong)))
    assert list(faults_of(value))
