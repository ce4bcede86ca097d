"""Only a name and perhaps a fallback is a placeholder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.content.placeholders import Named, Verbatim, find_placeholders
from tests.content.shelf import lines_of


@pytest.mark.parametrize(
    ("written", "root", "name", "fallback"),
    [
        ("{{ visitor.first_name }}", "visitor", "first_name", ""),
        ("{{visitor.first_name}}", "visitor", "first_name", ""),
        ("{{ visitor.first_name | there }}", "visitor", "first_name", "there"),
        ("{{visitor.first_name|dear friend}}", "visitor", "first_name", "dear friend"),
        ("{{ visitor.first_name |  }}", "visitor", "first_name", ""),
        ("{{ visitor.a | b | c }}", "visitor", "a", "b | c"),
        ('{{ visitor.a | <b> & "c" }}', "visitor", "a", '<b> & "c"'),
        ("{{ item.price }}", "item", "price", ""),
        ("{{\titem . price\t|\tfree\t}}", "item", "price", "free"),
        ("{{ visitor.__class__ }}", "visitor", "__class__", ""),
    ],
)
def test_a_placeholder_has_a_name_and_perhaps_a_fallback(written: str, root: str, name: str, fallback: str) -> None:
    assert find_placeholders(f"a {written} b") == (Named(root, name, fallback, 2, 2 + len(written)),)  # type: ignore[arg-type]


def test_a_sign_before_a_placeholder_belongs_to_the_text() -> None:
    (found,) = find_placeholders("${{ item.price }}")
    assert isinstance(found, Named)
    assert found.start == 1


@pytest.mark.parametrize("payload", lines_of("template_injection.txt"))
def test_nothing_else_in_braces_is_one(payload: str) -> None:
    assert not any(isinstance(found, Named) for found in find_placeholders(payload))


def test_a_placeholder_ends_on_its_line() -> None:
    assert find_placeholders("{{ visitor.a\n}} {{ visitor.b | x\ny }}") == ()


@given(st.text(alphabet="{}%#$<> visitor.a|\n", max_size=60))
def test_spans_are_in_order_and_hold_what_they_say(text: str) -> None:
    done = 0
    for found in find_placeholders(text):
        assert done <= found.start < found.end
        if isinstance(found, Verbatim):
            assert text[found.start : found.end] == found.text
        else:
            assert text[found.start : found.end].startswith("{{")
        done = found.end


@pytest.mark.parametrize("piece", ["{", "{{", "{{ ", "{%", "${", "<%", "{{ visitor.a ", "{#", "{{{{}"])
def test_a_long_row_of_beginnings_is_searched_in_one_go(piece: str) -> None:
    assert find_placeholders(piece * 10_000) is not None
