"""The shop in a real browser, as two visitors meet it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.desk import KEY
from tests.driver import CHROME
from tests.served.server import served

pytestmark = pytest.mark.browser
WIDTHS = (320, 1280)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running shop, with a fresh store and the developers' panel."""
    folder: Path = tmp_path_factory.mktemp("shop")
    environment = {
        "PERSONALIZE_STORE": f"sqlite:{folder / 'shop.db'}",
        "PERSONALIZE_SECRET_KEYS": KEY,
        "FJELLBUA_PANEL": "1",
    }
    with served(folder, app="example_site.app:app", **environment) as address:
        yield address


@pytest.fixture
def page(browser: Browser, shop: str) -> Iterator[Page]:
    """A fresh browser without scripts, on the shop's front page; anything it asks elsewhere is a failure."""
    context = browser.new_context(
        java_script_enabled=False, user_agent=CHROME, viewport={"width": 1280, "height": 900}, base_url=shop
    )
    elsewhere: list[str] = []
    context.on("request", lambda request: None if request.url.startswith(shop) else elsewhere.append(request.url))
    opened = context.new_page()
    opened.goto("/")
    yield opened
    assert elsewhere == []
    context.close()


def test_a_stranger_sees_the_shop_and_a_question_and_gets_no_cookie(page: Page) -> None:
    assert (
        page.get_by_role("heading", level=1).inner_text().replace("\n", " ") == "Come in. Dry your socks. Look around."
    )
    assert page.get_by_role("button", name="Yes, remember my visits").is_visible()
    assert page.get_by_role("button", name="No, thanks").is_visible()
    assert [cookie["name"] for cookie in page.context.cookies()] == []


def test_who_comes_by_the_newsletter_sees_that_without_a_cookie(page: Page) -> None:
    before = page.get_by_role("heading", level=1).inner_text()
    page.goto("/?utm_source=newsletter")
    assert page.get_by_role("heading", level=1).inner_text() != before
    assert page.context.cookies() == []


def test_ingrid_who_bought_a_tent_sees_what_goes_with_it(page: Page) -> None:
    page.get_by_role("button", name="Yes, remember my visits").click()
    assert not page.get_by_role("button", name="No, thanks").is_visible()
    first = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    page.goto("/login")
    number = page.get_by_role("textbox", name="Your name or number")
    number.fill("ingrid")
    number.press("Enter")
    page.wait_for_url("**/")
    page.goto("/")
    assert "tent" in page.get_by_role("heading", level=1).inner_text().lower()
    after = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert first["pz"].startswith("v") and after["pz"].startswith("k")
    page.locator("summary", has_text="Slots").click()
    assert page.get_by_role("cell", name="heroes/").count() == 1


def test_a_no_is_remembered_by_one_cookie_and_can_be_changed(page: Page) -> None:
    page.get_by_role("button", name="No, thanks").click()
    assert [(cookie["name"], cookie["value"]) for cookie in page.context.cookies()] == [("pz_consent", "no")]
    assert not page.get_by_role("button", name="No, thanks").is_visible()
    page.goto("/privacy")
    page.get_by_role("button", name="Yes, remember my visits").click()
    assert sorted(cookie["name"] for cookie in page.context.cookies()) == ["pz", "pz_consent"]


def test_what_is_put_into_the_cart_is_there(page: Page) -> None:
    page.goto("/product/tent-skarv-2")
    page.get_by_role("button", name="Put into the cart").click()
    assert page.url.endswith("/cart")
    assert "Skarv 2" in page.locator("main").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/", "/tents", "/product/tent-skarv-2", "/cart", "/login", "/privacy", "/nowhere"])
def test_no_page_is_wider_than_the_screen(browser: Browser, shop: str, path: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, base_url=shop, user_agent=CHROME)
    opened = context.new_page()
    opened.goto(path)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_keyboard_reaches_the_answer_and_shows_where_it_is(browser: Browser, shop: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=shop, user_agent=CHROME)
    opened = context.new_page()
    opened.goto("/")
    reached: list[str] = []
    for _ in range(15):
        opened.keyboard.press("Tab")
        reached.append(opened.evaluate("document.activeElement.innerText.trim()"))
        outline = opened.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"no focus is shown on {reached[-1]!r}"
        if reached[-1] == "Yes, remember my visits":
            break
    assert reached[0] == "Skip to the content"
    with opened.expect_navigation():
        opened.keyboard.press("Enter")
    assert {cookie["name"] for cookie in context.cookies()} >= {"pz", "pz_consent"}
    context.close()
