"""Everything that a visitor's browser may change, asked for by a page of somebody else: nothing changes."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from personalize.api.operation import Role
from personalize.api.operations import OPERATIONS
from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.api.channel import API_RULES, ROOT
from tests.conftest import REPOSITORY
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running

pytestmark = pytest.mark.trust
LOOKED = {"id": "1", "type": "looked", "properties": {"item": "tent"}}
#: Every address at which a browser may change something, with what its own page would send there.
WRITES: Mapping[str, dict[str, object]] = {
    f"{ROOT}/browser/events": LOOKED,
    f"{ROOT}/browser/attributes": {"id": "2", "attributes": {"size": 5}},
    "/_personalize/till": {"do": "look", "user": "kari", "why": "They stand before me"},
    "/_personalize/you": {"do": "erase", "sure": "yes"},
    "/_personalize/consent": {"grant": "", "back": "/"},
    "/_personalize/seen": {"view": "0123456789abcdef", "slot": "a mark"},
}
#: What asks at each of them whose page it is.
DOORS: Mapping[str, tuple[str, ...]] = {
    "personalize.api.access": (f"{ROOT}/browser/events", f"{ROOT}/browser/attributes"),
    "personalize.pages.till": ("/_personalize/till",),
    "personalize.pages.you": ("/_personalize/you",),
    "personalize.pages.consent": ("/_personalize/consent",),
    "personalize.web.seen.seen_endpoint": ("/_personalize/seen",),
}
#: How the requests of other pages look: what browsers say of them, in every version there is.
OTHERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "another site": (("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")),
    "another host of this site": (("sec-fetch-site", "same-site"), ("origin", "http://blog.shop.example")),
    "an address that was typed": (("sec-fetch-site", "none"),),
    "an older browser": (("origin", "https://evil.example"),),
    "a page without an origin": (("origin", "null"),),
    "the same name at another port": (("origin", "http://shop.example:8080"),),
    "a longer name": (("origin", "http://shop.example.evil.example"),),
    "no word at all": (),
    "a word that is none": (("sec-fetch-site", "SAME-ORIGIN"),),
    "two words": (("sec-fetch-site", "cross-site"), ("sec-fetch-site", "cross-site, same-origin")),
    "our own host as an address": (("sec-fetch-site", "cross-site"), ("referer", "http://shop.example/")),
}


def staff(scope: Scope) -> str | None:
    """Somebody is at the till."""
    return "Ole"


async def asked(browser: Browser, path: str, others: tuple[tuple[str, str], ...], *, method: str = "POST") -> int:
    """Send what the page at this address would, as somebody else's page; the status, 0 where a cookie is set."""
    is_api = path.startswith(ROOT)
    body = json.dumps(WRITES[path]) if is_api else urlencode(WRITES[path])
    kind = "application/json" if is_api else "application/x-www-form-urlencoded"
    reply = await browser.request(method, path, headers=[("content-type", kind), *others], body=body.encode())
    return 0 if reply.all("set-cookie") else reply.status


async def changed_by_others(folder: Path) -> list[str]:
    """What pages of others may change after all."""
    write_desk(folder, rules=API_RULES)
    app = wrap(Starlette(), desk_settings(folder, count_seen=True), staff=staff)
    async with running(app):
        await published(app)
        browser = Browser(app)
        await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/"})
        before = await log_and_profiles(app)
        found = [
            f"{path} by {other}: {status}"
            for path in WRITES
            for other, headers in OTHERS.items()
            if (status := await asked(browser, path, headers)) != 403
        ]
        for path in WRITES:
            for method in ("GET", "PUT", "DELETE"):
                status = await asked(browser, path, OTHERS["another site"], method=method)
                found += [f"{method} {path}: {status}"] if status not in (200, 403, 405) else []
        return found + (["something was kept"] if await log_and_profiles(app) != before else [])


async def log_and_profiles(app: PersonalizeMiddleware) -> tuple[int, int]:
    """How much is kept."""
    return len(await written(app)), len([one async for one in app.personalizer.store.profiles()])


@pytest.mark.trust(tries=len(WRITES) * len(OTHERS))
def test_no_page_of_somebody_else_changes_anything_for_the_visitor(tmp_path: Path) -> None:
    assert asyncio.run(changed_by_others(tmp_path)) == []


@pytest.mark.planted
@pytest.mark.parametrize("door", DOORS)
def test_a_door_that_does_not_ask_whose_page_it_is_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setattr(f"{door}.is_same_origin", lambda headers: True)
    found = asyncio.run(changed_by_others(tmp_path))
    assert {one.partition(" by ")[0] for one in found} >= set(DOORS[door])


def test_each_door_at_which_a_browser_may_change_something_is_tried() -> None:
    sources = (REPOSITORY / "personalize").rglob("*.py")
    asking = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for path in sources
        if re.search(r"if not is_same_origin\(", path.read_text(encoding="utf-8"))
    }
    assert asking == set(DOORS)
    assert {path for paths in DOORS.values() for path in paths} == set(WRITES)
    of_browsers = {f"{ROOT}{operation.path}" for operation in OPERATIONS if operation.who is Role.BROWSER}
    assert of_browsers == set(DOORS["personalize.api.access"])


def test_no_other_page_puts_ours_into_a_frame(tmp_path: Path) -> None:
    async def scene() -> None:
        write_desk(tmp_path)
        app = wrap(Starlette(), desk_settings(tmp_path), staff=staff)
        async with running(app):
            await published(app)
            for path in ("/_personalize/you", "/_personalize/till"):
                reply = await Browser(app).get(path)
                assert "frame-ancestors 'none'" in (reply.header("content-security-policy") or ""), path

    asyncio.run(scene())
