"""Mends the files of a draft where it is beyond doubt what was meant; every change is checked again."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from personalize.edits import edited
from personalize.problems import Problem
from personalize.runtime.draft import Draft, path_of
from personalize.settings import Settings

#: A fault of the shape of a file hides others: each pass may bring up what the last one has uncovered.
_MOST_PASSES = 20
#: What the YAML parser takes for the end of a line and the terminal does not: lines can't be counted there.
_OTHER_LINE_ENDS = ("\x85", "\u2028", "\u2029")

Check = Callable[[Mapping[str, str]], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class Mended:
    """The draft after all that a machine may mend, and what was mended, in order."""

    draft: Draft
    fixed: tuple[Problem, ...]


def mend(draft: Draft, check: Check) -> Mended:
    """Make the edits of all problems that have some, again and again until `check` finds no more.

    What an edit did not mend, or made worse, is put back and left to the author. Nothing is written to the disk.
    """
    files, fixed, left_alone = dict(draft.files), list[Problem](), set[str]()
    found = check(files)
    for _ in range(_MOST_PASSES):
        todo = _fixable(found, files, left_alone)
        if not todo:
            break
        tried = {**files, **{file: _after(files[file], problems) for file, problems in todo.items()}}
        after = check(tried)
        failed = {file for file, problems in todo.items() if _is_no_better(problems, found, after, file)}
        if failed:
            left_alone |= failed
            tried |= {file: files[file] for file in failed}
            after = check(tried)
        fixed += [problem for file, problems in todo.items() if file not in failed for problem in problems]
        files, found = tried, after
    return Mended(Draft(MappingProxyType(files)), tuple(fixed))


def _fixable(found: Sequence[Problem], files: Mapping[str, str], left_alone: set[str]) -> dict[str, list[Problem]]:
    todo = defaultdict[str, list[Problem]](list)
    for problem in found:
        file = problem.file or ""
        if problem.fix and file in files and file not in left_alone:
            todo[file].append(problem)
    return {file: some for file, some in todo.items() if not any(end in files[file] for end in _OTHER_LINE_ENDS)}


def _after(text: str, problems: Sequence[Problem]) -> str:
    return edited(text, [edit for problem in problems for edit in problem.fix])


def _is_no_better(mended: Sequence[Problem], before: Sequence[Problem], after: Sequence[Problem], file: str) -> bool:
    """Whether one of these problems is still told of its line, or the file can be read less well than before."""
    still = {(one.code, one.line, one.message) for one in after if one.file == file}
    unreadable = [sum(one.file == file and one.code.startswith("E0") for one in found) for found in (before, after)]
    return unreadable[1] > unreadable[0] or any((one.code, one.line, one.message) in still for one in mended)


def save(mended: Mended, before: Draft, settings: Settings) -> tuple[str, ...]:
    """Write the files that were mended; those that somebody else has changed meanwhile are left as they are.

    Gives the names of those that were left. Raises OSError where a file can't be written.
    """
    left = []
    for name, text in mended.draft.files.items():
        if text != before.files[name]:
            path = path_of(name, settings).resolve()
            was = path.read_bytes()
            mark = b"\xef\xbb\xbf" if was.startswith(b"\xef\xbb\xbf") else b""
            if was == mark + before.files[name].encode():
                _replace(path, mark + text.encode())
            else:
                left.append(name)
    return tuple(left)


def _replace(path: Path, data: bytes) -> None:
    """Write all or nothing: whoever reads the file meanwhile finds it as it was, or as it is."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
    beside = Path(file.name)
    beside.chmod(path.stat().st_mode)
    beside.replace(path)
