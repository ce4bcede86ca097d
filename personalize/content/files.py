"""The folder of content: which files are items, what they are called, and their front matter.

Reads the disk in `read_content`; everything else here works on names and texts.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from personalize.problems import Problem, Problems, quoted
from personalize.yaml_tree import Mapping, Place, parse_yaml, read_text

COLLECTIONS_FILE = "collections.yaml"
#: A page of a book has about 3,000 characters; what is longer than this is no piece of a page.
MAX_ITEM_BYTES = 200_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FOLDER = re.compile(r"(?!\.\.?$)[\w .-]+")
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_SUFFIXES = (".md", ".html")
_FENCE = re.compile(r"---[ \t]*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNQUOTED = re.compile(r"[ \t-]*(?:[\w-]+[ \t]*:)?[ \t]+\{\{.*")


@dataclass(frozen=True, slots=True)
class ItemName:
    """What the path of a file says: the folder it lies in, its own name, and how its body is written."""

    collection: str
    name: str
    is_markdown: bool

    @property
    def item_id(self) -> str:
        """`collection/name`, as rules name it."""
        return f"{self.collection}/{self.name}"


def read_content(root: Path, problems: Problems) -> dict[str, str]:
    """The text of every file of a content folder, by its path with forward slashes: `content/heroes/calm.md`.

    Sorted by path. Hidden files, copies that editors keep (`calm.md~`) and README.md are passed over. What cannot
    be used goes to `problems`: links that lead out of the folder, files too large or not UTF-8.
    """
    try:
        home = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        _unreadable(root.name, error, problems)
        return {}
    texts: dict[str, str] = {}
    for path in sorted(_walk(home, home, problems)):
        name = _shown(path, home)
        if not _printable(name):
            problems.error("E402", f"the name {quoted(name)} cannot be read", file=quoted(name), hint=_GRAMMAR)
        elif _is_read(name, problems) and (text := _read(path, name, problems)) is not None:
            texts[name] = text
    return texts


def _shown(path: Path, home: Path) -> str:
    return (Path(home.name) / path.relative_to(home)).as_posix()


def _unreadable(name: str, error: OSError | RuntimeError, problems: Problems) -> None:
    reason = (error.strerror if isinstance(error, OSError) else None) or "its links lead in a circle"
    problems.error("E401", f"the folder {quoted(name)} cannot be read: {reason}", file=name)


def _walk(folder: Path, home: Path, problems: Problems) -> Iterator[Path]:
    """The files that may be content, also those too deep by one folder, so that they are reported."""
    try:
        entries = [entry for entry in folder.iterdir() if not _is_passed_over(entry.name)]
        for entry in entries:
            yield from _entry(entry, home, problems)
    except OSError as error:
        _unreadable(_shown(folder, home), error, problems)


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or is_explanation(name)


def is_explanation(path: str) -> bool:
    """Whether a file is a README.md, which explains a folder to its editors."""
    return path.rpartition("/")[2].lower() == "readme.md"


def _entry(entry: Path, home: Path, problems: Problems) -> Iterator[Path]:
    if entry.is_symlink() and not _leads_inside(entry, home):
        hint = "put the file itself here instead of a link to it"
        message = f"{quoted(entry.name)} is a link that leads out of the folder, or nowhere"
        problems.error("E403", message, None, hint, file=_shown(entry, home))
    elif not entry.is_dir():
        yield entry
    elif len(entry.relative_to(home).parts) <= 2:
        yield from _walk(entry, home, problems)


def _leads_inside(link: Path, home: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(home)
    except (OSError, RuntimeError):
        return False


def _printable(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _is_read(name: str, problems: Problems) -> bool:
    last = name.rpartition("/")[2]
    if last.lower().endswith(_SUFFIXES) or last == COLLECTIONS_FILE:
        return True
    hint = f"items are .md or .html files; collections are declared in {COLLECTIONS_FILE}"
    problems.warning("W401", f"{quoted(last)} is not read", None, hint, file=name)
    return False


def _read(path: Path, name: str, problems: Problems) -> str | None:
    if path.name == COLLECTIONS_FILE:
        return read_text(path, name, problems)
    return read_text(path, name, problems, MAX_ITEM_BYTES)


_SPELLED_OUT = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ł": "l", "þ": "th", "ð": "d"})
_GRAMMAR = "small letters (a to z), digits, - and _, such as content/offers/spring-tents.md"


def item_name(path: str, problems: Problems) -> ItemName | None:
    """What the path of an item file says, or None (and a problem) where it cannot be an item's."""
    parts = path.split("/")
    if len(parts) != 3 or not _FOLDER.fullmatch(parts[0]):
        problems.error("E404", f"{quoted(path)} does not lie in the folder of a collection", None, _GRAMMAR, file=path)
        return None
    folder, (name, dot, suffix) = parts[1], parts[2].rpartition(".")
    for part in (folder, name):
        wrong = _wrong_with_name(part)
        if wrong is not None:
            hint = _name_meant(part, dot + suffix if part is name else "") or _GRAMMAR
            problems.error("E402", f"{quoted(part)} cannot be a name: {wrong}", None, hint, file=path)
            return None
    if dot + suffix not in _SUFFIXES:
        problems.error("E402", f"{quoted(parts[2])} is no item: the file is .md or .html", file=path)
        return None
    return ItemName(folder, name, suffix == "md")


