"""What a site sees of the headers that a browser sends."""

from personalize.runtime.page_request import PageRequest
from personalize.web.headers import RawHeaders
from personalize.web.request.inward import Inward

INWARD = Inward(["pz", "__Host-pz"])


def seen_of(sent: RawHeaders, *, plain: bool = False, whole: bool = False) -> RawHeaders:
    return INWARD.headers(PageRequest({"headers": sent}), plain=plain, whole=whole)


def test_the_site_sees_its_own_cookies_only() -> None:
    sent = [(b"Cookie", b'foo={"a":1}; pz=T; xpz=2'), (b"cookie", b"__Host-pz=T"), (b"COOKIE", b"c=pz")]
    seen = [(b"cookie", b'foo={"a":1}; xpz=2'), (b"cookie", b"c=pz")]
    assert [(name.lower(), value) for name, value in seen_of(sent)] == seen
    assert seen_of([(b"Accept-Encoding", b"br"), *sent], plain=True) == seen


def test_what_the_site_does_to_its_headers_is_not_seen_outside() -> None:
    sent = [(b"cookie", b"c=pz"), (b"accept", b"*/*")]
    seen = seen_of(sent)
    assert seen == sent
    assert seen is not sent


def test_long_cookies_are_hidden_without_being_remembered() -> None:
    long = b"x=" + b"y" * 3_000
    assert seen_of([(b"cookie", long + b"; pz=T")]) == [(b"cookie", long)]


def test_no_crowd_of_cookies_fills_the_memory() -> None:
    inward = Inward(["pz"])
    for number in range(3_000):
        cookies = b"c=%d" % number
        request = PageRequest({"headers": [(b"cookie", b"pz=T; " + cookies)]})
        assert inward.headers(request) == inward.headers(request) == [(b"cookie", cookies)]
    assert len(inward._rests) <= 1_024


def test_headers_may_come_as_lists_of_two() -> None:
    sent = [[b"cookie", b"pz=T; c=1"], [b"accept", b"*/*"]]
    for plain in (False, True):
        assert seen_of(sent, plain=plain) == [(b"cookie", b"c=1"), (b"accept", b"*/*")]  # type: ignore[arg-type]


def test_who_takes_no_page_is_asking_for_something_else_at_its_address() -> None:
    """Many sites answer JSON where they answer a page, compressed and with a validator of its own."""
    asked = [(b"accept-encoding", b"gzip"), (b"if-none-match", b'"a"'), (b"range", b"bytes=0-9")]
    for accepted, seen in ((b"application/json", asked), (b"application/json, */*", []), (b"TEXT/HTML", [])):
        accept = (b"accept", accepted)
        sent = [accept, *asked, (b"cookie", b"pz=T")]
        assert seen_of(sent, plain=True, whole=True) == [accept, *seen]


def test_the_site_is_asked_for_a_plain_whole_page() -> None:
    conditions = [(b"if-none-match", b'"a"'), (b"if-modified-since", b"x"), (b"range", b"x"), (b"if-range", b"x")]
    coding, accepted = (b"accept-encoding", b"br"), (b"accept", b"text/html")
    sent = [(name.title(), value) for name, value in (coding, *conditions, accepted)]
    assert seen_of(sent, plain=True, whole=True) == [accepted]
    assert seen_of(sent, plain=True) == [*conditions, accepted]
    assert seen_of(sent, whole=True) == [coding, accepted]
    assert seen_of(sent) == sent
