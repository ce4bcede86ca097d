"""Tables and paragraphs fit their width, whatever stands in them."""

from hypothesis import given
from hypothesis import strategies as st

from personalize.cli.tables import counted, paragraph, table
from personalize.problems import columns_of

WIDE = st.text(alphabet="漢 ", max_size=60)
TITLES = WIDE | st.text(alphabet=st.sampled_from("ab é漢\033\t\u202e👍🏽"), max_size=120)


def test_the_column_that_gives_way_is_wrapped_and_numbers_stand_to_the_right() -> None:
    lines = list(
        table(
            ("id", "title", "count"),
            [("a", "one two three four five six", "1"), ("bcd", "漢字", "1,234")],
            wraps=1,
            numbers=frozenset({2}),
            width=26,
        )
    )
    assert lines == [
        "id   title           count",
        "a    one two three       1",
        "     four five six",
        "bcd  漢字            1,234",
    ]


@given(titles=st.lists(TITLES, max_size=5), width=st.integers(30, 100))
def test_no_title_makes_a_table_wider_or_steers_the_terminal(titles: list[str], width: int) -> None:
    rows = [(str(number), title, "1") for number, title in enumerate(titles)]
    lines = list(table(("id", "title", "count"), rows, wraps=1, numbers=frozenset({2}), width=width))
    assert all(columns_of(line) <= width for line in lines)
    assert not any("\033" in line or "\u202e" in line for line in lines)


def test_a_paragraph_is_indented_as_it_is_told() -> None:
    text = paragraph("one two three four", first="- ", rest="  ", width=12)
    assert text == "- one two\n  three four"
    assert paragraph("a\033[31mb", first="", rest="") == "a\N{REPLACEMENT CHARACTER}[31mb"


def test_counts_are_read_as_words() -> None:
    assert [counted(number, "row") for number in (0, 1, 2, 6919)] == ["0 rows", "1 row", "2 rows", "6,919 rows"]
