"""Headers as browsers send them."""

from personalize.web.headers import _TAKES_HTML, is_prefetch, takes_html, wants_html


def test_who_wants_a_page() -> None:
    assert wants_html({b"sec-fetch-dest": b"document"})
    assert wants_html({b"accept": b"text/html,*/*;q=0.8"})
    assert not wants_html({b"sec-fetch-dest": b"image", b"accept": b"image/*"})
    assert not wants_html({b"accept": b"*/*"})


def test_what_is_fetched_in_advance() -> None:
    assert is_prefetch({b"sec-purpose": b"Prefetch;prerender", b"accept": b"*/*"})
    assert not is_prefetch({b"purpose": b"navigate"})
    assert not is_prefetch({})


def test_who_accepts_what_is_remembered_of_few() -> None:
    for number in range(1_000):
        for accepted, takes in ((b"text/html", True), (b"*/*", True), (b"image/*", False), (b"x/" * 1_000, False)):
            headers = {b"accept": b"%b;q=0.%d" % (accepted, number)}
            assert takes_html(headers) is takes_html(headers) is takes
    assert len(_TAKES_HTML) <= 256 and max(map(len, _TAKES_HTML)) < 1_100
    assert takes_html({})
