"""Headers as browsers send them."""

from personalize.web.headers import is_prefetch, wants_html


def test_who_wants_a_page() -> None:
    assert wants_html({b"sec-fetch-dest": b"document"})
    assert wants_html({b"accept": b"text/html,*/*;q=0.8"})
    assert not wants_html({b"sec-fetch-dest": b"image", b"accept": b"image/*"})
    assert not wants_html({b"accept": b"*/*"})


def test_what_is_fetched_in_advance() -> None:
    assert is_prefetch({b"sec-purpose": b"Prefetch;prerender", b"accept": b"*/*"})
    assert not is_prefetch({b"purpose": b"navigate"})
    assert not is_prefetch({})
