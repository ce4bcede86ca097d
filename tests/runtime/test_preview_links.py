"""The token of a preview link says what was signed, and nothing else is read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from personalize.runtime.preview_links import Preview, PreviewLinks
from tests.desk import KEY

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD = "an older key that is long enough and not weak 8Rt2"
PREVIEW = Preview("0123456789abcdef", "/tents", NOON, "lapsed", datetime(2026, 12, 24, 9, tzinfo=UTC))

previews = st.builds(
    Preview,
    version=st.text("0123456789abcdef", min_size=16, max_size=16),
    path=st.text(max_size=200).map(lambda text: f"/{text}"),
    expires_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    persona_id=st.none() | st.text(min_size=1, max_size=60),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(previews)
def test_what_is_signed_is_read(preview: Preview) -> None:
    token = PreviewLinks([KEY]).sign(preview)
    assert PreviewLinks([KEY]).read(token) == preview
    assert token.isascii() and not set(token) & set("&=#?+ %/")


@given(st.text() | st.text("abcdefghijkLMNOP0123456789-_.", max_size=300))
def test_any_other_text_is_no_preview(text: str) -> None:
    assert PreviewLinks([KEY]).read(text) is None


def test_keys_are_replaced_as_those_of_cookies() -> None:
    token = PreviewLinks([OLD]).sign(PREVIEW)
    assert PreviewLinks([OLD, KEY]).read(token) == PREVIEW
    assert PreviewLinks([KEY]).read(token) is None


@pytest.mark.parametrize("place", range(0, 150, 7))
def test_no_letter_of_it_can_be_changed(place: int) -> None:
    token = PreviewLinks([KEY]).sign(PREVIEW)
    place %= len(token)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    found = PreviewLinks([KEY]).read(changed)
    # The last letter of base64 has bits that say nothing.
    assert found is None or (place == len(token) - 1 and found == PREVIEW)


def test_what_was_signed_for_another_purpose_is_none() -> None:
    assert PreviewLinks([KEY]).read(str(URLSafeSerializer([KEY]).dumps(["v", "/", 0, None, None]))) is None