def _name_meant(name: str, suffix: str) -> str | None:
    """A hint with a name that may stand, as near as can be; None where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED_OUT))
    meant = re.sub("[^a-z0-9_]+", "-", re.sub("[\u0300-\u036f]", "", plain)).strip("-")
    if _NAME.fullmatch(meant) is None or _DEVICES.fullmatch(meant):
        return None
    return f"use {meant}{suffix}: small letters (a to z), digits, - and _"


def _wrong_with_name(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "it is empty" if not name else "there is something else in it than small letters, digits, - and _"
    if _DEVICES.fullmatch(name):
        return "Windows keeps it for a device"
    return None


@dataclass(frozen=True, slots=True)
class ItemText:
    """The two halves of an item file. `body` has `\\n` as line ends and begins in line `body_line` of the file."""

    file: str
    front: Mapping
    body: str
    body_line: int

    def place(self, index: int, length: int = 1) -> Place:
        """Where a character of the body stands in the file."""
        before = self.body[:index]
        column = index - (before.rfind("\n") + 1) + 1
        return Place(self.file, self.body_line + before.count("\n"), column, index, index + length)


def split_item(text: str, file: str, problems: Problems) -> ItemText | None:
    """The front matter between two lines of `---`, and the body below; None (and a problem) where there is none."""
    lines = _LINE_END.sub("\n", text.removeprefix("\ufeff")).split("\n")
    if not _FENCE.fullmatch(lines[0]):
        problems.add(Problem("E420", "the file does not begin with a line of ---", file, 1, 1, _FRONT_MATTER))
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), None)
    if end is None:
        message = "the front matter is not closed: a second line of --- is missing"
        problems.add(Problem("E421", message, file, 1, 1, _FRONT_MATTER, length=3))
        return None
    front = _front_matter(lines[1:end], file, problems)
    if front is None:
        return None
    return ItemText(file, front, "\n".join(lines[end + 1 :]), end + 2)


_FRONT_MATTER = "begin with a line of ---, then `title: …`, then a second line of ---, then the text"


def _front_matter(lines: list[str], file: str, problems: Problems) -> Mapping | None:
    found = Problems()
    # The empty first line stands for the ---, so that problems name the line of the file.
    root = parse_yaml("\n" + "\n".join(lines), file, found)
    unquoted = [number for number, line in enumerate(lines) if _UNQUOTED.fullmatch(line)]
    if found.has_errors and unquoted:
        for number in unquoted:
            column = lines[number].index("{{") + 1
            hint = 'put quotes around the whole value: title: "{{ visitor.first_name | there }}, hello"'
            message = "a value that begins with {{ needs quotes"
            problems.add(Problem("E422", message, file, number + 2, column, hint, length=2))
        return None
    problems.extend(found.list)
    if isinstance(root, Mapping):
        return root
    if not found.has_errors:
        problems.add(Problem("E420", "the front matter holds no names with values", file, 1, 1, _FRONT_MATTER))
    return None
