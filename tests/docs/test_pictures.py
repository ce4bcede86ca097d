"""The script that takes the picture of the README still can."""

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from docs.make_pictures import GAP, HEIGHT, PICTURE, WIDTH, open_shop, shoot, take


def size_of(png: Path) -> tuple[int, int]:
    """Width and height, from the head of the file."""
    head = png.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.mark.browser
def test_the_picture_is_two_pages_side_by_side(browser: Browser, tmp_path: Path) -> None:
    taken = tmp_path / "two.png"
    take(browser, taken)
    assert size_of(taken) == size_of(PICTURE)
    assert size_of(taken)[0] == 2 * WIDTH + 3 * GAP
    assert size_of(taken)[1] > HEIGHT


@pytest.mark.browser
def test_the_two_visitors_see_different_pages(browser: Browser, tmp_path: Path) -> None:
    with open_shop(tmp_path) as site:
        for name in ("stranger", "Ingrid"):
            shoot(browser, site, tmp_path / f"{name}.png", user=None if name == "stranger" else name)
    assert (tmp_path / "stranger.png").read_bytes() != (tmp_path / "Ingrid.png").read_bytes()
