"""Whatever happens to the files: what is live stays, every problem has a place, and the site's pages are whole."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.errors import InvalidFiles
from personalize.problems import Problem, Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, published, write_desk
from tests.driver import Browser, running

PAGE = '<!doctype html><div data-slot="hero">Default</div><div data-slot="row">Default</div>'
LETTER = "/?utm_source=newsletter"
FILLED = "From the letter"


async def home(request: Request) -> Response:
    """A page with two slots."""
    return HTMLResponse(PAGE)


def site() -> Starlette:
    """The bare site."""
    return Starlette(routes=[Route("/", home)])


async def save(app: PersonalizeMiddleware) -> tuple[Problem, ...]:
    """Publish the files as a save in development does; what is wrong with them."""
    personalizer = app.personalizer
    problems = Problems()
    draft = read_draft(personalizer.settings, problems)
    try:
        if not problems.has_errors:
            now = personalizer.clock.now()
            await publish(personalizer.store, draft, personalizer.settings, at=now, by="a test")
    except InvalidFiles as error:
        return error.problems
    await personalizer.refresh()
    return tuple(problem for problem in problems.list if problem.severity == "error")


def broken_texts() -> Iterator[tuple[str, bytes]]:
    """What may become of a rule file: cut, mistyped, half saved, made by a program gone wrong."""
    whole = RULES.encode()
    yield "bad UTF-8", whole.replace(b"buyers", b"buy\xff\xfers")
    yield "UTF-16", RULES.encode("utf-16")
    yield "NUL", whole.replace(b"buyers", b"buy\x00ers")
    yield "tabs", whole.replace(b"  hero:", b"\thero:")
    yield "alias bomb", b"a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nslots: *c\n"
    yield "tag", b"slots: !!python/object/apply:os.system [true]\n"
    yield "deep", b"slots: " + b"[" * 5_000
    yield "a merge conflict", whole.replace(b"segments:", b"<<<<<<< mine\nsegments:\n=======\n>>>>>>> theirs")
    yield "another language", b"<html><body>not YAML at all</body></html>"
    yield "a list", b"- one\n- two\n"
    yield "a word", b"hello\n"
    yield "every key misspelt", whole.replace(b"rules:", b"rulez:")
    yield "an item that is not there", whole.replace(b"things/letter", b"things/lettre")
    yield "a segment that is not there", whole.replace(b"{segment: buyers}", b"{segment: byers}")
    yield "an event that is not there", whole.replace(b"did: purchase", b"did: purchse")
    yield "an operator that is not there", whole.replace(b"at_least", b"atleast")
    yield "a hundred megabytes", b""


def test_a_broken_file_is_said_with_its_place_while_the_last_good_one_is_served(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        file = tmp_path / "rules" / "all.yaml"
        async with running(app):
            await published(app)
            good = app.personalizer.rule_set
            for name, text in broken_texts():
                file.write_bytes(text)
                if name == "a hundred megabytes":
                    with file.open("r+b") as sparse:
                        sparse.truncate(100_000_000)
                problems = await save(app)
                assert problems, f"{name}: nothing was said"
                assert all(problem.file for problem in problems), name
                assert app.personalizer.rule_set is good, name
                assert FILLED in (await Browser(app).get(LETTER)).text, name
            file.write_text(RULES, encoding="utf-8")
            assert await save(app) == ()

    asyncio.run(run())


def test_a_file_cut_anywhere_is_refused_or_means_what_is_left_of_it(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        file = tmp_path / "rules" / "all.yaml"
        refused = 0
        async with running(app):
            await published(app)
            for end in range(1, len(RULES), 7):
                file.write_text(RULES[:end], encoding="utf-8")
                problems = await save(app)
                refused += bool(problems)
                assert all(problem.file and problem.line for problem in problems), (end, problems)
                assert (await Browser(app).get(LETTER)).status == 200
        assert refused > 40

    asyncio.run(run())


@pytest.mark.parametrize(
    "gone", ["content/things/letter.md", "content/collections.yaml", "content_templates/thing.html"]
)
def test_content_that_is_gone_is_said_and_what_is_live_stays(tmp_path: Path, gone: str) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            (tmp_path / gone).unlink()
            assert await save(app)
            assert FILLED in (await Browser(app).get(LETTER)).text

    asyncio.run(run())


def test_while_rule_sets_change_every_page_is_of_exactly_one(tmp_path: Path) -> None:
    one = "attributes: {first_name: {type: text}}\nslots:\n  hero: {page: home, rules: [{id: a, show: things/tent}]}\n"
    one += "  row: {page: home, rules: [{id: a, show: things/thanks}]}\n"
    other = one.replace("things/tent", "things/letter").replace("things/thanks", "things/gold")
    pairs = {("What goes with a tent", "Thank you"), ("From the letter", "For gold")}

    async def run() -> None:
        write_desk(tmp_path, rules=one)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            done = asyncio.Event()

            async def read() -> int:
                seen: set[tuple[str, str]] = set()
                while not done.is_set():
                    text = (await Browser(app).get("/")).text
                    shown = {pair for pair in pairs if pair[0] in text and pair[1] in text}
                    assert len(shown) == 1 and "Default" not in text
                    seen |= shown
                    await asyncio.sleep(0.002)
                return len(seen)

            readers = [asyncio.create_task(read()) for _ in range(3)]
            for number in range(20):
                write_desk(tmp_path, rules=one if number % 2 else other)
                assert await save(app) == ()
            done.set()
            assert await asyncio.gather(*readers) == [2, 2, 2]

    asyncio.run(run())
