"""The form of rule files: whatever blanks, comments and indentation somebody writes, one text comes of it."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalize.problems import Problems
from personalize.rules.reading.form import in_form
from personalize.yaml_tree import parse_yaml, to_data
from tests.conftest import REPOSITORY

_WORDS = st.sampled_from(
    ["a", "NO", "1.10", "007", "true", "null", "~", "2026-12-24", '"#no"', "'it''s'", "x y", "8:00"]
)
_KEYS = st.sampled_from(["id", "to", "show", "profile.city", '"quoted"', "é"])
_SEVERAL_LINES = st.sampled_from(
    [
        ("|", "first", "  second  ", "", "third # no comment"),
        (">-", "folded", "words"),
        ("|+", "kept", "", ""),
        ("plain", "text on", "two lines"),
        ('"quoted', "on two", 'lines"'),
        ("[one,", "  two, # of them", "three]"),
        ("{a: 1,", "b:   2}"),
    ]
)
_FLOW = st.recursive(
    _WORDS.filter(lambda word: "'" not in word),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b-c", '"d"']), inner, max_size=3)
    ),
    max_leaves=6,
)


def blocks(depth: int = 3) -> st.SearchStrategy[object]:
    """A value as it is written: a word, brackets, lines, or a block of keys or dashes."""
    single = st.one_of(_WORDS, _FLOW.map(lambda value: ("flow", value)), _SEVERAL_LINES.map(lambda one: ("lines", one)))
    if depth == 0:
        return single
    inner = blocks(depth - 1)
    return st.one_of(
        single,
        st.dictionaries(_KEYS, inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3),
    )


class Writer:
    """Writes a value as YAML, with whatever blanks it draws."""

    def __init__(self, data: st.DataObject, *, comments: bool) -> None:
        self._data = data
        self._comments = comments
        self._count = 0

    def text(self, value: object) -> str:
        lines = self._block(value, 0)
        return "\n".join(lines) + self._draw(["\n", "", "\n\n\n"])

    def _draw(self, choices: list[str]) -> str:
        return self._data.draw(st.sampled_from(choices))

    def _block(self, value: object, column: int) -> list[str]:
        lines: list[str] = []
        for mark, inner in value.items() if isinstance(value, dict) else [("-", one) for one in value]:  # type: ignore[union-attr, attr-defined]
            lines += self._between(column)
            lines += self._entry(mark, inner, column, is_key=isinstance(value, dict))
        return lines

    def _between(self, column: int) -> list[str]:
        blanks = [""] * self._data.draw(st.integers(0, 3))
        if self._comments and self._data.draw(st.booleans()):
            self._count += 1
            blanks.append(" " * column + f"# comment   {self._count}")
        return blanks

    def _entry(self, mark: str, inner: object, column: int, *, is_key: bool) -> list[str]:
        head = " " * column + mark + (":" if is_key else "")
        further = column + self._data.draw(st.integers(1, 5))
        match inner:
            case ("lines", (first, *rest)):
                gap = self._draw([" ", "   "])
                return [head + gap + first, *(" " * further + line if line else "" for line in rest)]
            case ("flow", value):
                return [head + self._draw([" ", "    "]) + self._flow(value) + self._end()]
            case str():
                return [head + self._draw([" ", "  "]) + inner + self._end()]
            case list() if is_key and self._data.draw(st.booleans()):
                return [head + self._end(), *self._block(inner, column)]
        if not is_key and (not self._comments or self._data.draw(st.booleans())):
            gap = self._draw([" ", "   "])
            first, *rest = self._block_without_lead(inner, column + 1 + len(gap))
            return [head + gap + first.lstrip(), *rest]
        return [head + self._end(), *self._block(inner, further)]

    def _block_without_lead(self, inner: object, column: int) -> list[str]:
        lines = self._block(inner, column)
        while not lines[0].strip() or lines[0].lstrip().startswith("#"):
            lines.pop(0)
        return lines

    def _end(self) -> str:
        if self._comments and self._data.draw(st.integers(0, 4)) == 0:
            self._count += 1
            return f"   # behind {self._count}"
        return self._draw(["", "", "  "])

    def _flow(self, value: object) -> str:
        match value:
            case list():
                parts = [self._flow(one) for one in value]
                return f"[{self._in(parts)}]"
            case dict():
                parts = [f"{key}:{self._draw([' ', '   '])}{self._flow(one)}" for key, one in value.items()]
                return f"{{{self._in(parts)}}}"
        return str(value)

    def _in(self, parts: list[str]) -> str:
        pad = self._draw(["", " "])
        return pad + self._draw([", ", " ,  ", ",   "]).join(parts) + pad


def formed(text: str) -> str:
    found = in_form(text, "a.yaml")
    assert found is not None, text
    return found


def data_of(text: str) -> object:
    problems = Problems()
    tree = parse_yaml(text, "a.yaml", problems)
    assert not problems.has_errors, f"{problems.list}\n{text}"
    return to_data(tree)


def comments_of(text: str) -> list[str]:
    return re.findall(r"# (?:comment|behind) +[0-9]+", text)


TOP = st.dictionaries(_KEYS, blocks(), min_size=1, max_size=4)


@settings(max_examples=250)
@given(st.data(), TOP)
def test_form_keeps_what_is_said_and_every_comment_and_is_reached_at_once(data: st.DataObject, value: object) -> None:
    text = Writer(data, comments=True).text(value)
    meant = data_of(text)
    found = formed(text)
    assert data_of(found) == meant
    assert comments_of(found) == comments_of(text)
    assert formed(found) == found
    if "'lines'" not in repr(value):
        assert "\n\n\n" not in found and not found.startswith("\n") and found.endswith("\n")
        assert all(line == line.rstrip() for line in found.splitlines())


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@settings(max_examples=250)
@given(st.data(), TOP)
def test_the_same_words_have_one_form_whatever_their_blanks(data: st.DataObject, value: object) -> None:
    several = repr(value).count("'lines'")
    one, other = (formed(Writer(data, comments=False).text(value)) for _ in range(2))
    if not several:
        assert lines_of(one) == lines_of(other)
    assert all(line == line.rstrip() for line in one.splitlines()) or several


@example("\n\n# only a comment   \n\n\n\n# and another\n")
@example("")
@example("a: {b: [1,2 ,3], c:   {d: e}  }\r\nf:\r\n- g\r\n")
@given(st.text(alphabet="ab:-# \n[]{},|\"'?&*!%@~\t", max_size=40))
def test_any_text_comes_out_with_the_same_letters_or_not_at_all(text: str) -> None:
    found = in_form(text, "a.yaml")
    if found is not None:
        assert re.sub(r"\s", "", found) == re.sub(r"\s", "", text)
        assert in_form(found, "a.yaml") == found


def test_our_own_rule_files_are_in_form() -> None:
    for folder in ("rules", "personalize/cli/starter/rules"):
        for path in sorted((REPOSITORY / folder).rglob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            assert in_form(text, path.name) == text, path
