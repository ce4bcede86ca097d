"""What the commands that serve have in common: a log that tells nobody's secrets."""

import asyncio
import logging

import pytest

from personalize.cli.server import WithoutGoodbyes, WithoutQuery, announce


def line(*arguments: object) -> str:
    """The line that the server writes for a request."""
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert WithoutQuery().filter(record)
    return record.getMessage()


def test_the_servers_log_says_what_was_asked_for_without_the_query() -> None:
    asked = line("127.0.0.1:5", "GET", "/a%3Fb?mail=me@example.org?x", "1.1", 200)
    assert asked == '127.0.0.1:5 - "GET /a%3Fb HTTP/1.1" 200'
    assert line("127.0.0.1:5", "GET", "/a", "1.1", 200) == '127.0.0.1:5 - "GET /a HTTP/1.1" 200'


def test_a_line_of_another_kind_passes_as_it_is() -> None:
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "started", None, None)
    assert WithoutQuery().filter(record) and record.getMessage() == "started"


def test_requests_that_were_cut_off_at_the_end_leave_no_traceback_and_errors_do() -> None:
    def is_shown(error: BaseException) -> bool:
        info = (type(error), error, None)
        return WithoutGoodbyes().filter(logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "said", None, info))

    assert not is_shown(asyncio.CancelledError())
    assert is_shown(ZeroDivisionError())
    assert WithoutGoodbyes().filter(logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "said", None, None))


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("a.b", "http://a.b:8000")],
)
def test_the_address_that_is_said_can_be_opened(host: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    announce("Serving shop:app", host, 8000, 1)
    assert capsys.readouterr().out.splitlines()[0] == f"Serving shop:app on {address}"
