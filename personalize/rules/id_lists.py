"""Lists of ids from CSV files, such as the numbers of the customers whom a letter went to."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from personalize.problems import Problems, quoted
from personalize.rules.equality import Listed
from personalize.rules.fact_values import decimal_number
from personalize.rules.facts import Fact, FactType

LISTS_FOLDER = "lists"
SUFFIX = ".csv"
#: In bytes; about a million ids of customers.
LARGEST_LIST = 10_000_000
_FIRST_CELL = re.compile(r'^[ \t]*("(?:[^"\r\n]|"")*"|[^,;\t\r\n]*)', re.MULTILINE)
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class NamedList:
    """The ids of a list as values of one type. `digest` tells what is in it apart from what was."""

    name: str
    digest: str
    ids: Listed = field(compare=False, repr=False)

    def __str__(self) -> str:
        return quoted(self.name)


class IdLists(Mapping[str, str]):
    """The texts of a rule set's lists by name, read as ids when a rule first asks for them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[tuple[str, FactType, bool], NamedList] = {}

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def ids_for(self, name: str, fact: Fact) -> NamedList:
        """The ids of a list as values that the fact can be compared with. Raises KeyError for an unknown list."""
        key = (name, fact.type, fact.fold)
        if key not in self._read:
            text = self._texts[name]
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            self._read[key] = NamedList(name, digest, Listed(_values(text, fact)))
        return self._read[key]


def id_lists(files: Mapping[str, str], problems: Problems) -> IdLists:
    """The lists among rule files (path -> text): `rules/lists/vip.csv` is the list `vip`."""
    texts: dict[str, str] = {}
    for path in sorted(path for path in files if is_list(path)):
        name = PurePosixPath(path).stem
        if PurePosixPath(path).parent.name != LISTS_FOLDER or not _FILE_NAME.fullmatch(name):
            hint = f"lists are files such as rules/{LISTS_FOLDER}/best-customers.csv: small letters, digits, - and _"
            problems.error("E243", f"{quoted(path)} is no list that a rule could name", file=path, hint=hint)
        elif name in texts:
            problems.error("E206", f"there is a list {quoted(name)} already", file=path)
        else:
            texts[name] = files[path]
    return IdLists(texts)


def is_list(path: str) -> bool:
    """Whether a file among the rules is a list of ids."""
    return path.endswith(SUFFIX)


def _values(text: str, fact: Fact) -> Iterator[object]:
    for written in _first_column(text):
        match fact.type:
            case FactType.NUMBER:
                number = decimal_number(_unquoted(written))
                if number is not None:
                    yield number
            case FactType.ANY:
                yield _any(written)
            case _:
                plain = _unquoted(written)
                yield plain.casefold() if fact.fold else plain


def _first_column(text: str) -> Iterator[str]:
    """What stands first in each line that says anything, as it is written."""
    return filter(None, (found[1].strip() for found in _FIRST_CELL.finditer(text)))


def _unquoted(written: str) -> str:
    return written[1:-1].replace('""', '"') if len(written) > 1 and written[0] == written[-1] == '"' else written


def _any(written: str) -> object:
    """A number where it is written as one, without quotes; else a text."""
    number = decimal_number(written)
    return _unquoted(written) if number is None else number
