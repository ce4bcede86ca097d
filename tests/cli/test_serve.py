"""`serve`: what is checked first, what is said, and that a page of the past is the page that was promised."""

import json
import socket
import sys

import pytest

from tests.cli.serving import free_port, served
from tests.cli.terminal import Terminal

SITE = '''\
import os

from personalize import wrap

PAGE = b"""<!doctype html><html><body><section data-slot="home-hero"><p>Our own picture</p></section></body></html>"""


async def site(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = PAGE if scope["path"] == "/" else os.environ.get("PERSONALIZE_SETTINGS", "").encode()
    kind = b"text/html; charset=utf-8" if scope["path"] == "/" else b"text/plain"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})


app = wrap(site, login=lambda scope: dict(scope["headers"]).get(b"x-user", b"").decode() or None)
'''


@pytest.fixture
def site(sold: Terminal) -> Terminal:
    """The record shop with a site of one page."""
    (sold.folder / "shop.py").write_text(SITE, encoding="utf-8")
    return sold


def promised(terminal: Terminal, user: str) -> list[str]:
    asked = ("--slot", "home-hero", "--visitor", f"u:{user}", "--at", "1997-10-01", "--path", "/", "--format", "json")
    items: list[str] = json.loads(terminal.well("explain", *asked))["items"]
    return items


def test_a_moment_of_the_past_is_served_as_promised_and_nothing_is_recorded(site: Terminal) -> None:
    titles = {
        "heroes/box-set": "<h1>The whole of it in one box</h1>",
        "heroes/come-back": "<h1>We kept your shelf</h1>",
        "heroes/new-this-week": "<h1>New this week</h1>",
    }
    before = site.well("segments", "--format", "json")
    with served(site.folder, "shop:app", "--at", "1997-10-01", "--workers", "2", workers=2) as shop:
        assert shop.printed.startswith(f"Serving shop:app on {shop.address} by 2 workers\nAs of 1997-10-01 00:00 UTC,")
        pages = {user: shop.page(user=user) for user in ("101", "104", "107", "108", "111", "4711")}
        assert shop.page("/settings") == str(site.folder / "personalize.toml")
    for user, page in pages.items():
        items = promised(site, user)
        shown = [item for item, title in titles.items() if title in page]
        assert shown == items
        assert ("Our own picture" in page) == (not items)
    assert {tuple(promised(site, user)) for user in pages} == {(), *((item,) for item in titles)}
    after = json.loads(site.well("segments", "--format", "json"))
    assert after["visitors"] == json.loads(before)["visitors"]


def test_with_nothing_published_the_page_stays_and_the_command_says_so(shop: Terminal) -> None:
    (shop.folder / "shop.py").write_text(SITE, encoding="utf-8")
    (shop.folder / "personalize.toml").write_text('app = "shop:app"\n', encoding="utf-8")
    with served(shop.folder) as site:
        said = " ".join(site.printed.split())
        assert (
            "Nothing is published yet: every slot keeps the site's own markup; run personalize publish, and it is "
            "served within two seconds. Stop with Ctrl+C."
        ) in said
        assert "Our own picture" in site.page(user="107")


def test_what_is_live_is_named(site: Terminal) -> None:
    with served(site.folder, "shop:app") as shop:
        said = " ".join(shop.printed.split())
    version = json.loads(site.well("segments", "--live", "--format", "json"))["version"]
    assert f"What is served is the rule set {version}, live since " in said
    assert "(by ola). Stop with Ctrl+C." in said


def test_files_with_an_error_are_listed_and_nothing_is_served(site: Terminal) -> None:
    site.change("rules/slots.yaml", "segment: recent-buyers", "segment: recent-buyer")
    site.change("rules/slots.yaml", "show: heroes/christmas", "show: heroes/chrismas")
    said = site.said("serve", "shop:app", exit_code=1)
    assert "error[E222]" in said
    assert "error[E225]" in said
    assert said.endswith("2 errors in 1 file.\n")


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("shop.main", '"shop.main" is not a module and a name, such as shop.main:app.'),
        ("no_such_shop:app", 'there is no module "no_such_shop", looked for in {folder} and what is installed.'),
        ("personalize.durations:app", 'the module "personalize.durations" has no "app".'),
    ],
)
def test_an_app_that_is_not_there_is_one_line(
    shop: Terminal, app: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PERSONALIZE_SETTINGS", str(shop.folder / "personalize.toml"))
    port = str(free_port())
    assert shop.said("serve", app, "--port", port, exit_code=2) == f"Error: {said.format(folder=shop.folder)}\n"


def test_without_an_app_it_is_asked_for_one(shop: Terminal) -> None:
    said = shop.said("serve", exit_code=2)
    assert said.endswith(
        'Error: say which app is the site, such as shop.main:app, or write app = "..." in the settings.\n'
    )


def test_a_port_that_is_taken_is_one_line(shop: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert shop.said("serve", "shop:app", "--port", str(port), exit_code=2) == (
            f"Error: http://127.0.0.1:{port} cannot be served: Address already in use; try another --port.\n"
        )


def test_a_moment_that_is_none_is_explained_before_anything_is_served(shop: Terminal) -> None:
    assert 'Invalid value for --at: "1997" is not a moment' in shop.said(
        "serve", "shop:app", "--at", "1997", exit_code=2
    )
