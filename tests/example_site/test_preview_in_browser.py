"""A preview of the shop in a real browser: served by one process, its link made by another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request

from personalize.web.preview.preview_bar import STYLE
from personalize.web.preview.style_policy import allowing_style
from tests.conftest import REPOSITORY
from tests.desk import KEY
from tests.driver import CHROME
from tests.served.server import served

pytestmark = pytest.mark.browser
PERSONA = "Olav, three orders and then silence"


class Shop:
    """The running shop, and the command line beside it."""

    def __init__(self, address: str, environment: dict[str, str]) -> None:
        self.address = address
        self._environment = environment

    def link(self, path: str = "/", *arguments: str) -> str:
        """A preview link, made by the command."""
        command = [sys.executable, "-m", "personalize.cli.main", "preview", self.address + path, *arguments]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with a fresh store, in which its first rules are live."""
    folder: Path = tmp_path_factory.mktemp("shop")
    environment = {"PERSONALIZE_STORE": f"sqlite:{folder / 'shop.db'}", "PERSONALIZE_SECRET_KEYS": KEY}
    with served(folder, app="example_site.app:app", **environment) as address:
        yield Shop(address, environment)


@pytest.fixture(scope="module")
def link(shop: Shop) -> str:
    """The front page as a lapsed buyer sees it on Christmas Eve."""
    return shop.link("/", "--persona", "lapsed", "--at", "2026-12-24T10:00")


@contextmanager
def opened(browser: Browser, link: str, **options: object) -> Iterator[Page]:
    """The page of a link, without scripts."""
    usual = {"java_script_enabled": False, "user_agent": CHROME, "viewport": {"width": 1280, "height": 900}}
    context = browser.new_context(**{**usual, **options})  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(link)
    yield page
    assert context.cookies() == []
    context.close()


def test_the_page_is_the_personas_and_the_bar_says_so_and_why(browser: Browser, link: str) -> None:
    with opened(browser, link) as page:
        assert "still on" in page.get_by_role("heading", level=1).inner_text()
        bar = page.get_by_role("complementary", name="Preview")
        assert PERSONA in bar.inner_text() and "2026-12-24 10:00 CET" in bar.inner_text()
        assert not page.get_by_text("hero-lapsed").first.is_visible()
        page.locator("summary", has_text=PERSONA).press("Enter")
        page.get_by_text("hero-lapsed").first.wait_for(state="visible")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_and_can_be_read(browser: Browser, link: str, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    with opened(browser, link, viewport=size, color_scheme=scheme, java_script_enabled=True) as page:
        summary = page.locator("summary", has_text=PERSONA)
        summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.get_by_role("complementary", name="Preview")
        box = bar.bounding_box()
        assert box is not None and box["width"] == width and box["y"] + box["height"] == 900 and box["y"] >= 900 / 5
        colours = (
            "(element) => [getComputedStyle(element).color, getComputedStyle(element.closest('aside')).backgroundColor]"
        )
        assert summary.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(29, 27, 56)"]
        assert summary.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)") >= 15
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        summary.click()
        footer, box = page.locator("footer").bounding_box(), bar.bounding_box()
        assert footer is not None and box is not None and footer["y"] + footer["height"] <= box["y"] + 1


def test_outlines_and_labels_move_nothing(browser: Browser, shop: Shop, link: str) -> None:
    """Every element of the page stands where it stands without the preview's style."""
    places = """() => [...document.querySelectorAll('main *, header *')].map(
        (one) => { const box = one.getBoundingClientRect(); return [one.tagName, box.x, box.y, box.width, box.height] }
    )"""
    for width in (320, 1280):
        size = {"width": width, "height": 900}
        with opened(browser, link, viewport=size, java_script_enabled=True) as page:
            shown = page.evaluate(places)
            hero = page.locator("[data-personalize-slot]", has_text="still on")
            assert hero.evaluate("(one) => getComputedStyle(one).outlineStyle") == "dashed"
            label = page.locator(".personalize-labels span", has_text="home-hero").bounding_box()
            slot = hero.bounding_box()
            assert label is not None and slot is not None
            assert (label["x"], label["y"]) == (slot["x"], slot["y"])
            page.evaluate(
                "document.querySelectorAll('style, aside.personalize-preview, .personalize-labels')"
                ".forEach((one) => one.remove())"
            )
            page.evaluate(
                "for (const name of ['slot', 'item']) document.querySelectorAll(`[data-personalize-${name}]`)"
                ".forEach((one) => one.removeAttribute(`data-personalize-${name}`))"
            )
            assert page.evaluate(places) == shown


@pytest.mark.parametrize(
    ("policy", "position"),
    [(allowing_style("default-src 'self'", STYLE), "fixed"), ("default-src 'self'", "static")],
    ids=["as we send it", "as the site would"],
)
def test_a_strict_policy_of_the_site_still_shows_the_bar(
    browser: Browser, link: str, policy: str, position: str
) -> None:
    """A policy that allows no style in the page lets ours in by its hash; without it the bar is there, but plain."""
    reply = httpx.get(link, headers={"user-agent": CHROME, "accept": "text/html"}, trust_env=False)
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    context = browser.new_context(user_agent=CHROME)
    page = context.new_page()
    page.route(link, lambda route: route.fulfill(status=200, headers=headers, body=reply.text))
    page.goto(link)
    bar = page.locator("aside.personalize-preview")
    assert bar.evaluate("(one) => getComputedStyle(one).position") == position
    assert PERSONA in bar.inner_text()
    context.close()


def test_nothing_is_stored_and_no_address_leaks(browser: Browser, shop: Shop, link: str) -> None:
    asked: list[str | None] = []

    def note(request: Request) -> None:
        asked.append(request.headers.get("referer"))

    def written() -> int:
        """Events since the start; the shop itself records what its made-up customers have bought."""
        figures = httpx.get(f"{shop.address}/_personalize/health", trust_env=False).json()
        return int(figures["events"]["written"])

    before = written()
    with opened(browser, link) as page:
        page.on("request", note)
        page.reload()
        assert len(asked) > 2 and not any(asked)
        page.get_by_role("link", name="Tents").first.click()
        page.wait_for_url("**/tents")
    assert not any("pz_preview" in (referrer or "") for referrer in asked)
    assert written() == before


def test_a_draft_of_another_process_is_shown_while_the_live_page_stays(
    browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    """Everybody else sees what is live, also while the preview is looked at."""
    with opened(browser, shop.link("/", "--persona", "member")) as page:
        assert page.locator("[data-personalize-slot]").count() > 0
        with opened(browser, shop.address + "/") as other:
            assert other.locator("[data-personalize-slot]").count() == 0
            assert other.get_by_role("complementary", name="Preview").count() == 0
