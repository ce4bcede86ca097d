"""What an edge tells is believed with its key alone."""

import pytest

from personalize.cache_settings import CacheInput, CacheSettings
from personalize.web.caching.edge import Edge

OLD, KEY = "k8Wv3Nq1Zt6Yb0Lm5Rc2Xj7Hd4Fs9Gp", "pXv7Qm2ZrT9bLw4KcN8dHs6JfY3gA5eU"
EDGE = Edge(
    CacheSettings(
        mode="variants",
        edge_keys=(OLD, KEY),
        inputs=(CacheInput("page.device", ("mobile",)), CacheInput("visit.landing_path", ("x",))),
    )
)
DEVICE = (b"X-Personalize-Page-Device", b"mobile")


def test_each_input_comes_in_a_header_of_its_own() -> None:
    assert EDGE.headers == {
        "page.device": "X-Personalize-Page-Device",
        "visit.landing_path": "X-Personalize-Visit-Landing-Path",
    }


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([DEVICE, (b"X-Personalize-Edge", KEY.encode())], {"page.device": "mobile"}),
        ([DEVICE, (b"x-personalize-edge", OLD.encode())], {"page.device": "mobile"}),
        ([DEVICE], {}),
        ([DEVICE, (b"x-personalize-edge", KEY[:-1].encode())], {}),
        ([DEVICE, (b"x-personalize-edge", b"")], {}),
        ([DEVICE, (b"x-personalize-edge", KEY.encode()), (b"x-personalize-edge", b"guess")], {}),
        ([DEVICE, DEVICE, (b"x-personalize-edge", KEY.encode())], {}),
        ([(DEVICE[0], b" "), (b"x-personalize-edge", KEY.encode())], {}),
        ([(b"x-personalize-page-city", b"Oslo"), (b"x-personalize-edge", KEY.encode())], {}),
    ],
)
def test_what_anybody_else_sends_counts_for_nothing(headers: list[tuple[bytes, bytes]], told: dict[str, str]) -> None:
    assert EDGE.told(headers) == told


def test_without_keys_nobody_is_an_edge() -> None:
    nobody = Edge(CacheSettings(mode="variants"))
    assert nobody.told([DEVICE, (b"x-personalize-edge", b"")]) == {}


def test_the_site_does_not_see_the_key() -> None:
    assert EDGE.without_key([DEVICE, (b"X-Personalize-Edge", KEY.encode())]) == [DEVICE]
