"""The tree of errors: drawn as it is, and every error carries what is needed to react."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from personalize import errors
from personalize.errors import (
    AddressRefused,
    AwayFromRequest,
    CountingStopped,
    EventConflict,
    EventRefused,
    ExportRefused,
    InvalidFiles,
    MigrationRefused,
    NewerStore,
    NotDelivered,
    PersonalizeError,
    ReadingStopped,
    ReadOnlyStore,
    SecretUnreadable,
    SettingsError,
    StaleVersion,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    TakenOver,
    UnknownVersion,
)
from personalize.problems import Problem

PROBLEMS = (
    Problem("R105", 'segment "memebers" does not exist', "rules/home.yaml", 14, 11, "did you mean `members`?"),
    Problem("E001", '"rules/cart.yaml" cannot be read', "rules/cart.yaml"),
)
EVERY_ERROR = [
    SettingsError(PROBLEMS),
    InvalidFiles(PROBLEMS),
    EventRefused("V101", "an amount is missing", "amount"),
    EventConflict("till", "sale-1"),
    ExportRefused("cut"),
    TakenOver("v:ann", "u:1"),
    NotDelivered("the answer was 500", 500),
    AddressRefused(),
    SecretUnreadable(Path("var/crm.secret"), "it is empty"),
    MigrationRefused("holds something else"),
    StoreError("odd"),
    StoreBusy("locked for 5 s"),
    StoreUnavailable("disk full"),
    NewerStore("what comes next year"),
    ReadOnlyStore(),
    StaleVersion("c3d4"),
    UnknownVersion("a1b2"),
    CountingStopped("signal 9"),
    ReadingStopped("signal 9"),
    AwayFromRequest(),
]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = ["PersonalizeError"]
    for branch, name in re.findall(r"^([│ ]*[├└]── )(\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(branch) // 4
        path[depth:] = [name]
        drawn[name] = path[depth - 1]
    public = {
        name: each.__mro__[1].__name__
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, PersonalizeError) and not name.startswith("_")
    }
    del public["PersonalizeError"]
    public = {name: "PersonalizeError" if base.startswith("_") else base for name, base in public.items()}
    assert drawn == public
    assert {type(error).__name__ for error in EVERY_ERROR} == set(public)


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_an_error_is_caught_by_the_root_and_survives_the_way_to_another_process(error: PersonalizeError) -> None:
    assert isinstance(error, PersonalizeError)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error) != ""


@pytest.mark.parametrize("kind", [SettingsError, InvalidFiles])
def test_an_error_about_files_carries_all_problems_and_prints_one_a_line(
    kind: type[SettingsError] | type[InvalidFiles],
) -> None:
    error = kind(PROBLEMS)
    assert error.problems == PROBLEMS
    assert str(error).splitlines() == [
        'rules/home.yaml:14:11: error R105: segment "memebers" does not exist (did you mean `members`?)',
        'rules/cart.yaml: error E001: "rules/cart.yaml" cannot be read',
    ]


def test_a_refused_event_carries_a_code_for_programs_and_a_reason_for_people() -> None:
    error = EventRefused("V101", "an amount is missing", "amount")
    assert (error.code, error.reason, error.field) == ("V101", "an amount is missing", "amount")
    assert str(error) == "V101: an amount is missing"
    assert EventRefused("V102", "unknown").field is None


@pytest.mark.parametrize("kind", [StoreBusy, StoreUnavailable, ReadOnlyStore])
def test_every_trouble_with_a_store_is_a_store_error_with_a_reason(kind: type[StoreError]) -> None:
    error = kind("because")
    assert isinstance(error, StoreError)
    assert error.reason == str(error) == "because"
    assert type(error)().reason


def test_an_unknown_version_is_named() -> None:
    assert UnknownVersion("a1b2").version == "a1b2"
    assert '"a1b2"' in str(UnknownVersion("a1b2"))
