"""Headers for caches: shorter, for nobody, or for all; whatever else a response says stays as it is."""

from datetime import UTC, datetime

import pytest

from personalize.web.caching.cache_policy import (
    KEEPS_NOTHING,
    capped,
    may_be_shared,
    merged,
    shared,
    with_control,
)

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
IN_A_MINUTE = b"Sat, 21 Nov 2026 12:01:30 GMT"

Headers = list[tuple[bytes, bytes]]


def headers(text: str) -> Headers:
    """Headers as they are written, one a line."""
    pairs = [line.partition(": ") for line in text.strip().splitlines()]
    return [(name.strip().encode(), value.encode()) for name, _, value in pairs]


def written(found: Headers) -> str:
    """The same, the other way round."""
    return "\n".join(f"{name.decode()}: {value.decode()}" for name, value in found)


EVERY_CACHE = """
Content-Type: text/html
Cache-Control: public, s-maxage=600
Expires: Sun, 22 Nov 2026 12:00:00 GMT
Pragma: cache
Surrogate-Control: max-age=3600
CDN-Cache-Control: max-age=600
Cloudflare-CDN-Cache-Control: max-age=600
Netlify-CDN-Cache-Control: max-age=600
X-Accel-Expires: 600
Edge-Control: max-age=600
X-LiteSpeed-Cache-Control: public,max-age=600
Akamai-Cache-Control: max-age=600
X-Other: stays
"""


def test_no_header_that_any_cache_obeys_stands_beside_ours() -> None:
    found = with_control(headers(EVERY_CACHE), KEEPS_NOTHING)
    assert written(found) == "Content-Type: text/html\nX-Other: stays\ncache-control: private, no-store"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Cache-Control: public, max-age=600", "Cache-Control: public, max-age=30"),
        ("Cache-Control: public, max-age=10", "Cache-Control: public, max-age=10"),
        ("Cache-Control: S-MaxAge=600, max-age=20", "Cache-Control: S-MaxAge=30, max-age=20"),
        ('cache-control: max-age="600"', 'cache-control: max-age="30"'),
        (
            "Cache-Control: max-age=20, stale-while-revalidate=60, stale-if-error=5",
            "Cache-Control: max-age=20, stale-while-revalidate=10, stale-if-error=5",
        ),
        ("Cache-Control: max-age=600, stale-if-error=5", "Cache-Control: max-age=30, stale-if-error=0"),
        ("Surrogate-Control: max-age=3600", "Surrogate-Control: max-age=30"),
        ("Cloudflare-CDN-Cache-Control: max-age=600", "Cloudflare-CDN-Cache-Control: max-age=30"),
        ("X-Accel-Expires: 600", "X-Accel-Expires: 30"),
        ("X-Accel-Expires: off", "X-Accel-Expires: off"),
        (f"X-Accel-Expires: @{int(NOW.timestamp()) + 900}", f"X-Accel-Expires: @{int(NOW.timestamp()) + 30}"),
        (f"Expires: {IN_A_MINUTE.decode()}", "Expires: Sat, 21 Nov 2026 12:01:00 GMT"),
        ("Expires: Sat, 21 Nov 2026 12:00:40 GMT", "Expires: Sat, 21 Nov 2026 12:00:40 GMT"),
        ("Expires: Sat Nov 21 12:01:40 2026", "Expires: Sat, 21 Nov 2026 12:01:00 GMT"),
        ("Expires: Thu, 01 Dec 2094 16:00:00 +9999999999", "Expires: Thu, 01 Dec 2094 16:00:00 +9999999999"),
        ("Expires: 0", "Expires: 0"),
        ("Cache-Control: max-age=99999999999999999999", "Cache-Control: max-age=30"),
        ("Cache-Control: max-age=00000000000000000020", "Cache-Control: max-age=00000000000000000020"),
        ("Surrogate-Control: max-age=20+5, max-age=20+60", "Surrogate-Control: max-age=20+5, max-age=20"),
        ("Edge-Control: cache-maxage=1h, downstream-ttl=20S", "Edge-Control: cache-maxage=30, downstream-ttl=20S"),
        ("Cache-Control: no-store", "Cache-Control: no-store"),
        ("X-Max: max-age=600", "X-Max: max-age=600"),
    ],
)
def test_nothing_is_kept_for_longer_than_it_holds(said: str, left: str) -> None:
    assert written(capped(headers(said), 30, NOW)) == left


