"""One tag read at once and read byte by byte is the same tag."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.web.html.tags import ENDED, NAME, SELF_CLOSED, TAG, TAG_OR_NOT, read_tag, written_slot

PARTS = st.sampled_from([b"a", b"div", b"data-slot", b"=", b'"', b"'", b" ", b"\n", b"/", b">", b"<", b"x", b"\x00"])
TAGS = st.lists(PARTS, max_size=14).map(lambda parts: b"<a" + b"".join(parts))


def read_in_parts(data: bytes, size: int) -> tuple[int, str]:
    """Where a tag ends, if it comes in parts of this size."""
    position, state = 1, NAME
    for end in [*range(1, len(data), size), len(data)]:
        position, state = read_tag(data[:end], position, state)
    return position, state


@given(data=TAGS, size=st.integers(1, 5))
@settings(max_examples=1000)
def test_the_pattern_and_the_states_see_the_same_end(data: bytes, size: int) -> None:
    whole = TAG.match(data)
    position, state = read_in_parts(data, size)
    assert (whole is not None) == (state in (ENDED, SELF_CLOSED))
    if whole is not None:
        assert whole.end() == position
        assert whole[3].endswith(b"/") == (state == SELF_CLOSED)
        either = TAG_OR_NOT.match(data)
        assert either is not None
        assert (either.end(), either[2]) == (position, whole[2])


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (b"<div data-slot=hero>", "hero"),
        (b"<DIV\tDATA-SLOT = 'hero' >", "hero"),
        (b'<div title="data-slot=x" data-slot="hero">', "hero"),
        (b"<div data-slot='he&#114;o'>", "hero"),
        (b"<div data-slot>", ""),
        (b"<div data-slot=>", ""),
        (b"<div data-slot=a data-slot=b>", "a"),
        (b"<div/data-slot=a/>", "a/"),
        (b"<div data-slots=a>", None),
        (b"<data-slot a>", None),
        (b"<div =data-slot=a>", None),
    ],
)
def test_the_first_attribute_of_the_name_counts(tag: bytes, value: str | None) -> None:
    assert written_slot(tag) == value
