"""What a site sees of the headers that a browser sends."""

from personalize.web.request.inward import Inward

INWARD = Inward(["pz", "__Host-pz"])


def test_the_site_sees_its_own_cookies_only() -> None:
    sent = [(b"Cookie", b'foo={"a":1}; pz=T; xpz=2'), (b"cookie", b"__Host-pz=T"), (b"COOKIE", b"c=pz")]
    seen = [(b"Cookie", b'foo={"a":1}; xpz=2'), (b"COOKIE", b"c=pz")]
    assert INWARD.headers(sent) == seen
    assert INWARD.headers([(b"Accept-Encoding", b"br"), *sent], plain=True) == seen


def test_what_the_site_does_to_its_headers_is_not_seen_outside() -> None:
    sent = [(b"cookie", b"c=pz"), (b"accept", b"*/*")]
    seen = INWARD.headers(sent)
    assert seen == sent
    assert seen is not sent


def test_long_cookies_are_hidden_without_being_remembered() -> None:
    long = b"x=" + b"y" * 3_000
    assert INWARD.headers([(b"cookie", long + b"; pz=T")]) == [(b"cookie", long)]


def test_the_site_is_asked_for_a_plain_whole_page() -> None:
    conditions = [(b"If-None-Match", b'"a"'), (b"If-Modified-Since", b"x"), (b"Range", b"x"), (b"If-Range", b"x")]
    coding, accepted = (b"Accept-Encoding", b"br"), (b"Accept", b"text/html")
    sent = [coding, *conditions, accepted]
    assert INWARD.headers(sent, plain=True, whole=True) == [accepted]
    assert INWARD.headers(sent, plain=True) == [*conditions, accepted]
    assert INWARD.headers(sent, whole=True) == [coding, accepted]
    assert INWARD.headers(sent) == sent
