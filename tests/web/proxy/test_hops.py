"""Headers from one hop to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.web.headers import RawHeaders
from personalize.web.proxy.hops import request_onward, response_onward

NAMES = st.sampled_from(["Connection", "host", "TE", "x-a", "X-B", "content-length", "Transfer-Encoding", "cookie"])
VALUES = st.sampled_from(["x-a", "close, X-B", "chunked", "5", "host,,content-length", ""])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_what_goes_on_is_what_came_in_the_same_order_without_what_the_connection_names(
    pairs: list[tuple[str, str]],
) -> None:
    headers: RawHeaders = [(name.encode(), value.encode()) for name, value in pairs]
    named = {
        option.strip().lower().encode() for name, value in pairs if name == "Connection" for option in value.split(",")
    } - {b"host", b"content-length"}
    gone = named | {b"connection", b"te", b"transfer-encoding"}
    if any(name == "Transfer-Encoding" for name, _ in pairs):
        gone |= {b"content-length"}
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    assert request_onward(headers) == kept
    assert response_onward(headers, 200) == [(name.lower(), value) for name, value in kept]


@pytest.mark.parametrize(("status", "has_length"), [(200, True), (204, False), (206, True), (304, False), (404, True)])
def test_a_length_that_no_body_will_have_is_left_out(status: int, has_length: bool) -> None:
    assert bool(response_onward([(b"Content-Length", b"5")], status)) == has_length


def test_the_expectation_of_a_word_beforehand_is_met_here() -> None:
    assert request_onward([(b"expect", b"100-continue"), (b"accept", b"*/*")]) == [(b"accept", b"*/*")]