def test_what_has_changed_already_is_not_kept_at_all() -> None:
    assert written(capped(headers("Cache-Control: max-age=600"), -5, NOW)) == "Cache-Control: max-age=0"


@pytest.mark.parametrize(
    ("said", "to_anybody", "to_somebody_known"),
    [
        ("Content-Type: text/html", True, False),
        ("Cache-Control: public, max-age=60", True, True),
        ("Cache-Control: s-maxage=60", True, True),
        ("Cache-Control: max-age=60", True, False),
        ("Cache-Control: private", False, False),
        ("Cache-Control: max-age=60, No-Store", False, False),
        ("Cache-Control: no-cache", False, False),
        ('Cache-Control: public, no-cache="set-cookie"', False, False),
        ("Pragma: no-cache", False, False),
        ("Cache-Control: public\nSurrogate-Control: no-store", False, False),
        ("Cache-Control: public\nCDN-Cache-Control: private", False, False),
        ("Cache-Control: public\nSet-Cookie: session=1", False, False),
        ("Vary: Accept-Encoding", True, False),
        ("Vary: Accept-Encoding, Cookie", False, False),
        ("Vary: Authorization", False, False),
        ("Vary: Cookie\nCache-Control: public", True, True),
        ("Vary: *\nCache-Control: public", False, False),
    ],
)
def test_the_site_has_the_first_word_on_who_may_see_a_page(
    said: str, to_anybody: bool, to_somebody_known: bool
) -> None:
    assert may_be_shared(headers(said), is_known=False) is to_anybody
    assert may_be_shared(headers(said), is_known=True) is to_somebody_known


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("X-Other: 1", 60),
        ("Cache-Control: public, max-age=10", 10),
        ("Cache-Control: public, max-age=10, s-maxage=20", 20),
        ("Cache-Control: max-age=0", 0),
        ("Cache-Control: public, s-maxage=600", 60),
        ("X-Accel-Expires: 5\nCache-Control: s-maxage=20", 5),
        ("Expires: Sat, 21 Nov 2026 12:00:45 GMT", 15),
        ("Expires: 0", 0),
        ("Expires: Sat, 21 Nov 2020 12:00:45 GMT", 0),
        ("Expires: Sat Nov 21 12:00:45 2026", 15),
        ("Edge-Control: cache-maxage=10s\nCache-Control: max-age=20", 10),
    ],
)
def test_a_shared_page_is_kept_no_longer_than_the_site_says(said: str, seconds: int) -> None:
    found = dict(shared(headers(said), seconds=60, now=NOW))
    assert found[b"cache-control"] == b"public, s-maxage=%d, max-age=0" % seconds


def test_a_shared_page_says_what_tells_its_variants_apart_and_what_it_can_be_purged_by() -> None:
    said = headers("Vary: Accept-Encoding\nSurrogate-Key: home\nX-Other: 1\nSurrogate-Control: max-age=9000")
    found = shared(said, seconds=60, now=NOW, vary=["X-Personalize-Page-Device"], keys=["slot-hero", "item-a/b"])
    assert written(found) == (
        "X-Other: 1\nvary: Accept-Encoding, X-Personalize-Page-Device\nsurrogate-key: home slot-hero item-a/b\n"
        "cache-control: public, s-maxage=60, max-age=0"
    )


def test_so_many_items_that_no_header_holds_them_are_left_out() -> None:
    items = [f"item-collection/a-long-name-{number}" for number in range(100)]
    assert dict(shared([], seconds=1, now=NOW, keys=["slot-hero", *items]))[b"surrogate-key"] == b"slot-hero"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("", "vary: Accept, Accept-Encoding"),
        ("Vary: Cookie", "vary: Cookie, Accept, Accept-Encoding"),
        ("Vary: accept", "vary: accept, Accept-Encoding"),
        ("vary: Accept-Encoding\nVary: Accept", "vary: Accept-Encoding\nVary: Accept"),
        ("Vary: Cookie\nVary: Origin,", "vary: Cookie, Origin, Accept, Accept-Encoding"),
        ("Vary: *", "Vary: *"),
    ],
)
def test_lists_are_added_to_and_say_nothing_twice(said: str, left: str) -> None:
    assert written(merged(headers(said), b"vary", ["Accept", "Accept-Encoding"])) == left
