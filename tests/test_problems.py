"""Problems: collected in order, printed with the line and a caret, counted, and with the nearest guess."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.problems import Edit, Problem, Problems, columns_of, did_you_mean, quoted, render, summary
from personalize.yaml_tree import Mapping, Place, parse_yaml


def test_a_problem_prints_as_rustc_prints_one() -> None:
    source = "slots:\n" * 13 + "    to: memebers\n"
    problem = Problem(
        "R105",
        'segment "memebers" does not exist',
        "rules/home.yaml",
        14,
        9,
        "did you mean `members`?",
        length=8,
    )
    assert render(problem, source) == "\n".join(
        [
            'error[R105]: segment "memebers" does not exist',
            "  --> rules/home.yaml:14:9",
            "   |",
            "14 |     to: memebers",
            "   |         ^^^^^^^^",
            "   = help: did you mean `members`?",
        ]
    )


def test_a_warning_without_source_hint_or_column_prints_what_is_known() -> None:
    warning = Problem("R102", "this rule can never win", "rules/home.yaml", 3, severity="warning")
    assert render(warning, None) == "warning[R102]: this rule can never win\n --> rules/home.yaml:3"
    assert render(warning, "a\nb\n  c\n") == "\n".join(
        ["warning[R102]: this rule can never win", " --> rules/home.yaml:3", "  |", "3 |   c"]
    )


def test_a_problem_without_a_place_is_its_message() -> None:
    assert render(Problem("E052", "this is not a setting"), "a: 1\n") == "error[E052]: this is not a setting"


def test_a_line_that_is_not_in_the_source_is_left_out() -> None:
    problem = Problem("R105", "gone", "f.yaml", 9, 1)
    assert render(problem, "a: 1\n") == "error[R105]: gone\n --> f.yaml:9:1"


def marked(line: str, column: int, length: int = 1) -> tuple[str, str]:
    shown = render(Problem("E001", "x", "f.yaml", 1, column, length=length), line).splitlines()
    assert shown[3].startswith("1 |") and shown[4].startswith("  | ")
    return shown[3].removeprefix("1 |").removeprefix(" "), shown[4].removeprefix("  | ")


@pytest.mark.parametrize(
    ("line", "column", "length", "shown", "carets"),
    [
        ("a: bad", 4, 3, "a: bad", "   ^^^"),
        ("\ta: bad", 5, 3, "    a: bad", "       ^^^"),
        ("a:\tbad", 4, 3, "a:    bad", "      ^^^"),
        ("日本: bad", 5, 3, "日本: bad", "      ^^^"),
        ("a: 日本", 4, 2, "a: 日本", "   ^^^^"),
        ("cafe\u0301: bad", 8, 3, "cafe\u0301: bad", "      ^^^"),
        ("😀: bad", 4, 3, "😀: bad", "    ^^^"),
        ("a: bad", 4, 99, "a: bad", "   ^^^"),
        ("a:", 3, 1, "a:", "  ^"),
        ("a:", 99, 1, "a:", "  ^"),
        ("", 1, 1, "", "^"),
    ],
)
def test_the_caret_stands_under_the_right_place(line: str, column: int, length: int, shown: str, carets: str) -> None:
    text, under = marked(line, column, length)
    assert (text, under) == (shown, carets)


def test_windows_and_old_line_ends_are_lines_too() -> None:
    assert "2 | b" in render(Problem("E001", "x", "f", 2, 1), "a\r\nb\r\nc").splitlines()
    assert "2 | b" in render(Problem("E001", "x", "f", 2, 1), "a\rb\rc").splitlines()


def test_a_source_cannot_steer_the_terminal() -> None:
    text, under = marked("a: \x1b[31m\u202ebad", 10, 3)
    assert "\x1b" not in text and "\u202e" not in text
    assert text.index("bad") == under.index("^")


def test_a_very_long_line_is_cut_around_the_caret() -> None:
    line = "x" * 5_000 + "bad" + "y" * 5_000
    text, under = marked(line, 5_001, 3)
    assert len("1 | " + text) == 80
    assert text.startswith("…") and text.endswith("…")
    assert text[under.index("^") : under.rindex("^") + 1] == "bad"


@given(line=st.text(st.characters(exclude_characters="\r\n")), column=st.integers(-3, 300), length=st.integers(0, 300))
def test_whatever_the_line_a_caret_is_shown_and_nothing_raised(line: str, column: int, length: int) -> None:
    shown = render(Problem("E001", "x", "f", 1, column, length=length), line)
    assert "^" in shown.splitlines()[-1]
    assert len(shown.splitlines()) == 5


@given(
    line=st.text(st.characters(exclude_characters="\r\n")),
    column=st.integers(1, 300),
    length=st.integers(1, 300),
    width=st.integers(60, 120),
)
def test_no_line_of_an_excerpt_is_wider_than_the_terminal(line: str, column: int, length: int, width: int) -> None:
    shown = render(Problem("E001", "x", "f", 1, column, length=length), line * 3, width=width)
    assert max(map(columns_of, shown.splitlines())) <= width


def test_words_are_wrapped_and_code_stays_whole() -> None:
    hint = "if only known ones are meant, write `profile.country: {is_not: NO, exists: true}`, and so on and on and on"
    message = "the segment reaches everybody of whom `profile.country` is not known, and that is quite a few people"
    assert render(Problem("W201", message, "f.yaml", 12, hint=hint, severity="warning")).splitlines() == [
        "warning[W201]: the segment reaches everybody of whom `profile.country` is not",
        "  known, and that is quite a few people",
        "  --> f.yaml:12",
        "   = help: if only known ones are meant, write",
        "     `profile.country: {is_not: NO, exists: true}`, and so on and on and on",
    ]


def test_code_wider_than_the_terminal_is_wrapped_as_words_are() -> None:
    shown = render(Problem("E001", f"`{'word ' * 30}`")).splitlines()
    assert len(shown) == 3 and max(map(len, shown)) <= 80


@dataclass(frozen=True)
class Written:
    place: Place


def test_problems_are_listed_by_file_line_and_column() -> None:
    problems = Problems()
    problems.error("R3", "third", Place("b.yaml", 1, 1, 0, 1))
    problems.warning("R2", "second", Place("a.yaml", 10, 2, 0, 1))
    problems.error("R1", "first", Written(Place("a.yaml", 9, 5, 10, 14)), "a hint")
    problems.error("R0", "nowhere")
    problems.error("R4", "a whole file", file="c.yaml")
    problems.add(Problem("R5", "made elsewhere", "c.yaml", 1))
    problems.extend([Problem("R6", "and this", "c.yaml", 2)])
    assert [problem.code for problem in problems.list] == ["R0", "R1", "R2", "R3", "R4", "R5", "R6"]
    first = problems.list[1]
    assert first == Problem("R1", "first", "a.yaml", 9, 5, "a hint", "error", 4)
    assert problems.list[2].severity == "warning"
    assert len(problems) == 7


def test_a_node_of_a_tree_can_be_pointed_at() -> None:
    problems = Problems()
    node = parse_yaml("slots:\n  hero: {}\n", "rules/home.yaml", problems)
    assert isinstance(node, Mapping)
    problems.error("R1", "here", node.key_node("slots"))
    problems.error("R2", "there", node.get("slots"))
    assert [(p.file, p.line, p.column, p.length) for p in problems.list] == [
        ("rules/home.yaml", 1, 1, 5),
        ("rules/home.yaml", 2, 3, 8),
    ]


def test_a_sure_guess_takes_the_place_of_the_word_that_is_underlined() -> None:
    problems = Problems()
    sure, unsure = did_you_mean("memebers", ["members"]), did_you_mean("membership", ["members"])
    problems.error("E1", "plain", Place("a.yaml", 3, 5, 40, 48), sure)
    problems.error("E2", "in quotes", Place("a.yaml", 4, 5, 60, 70), sure)
    problems.error("E3", "more than the word is underlined", Place("a.yaml", 5, 5, 80, 99), sure)
    problems.error("E4", "unsure", Place("a.yaml", 6, 5, 100, 110), unsure)
    problems.error("E5", "nowhere", hint=sure)
    assert [problem.fix for problem in problems.list] == [
        (),
        (Edit(3, 5, 8, "members"),),
        (Edit(4, 5, 10, "members"),),
        (),
        (),
    ]


def test_what_is_dropped_was_never_found() -> None:
    problems = Problems()
    problems.error("E1", "one")
    problems.warning("W1", "two")
    problems.drop(lambda problem: problem.code == "E1")
    assert [problem.code for problem in problems.list] == ["W1"]
    assert not problems.has_errors


def test_warnings_are_no_errors() -> None:
    problems = Problems()
    assert not problems.has_errors
    problems.warning("R102", "never wins")
    assert not problems.has_errors
    problems.error("R105", "does not exist")
    assert problems.has_errors


def test_a_summary_counts_in_words() -> None:
    error = Problem("E", "x", "a.yaml")
    warning = Problem("W", "x", "b.yaml", severity="warning")
    assert summary([]) == "no problems"
    assert summary([error]) == "1 error in 1 file"
    assert summary([warning, warning]) == "2 warnings in 1 file"
    assert summary([error, warning, error]) == "2 errors, 1 warning in 2 files"
    assert summary([Problem("E", "x")]) == "1 error"


def test_a_quoted_text_is_short_visible_and_has_other_quotes_where_it_has_its_own() -> None:
    assert quoted("memebers") == '"memebers"'
    assert quoted('say "hi"') == '`say "hi"`'
    assert quoted("a\nb\x1b") == '"a\ufffdb\ufffd"'
    assert len(quoted("x" * 1_000)) == 62
    assert quoted("x" * 1_000).endswith('…"')
