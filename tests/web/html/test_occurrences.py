"""Words in the bytes of a page."""

import re

from hypothesis import given
from hypothesis import strategies as st

from personalize.web.html.occurrences import holds, occurrences


@given(st.text("slot:<x", max_size=60).map(str.encode), st.sampled_from([b"slot", b"slot:", b"<", b"lot"]))
def test_a_word_is_found_wherever_it_stands(data: bytes, word: bytes) -> None:
    expected = [found.start() for found in re.finditer(re.escape(word), data)]
    assert occurrences(data, word) == expected
    assert holds(data, word) is bool(expected)
