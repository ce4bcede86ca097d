"""What a complaint of the YAML parser means to the person who wrote the file."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import yaml

from personalize.problems import Edit, Problem, quoted


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What to say when the parser's problem contains `said`, at its mark or where the construct `opens`."""

    said: str
    code: str
    message: str
    hint: str
    opens: bool = False


#: The parser in C where it is built, six times as fast; else the same one in Python.
LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: How wide editors show a tab, and up to how many characters of a file each width is tried.
_TAB_WIDTHS = (2, 4, 8)
_MOST_TRIED = 200_000
_INDENT = "lines that belong together begin in the same column; what belongs to a line is moved in by two blanks"
_QUOTES = 'text that begins with one of @ ` % * & ! | > [ ] { } , # needs quotes: "…"'

#: Asked from first to last, so that the narrow ones stand before the wide ones.
_MEANINGS = (
    _Meaning(
        "mapping values are not allowed",
        "E008",
        "there is a second colon in this line, or the line is moved in too far",
        'put text that contains ": " in quotes; if this is a name of its own, check how far it is moved in',
    ),
    _Meaning(
        "could not find expected ':'",
        "E008",
        "a colon is missing",
        "a line says `name: value`, with a blank behind the colon",
        opens=True,
    ),
    _Meaning("block collection", "E007", "this line is part of a list but has no dash", _INDENT),
    _Meaning("did not find expected key", "E007", "this line does not fit the lines above it", _INDENT),
    _Meaning("expected <block end>", "E007", "this line does not fit the lines above it", _INDENT),
    _Meaning(
        "sequence entries are not allowed",
        "E007",
        "a list cannot begin here",
        "put the dash on the next line",
    ),
    _Meaning(
        "did not find expected ',' or",
        "E010",
        "a bracket is not closed",
        "close it, or check the commas",
        True,
    ),
    _Meaning("expected ',' or", "E010", "a bracket is not closed", "close it, or check the commas", True),
    _Meaning("unexpected end of stream", "E009", "a quote is not closed", "add the closing quote", True),
    _Meaning("document separator", "E009", "a quote is not closed", "add the closing quote", True),
    _Meaning(
        "escape",
        "E020",
        "a backslash in double quotes begins a special character, and this one is unknown",
        "use single quotes, or write the backslash twice",
    ),
    _Meaning("expected hexdecimal", "E020", "a special character is written wrongly", "use single quotes"),
    _Meaning("cannot start any token", "E011", "text cannot begin with this character", _QUOTES),
    _Meaning("alphabetic or numeric character", "E011", "text cannot begin with this character", _QUOTES, True),
    _Meaning("tag", "E011", "text cannot begin with an exclamation mark", _QUOTES, True),
    _Meaning("node content", "E010", "something is missing here", "is a bracket not closed, or a comma too many?"),
)
_UNKNOWN = _Meaning(
    "",
    "E006",
    "this is not YAML that can be read",
    "check the quotes, brackets and blanks in this line and above",
)
_NAMELESS = _Meaning("", "E018", "a name is missing before the colon", "a line says `name: value`")
#: `title:Have been`, but no address (`https://…`).
_GLUED = re.compile(r"\s*(?:- +)*([A-Za-z_][\w.-]*):(?!//)[^\s:]")
#: A quoted text that has come to its end.
_CLOSED_QUOTE = re.compile(r"""(?:: +|- +|^\s*)(?:'[^']*(')|"[^"]*("))$""")
#: `>= 2`, where `>` would begin a text of several lines.
_BARE_ORDER = re.compile(r"(?<=: )(>=?) *([\w.-]+)")
#: `to: segment: x`
_PAIR = re.compile(
    r"\s*(?:- +)*(to|who|not|when|show|given|where|times): +"
    r"(segment|any|all|not|did|in|tagged|from|until|weekdays|hours|[a-z_]+\.[a-z_.]+|[a-z]+_[a-z]+): +(.+)"
)
#: `not: purchase.count` before the colon that braces do not allow, and what stands behind it.
_PAIR_BEFORE, _PAIR_BEHIND = re.compile(r"([\w.-]+): +([\w.-]+)$"), re.compile(r": *([^,{}\[\]]*[^,{}\[\] ])")
_NOTHING_MORE = re.compile(r"\s*(?:\s#.*)?")
_TAB_INDENT = re.compile(r"[ ]*\t\s*\S")


def syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """The one problem to show for a text that the parser gave up on, at the place where it can be cured."""
    lines = re.split(r"\r\n|\r|\n", text)
    said = f"{error.problem or ''} {error.context or ''}"
    at = error.problem_mark.line if error.problem_mark is not None else 0
    if at < len(lines) and _TAB_INDENT.match(lines[at]):
        return _tab_problem(lines, at, file)
    if (glued := _glued_line(lines, at, said)) is not None:
        return _glued_problem(lines, glued, file)
    if "expected ',' or" in said and (nested := _nested_problem(error, lines, file)) is not None:
        return nested
    meaning = next((meaning for meaning in _MEANINGS if meaning.said in said), _UNKNOWN)
    mark = error.context_mark if meaning.opens and error.context_mark is not None else error.problem_mark
    line, column = (1, 1) if mark is None else _inside(lines, mark.line, mark.column)
    found = lines[line - 1][column - 1 :].strip()
    if found.startswith(":") and meaning.code in ("E007", "E010"):
        meaning = _NAMELESS
    if meaning.code == "E007" and (quote := _CLOSED_QUOTE.search(lines[line - 1][: column - 1])) is not None:
        used = quote[1] or quote[2]
        other = '"' if used == "'" else "'"
        hint = f"use {other}…{other} around a text that has {used} in it"
        return Problem("E009", f"the quote ends before {quoted(found)}", file, line, column, hint)
    if meaning.code == "E008" and (pair := _PAIR.fullmatch(lines[line - 1])) is not None:
        hint = f"write {pair[1]}: {{{pair[2]}: {pair[3]}}}; or move it to the next line, in by two blanks"
        return Problem("E008", f"{meaning.message}: {quoted(found)}", file, line, column, hint)
    if (order := _BARE_ORDER.search(lines[line - 1])) is not None and meaning.code in ("E011", "E006"):
        return _order_problem(order, meaning, line, file)
    message = f"{meaning.message}: {quoted(found)}" if found else meaning.message
    return Problem(meaning.code, message, file, line, column, meaning.hint)


