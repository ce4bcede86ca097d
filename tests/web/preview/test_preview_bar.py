"""What a preview marks in a page."""

import pytest

from personalize.web.preview.preview_bar import SlotMarks


@pytest.mark.parametrize(
    ("markup", "marked"),
    [
        ("<p>a", '<p data-personalize-slot="1">a'),
        (" <!-- <b> --><!----><h1 id=x>", ' <!-- <b> --><!----><h1 data-personalize-slot="1" id=x>'),
        ("text <b>a</b>", "text <b>a</b>"),
        ("<!-- a -->" * 2_000 + "text", "<!-- a -->" * 2_000 + "text"),
        ("<!--" * 2_000, "<!--" * 2_000),
    ],
)
def test_the_first_element_is_marked_and_found_at_once(markup: str, marked: str) -> None:
    marks = SlotMarks()
    marks.meet("hero")
    assert marks.marked("hero", markup) == marked
