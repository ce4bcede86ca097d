"""Takes the picture of the README: the example shop as two visitors see it, side by side.

    python -m docs.make_pictures

Starts the shop with a store of its own, opens its home page in headless Chromium as a stranger, and again as Ingrid,
who says yes to the notice and logs in; then puts both shots side by side on a page and takes that. What Ingrid sees
depends on the season: from November to March it is winter in the shop.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.conftest import CHROMIUM_ARGUMENTS, REPOSITORY, find_chromium
from tests.docs.bench import CHROME, free_port, wait_for

PICTURE = REPOSITORY / "docs" / "images" / "two-visitors.png"
WIDTH, HEIGHT, GAP = 640, 860, 24
CAPTIONS = ("A stranger", "Ingrid, who bought a tent and agreed to be remembered")
PAGE = """<!doctype html>
<style>
  body {{ margin: 0; padding: {gap}px; background: #d9d5cc; display: flex; gap: {gap}px; width: max-content }}
  figure {{ margin: 0; width: {width}px }}
  figcaption {{ font: 600 17px Arial, "Liberation Sans", sans-serif; color: #26302c; padding: 0 0 10px 2px }}
  img {{ display: block; width: {width}px; border-radius: 6px; box-shadow: 0 2px 14px rgb(0 0 0 / 25%) }}
</style>
{figures}"""


def main() -> None:
    """Take the picture anew."""
    path = find_chromium()
    if path is None:
        sys.exit("Chromium is absent: apt-get install chromium, or name one in PERSONALIZE_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        take(browser, PICTURE)
        browser.close()
    print(f"{PICTURE.relative_to(REPOSITORY)}: {PICTURE.stat().st_size / 1000:.0f} KB")


def take(browser: Browser, picture: Path) -> None:
    """The picture, into a PNG file."""
    with tempfile.TemporaryDirectory() as folder:
        with open_shop(Path(folder)) as site:
            shots = [Path(folder) / "stranger.png", Path(folder) / "ingrid.png"]
            shoot(browser, site, shots[0], user=None)
            shoot(browser, site, shots[1], user="Ingrid")
        compose(browser, shots, picture)


@contextmanager
def open_shop(folder: Path) -> Iterator[str]:
    """The shop's address, while it is open."""
    port = free_port()
    own = {"PERSONALIZE_STORE": f"sqlite:{folder / 'shop.db'}", "PERSONALIZE_KEY_FILE": str(folder / "key")}
    shop = subprocess.Popen(
        [sys.executable, "-m", "example_site"],
        cwd=REPOSITORY,
        env={**os.environ, **own, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        shop.terminate()
        shop.wait()


def shoot(browser: Browser, site: str, shot: Path, *, user: str | None) -> None:
    """The home page as a new browser sees it; as a `user` who says yes and logs in, or as a stranger who says no."""
    # Headless Chromium says what it is, and a robot is shown what everybody sees.
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, user_agent=CHROME, color_scheme="light")
    page = context.new_page()
    page.goto(site)
    page.get_by_role("button", name="Yes" if user else "No").click()
    if user is not None:
        page.goto(f"{site}/login")
        page.get_by_role("button", name=user).click()
    page.goto(site)
    page.screenshot(path=shot)
    context.close()


def compose(browser: Browser, shots: list[Path], picture: Path) -> None:
    """All shots in a row, each below its caption."""
    figures = "".join(
        f'<figure><figcaption>{caption}</figcaption><img src="{shot.as_uri()}"></figure>'
        for caption, shot in zip(CAPTIONS, shots, strict=True)
    )
    frame = shots[0].with_name("frame.html")
    frame.write_text(PAGE.format(gap=GAP, width=WIDTH, figures=figures), encoding="utf-8")
    page = browser.new_page(viewport={"width": 2 * WIDTH + 3 * GAP, "height": HEIGHT})
    page.goto(frame.as_uri())
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True)
    page.close()


if __name__ == "__main__":
    main()