def _nested_problem(error: yaml.MarkedYAMLError, lines: list[str], file: str) -> Problem | None:
    """A pair in another one of the same braces, as in `{not: purchase.count: 2}`; None for anything else."""
    mark = error.problem_mark
    if mark is None or mark.line >= len(lines):
        return None
    before, behind = lines[mark.line][: mark.column], lines[mark.line][mark.column :]
    pair, value = _PAIR_BEFORE.search(before), _PAIR_BEHIND.match(behind)
    if pair is None or value is None:
        return None
    message = f"there are two colons in {quoted(f'{pair[0]}: {value[1]}')}"
    hint = f"write {pair[1]}: {{{pair[2]}: {value[1]}}}"
    return Problem("E008", message, file, mark.line + 1, pair.start() + 1, hint)


def _glued_line(lines: list[str], at: int, said: str) -> int | None:
    """The line whose colon has no blank behind it, where that is why the line `at` makes no sense; or None."""
    if "mapping values are not allowed" not in said and "could not find expected ':'" not in said:
        return None
    above = next((index for index in range(min(at, len(lines)) - 1, -1, -1) if lines[index].strip()), None)
    return above if above is not None and _GLUED.match(lines[above]) else None


def _glued_problem(lines: list[str], index: int, file: str) -> Problem:
    found = _GLUED.match(lines[index])
    assert found is not None
    name = quoted(f"{found[1]}:")
    hint = f"write {found[1]}: {lines[index][found.end(1) + 1 :].strip()}"
    fix = (Edit(index + 1, found.end(1) + 2, 0, " "),)
    return Problem("E008", f"a blank is missing after {name}", file, index + 1, found.start(1) + 1, hint, fix=fix)


def _order_problem(order: re.Match[str], meaning: _Meaning, line: int, file: str) -> Problem:
    meant = f"{{{'more_than' if order[1] == '>' else 'at_least'}: {order[2]}}}"
    message, column = f"{meaning.message}: {quoted(order[0])}", order.start() + 1
    is_whole = _NOTHING_MORE.fullmatch(order.string, order.end()) is not None
    fix = (Edit(line, column, len(order[0]), meant),) if is_whole else ()
    return Problem(meaning.code, message, file, line, column, f"write {meant}", fix=fix)


def _tab_problem(lines: list[str], index: int, file: str) -> Problem:
    others = sum(1 for line in lines[index + 1 :] if _TAB_INDENT.match(line))
    more = f" (and {others} more below)" if others else ""
    return Problem(
        "E005",
        f"this line is moved in with a tab{more}",
        file,
        index + 1,
        lines[index].index("\t") + 1,
        "use blanks instead, two for each step; most editors can change all tabs at once",
        fix=_blanks_for_tabs(lines),
    )


def _blanks_for_tabs(lines: list[str]) -> tuple[Edit, ...]:
    """Two blanks for each tab, where the file is moved in with nothing else; beside blanks as many as a tab looks like.

    Where editors show tabs of different widths, and the file would mean something else by each, nothing is mended.
    """
    margins = [line[: len(line) - len(line.lstrip())] for line in lines]
    width = _only_meant(lines, margins) if any(margin.strip("\t") for margin in margins) else 2
    if width is None:
        return ()
    mended = {at: margin.expandtabs(width) for at, margin in enumerate(margins, 1) if "\t" in margin}
    return tuple(Edit(at, 1, len(margins[at - 1]), blanks) for at, blanks in mended.items())


def _only_meant(lines: list[str], margins: list[str]) -> int | None:
    """How wide tabs are if the file is to be read; None where it can't be, or would mean different things."""
    if sum(map(len, lines)) > _MOST_TRIED:
        return None
    read: dict[int, object] = {}
    for width in _TAB_WIDTHS:
        blanks = [margin.expandtabs(width) + line[len(margin) :] for line, margin in zip(lines, margins, strict=True)]
        with suppress(yaml.YAMLError):
            read[width] = [(type(one), getattr(one, "value", None)) for one in yaml.parse("\n".join(blanks), LOADER)]
    is_clear = all(one == other for one, other in pairwise(read.values()))
    return next(iter(read), None) if is_clear else None


def _inside(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """A 1-based place in the text; the parser's place may be behind its end."""
    number = min(line, len(lines) - 1)
    while number > 0 and number == len(lines) - 1 and not lines[number].strip():
        number -= 1
    return number + 1, (column if number == line else len(lines[number].rstrip())) + 1
