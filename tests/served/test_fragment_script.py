"""Our scripts in a real browser: slots come into a page that is the same for everybody, and what is seen is told."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.desk import write_desk
from tests.driver import CHROME
from tests.served.server import served

pytestmark = pytest.mark.browser
TENTS = "What goes with a tent"
OWN = "For everybody"
FILLED = "new Promise(done => document.addEventListener('personalize', done, {once: true}))"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the sites are."""
    folder: Path = tmp_path_factory.mktemp("site")
    write_desk(folder)
    with served(folder, app="tests.served.edges:app") as found:
        yield found


@pytest.fixture
def site(address: str) -> str:
    """The address of a public site whose slots a script brings."""
    return address.replace("127.0.0.1", "script.localhost")


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """A fresh browser; an error on a page is a failure."""
    opened = browser.new_context(user_agent=CHROME, base_url=site)
    errors: list[str] = []
    opened.on("weberror", lambda error: errors.append(str(error.error)))
    yield opened
    opened.close()
    assert errors == []


def buy_tents(context: BrowserContext) -> None:
    """The visitor agrees, and buys a tent."""
    page = context.new_page()
    page.goto("/plain")
    form = "new URLSearchParams({grant: 'measure personalize'})"
    page.evaluate(f"fetch('/_personalize/consent', {{method: 'POST', body: {form}, redirect: 'manual'}})")
    assert page.evaluate("fetch('/buy/tents', {method: 'POST'}).then(answer => answer.text())").startswith("v:")
    page.close()


def hero(page: Page) -> str:
    return page.locator('[data-slot="hero"]').inner_text()


def test_all_slots_come_by_one_request_and_those_that_stay_are_not_touched(context: BrowserContext, site: str) -> None:
    buy_tents(context)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    page.add_init_script("addEventListener('DOMContentLoaded', () => window.row = document.querySelector('section p'))")
    page.goto("/?size=L")
    page.get_by_text(TENTS).wait_for()
    assert page.evaluate("window.row === document.querySelector('section p')")
    slots = [one for one in asked if one.startswith("/_personalize/slots?")]
    assert slots == ["/_personalize/slots?p=%2F%3Fsize%3DL&r=&view=1&s=hero&s=row"]
    assert page.evaluate("document.cookie") == ""


def test_without_scripts_the_page_is_the_sites_own(browser: Browser, site: str) -> None:
    context = browser.new_context(user_agent=CHROME, base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?utm_source=newsletter")
    assert hero(page) == OWN
    context.close()


@pytest.mark.parametrize("answer", [{"status": 500}, {"body": "no JSON"}, {}])
def test_whatever_goes_wrong_the_pages_own_stays(context: BrowserContext, answer: dict[str, object]) -> None:
    def serve(route: Route) -> None:
        route.fulfill(**answer) if answer else route.abort()  # type: ignore[arg-type]

    context.route("**/_personalize/slots?*", serve)
    page = context.new_page()
    page.add_init_script(f"window.told = {FILLED}")
    page.goto("/?utm_source=newsletter")
    page.evaluate("window.told")
    assert hero(page) == OWN


def test_a_page_of_a_strict_policy_is_filled(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/strict?utm_source=newsletter")
    page.get_by_text("From the letter").wait_for()


def test_what_is_put_into_a_page_later_is_filled_and_is_no_page_view(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    with page.expect_request("**/_personalize/slots?*s=season*") as asked:
        page.evaluate(
            "fetch('/part').then(answer => answer.text())"
            ".then(part => document.querySelector('main').insertAdjacentHTML('beforeend', part))"
        )
    page.get_by_text("The season").wait_for()
    assert "view=" not in asked.value.url and "s=hero" not in asked.value.url


def test_a_page_kept_by_the_browser_is_asked_for_anew_when_somebody_has_logged_out(context: BrowserContext) -> None:
    buy_tents(context)
    page = context.new_page()
    page.goto("/")
    page.get_by_text(TENTS).wait_for()
    context.clear_cookies()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.get_by_text(OWN).wait_for()
    assert hero(page) == OWN


def seen(address: str, host: str) -> dict[str, int]:
    """How often each slot of a site was seen so far."""
    with urllib.request.urlopen(
        urllib.request.Request(f"{address}/_personalize/health", headers={"host": host})
    ) as told:
        slots = json.load(told)["slots"]
    return {slot_id: one["seen"] for slot_id, one in slots.items() if "seen" in one}


@pytest.mark.parametrize("host", ["seen.localhost", "seen-by-script.localhost"])
def test_a_slot_was_seen_when_it_has_been_in_view_for_a_second(browser: Browser, address: str, host: str) -> None:
    context = browser.new_context(user_agent=CHROME, base_url=address.replace("127.0.0.1", host))
    page = context.new_page()
    below = page.locator('[data-slot="hero"]')
    # What is sent is not yet counted; what was answered is.
    with page.expect_response("**/_personalize/seen"):
        page.goto("/long?utm_source=newsletter")
        below.get_by_text("From the letter").wait_for(state="attached")
        below.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.evaluate("scrollTo(0, 0)")
    assert seen(address, host) == {"season": 1}
    with page.expect_response("**/_personalize/seen"):
        below.scroll_into_view_if_needed()
    assert seen(address, host) == {"season": 1, "hero": 1}
    context.close()
