"""Headers as browsers send them, and what the site sees of them."""

from personalize.web.headers import asking_for, is_prefetch, wants_html


def test_the_site_is_asked_for_a_plain_whole_page() -> None:
    asked = [
        *((b"Accept-Encoding", b"br"), (b"If-None-Match", b'"a"'), (b"If-Modified-Since", b"x"), (b"Range", b"x")),
        *((b"If-Range", b"x"), (b"Accept", b"text/html")),
    ]
    assert asking_for(asked, plain=True, whole=True) == [(b"Accept", b"text/html")]
    assert asking_for(asked, plain=False, whole=False) == asked


def test_who_wants_a_page() -> None:
    assert wants_html({b"sec-fetch-dest": b"document"})
    assert wants_html({b"accept": b"text/html,*/*;q=0.8"})
    assert not wants_html({b"sec-fetch-dest": b"image", b"accept": b"image/*"})
    assert not wants_html({b"accept": b"*/*"})


def test_what_is_fetched_in_advance() -> None:
    assert is_prefetch({b"sec-purpose": b"Prefetch;prerender", b"accept": b"*/*"})
    assert not is_prefetch({b"purpose": b"navigate"})
    assert not is_prefetch({})
