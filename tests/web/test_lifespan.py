"""Whatever a site does with the lifespan protocol, we begin before it, and what is queued is written at the end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, write_desk
from tests.driver import App, Message

START, END = "lifespan.startup", "lifespan.shutdown"
ALL_WELL = [f"{START}.complete", f"{END}.complete"]


class Unwell(Exception):  # noqa: N818
    """The site's own error."""


async def returns_at_once(scope: Any, receive: Any, send: Any) -> None:
    """Knows requests, and shrugs at all else."""


async def raises_at_once(scope: Any, receive: Any, send: Any) -> None:
    """Knows requests alone."""
    raise Unwell


async def returns_when_it_has_started(scope: Any, receive: Any, send: Any) -> None:
    """Ends too early."""
    await receive()
    await send({"type": f"{START}.complete"})


async def hears_and_says_nothing(scope: Any, receive: Any, send: Any) -> None:
    """Takes both messages for granted."""
    await receive()
    await receive()


async def raises_at_the_start(scope: Any, receive: Any, send: Any) -> None:
    """Can't reach what it needs."""
    await receive()
    raise Unwell


async def fails_at_the_start(scope: Any, receive: Any, send: Any) -> None:
    """Can't reach what it needs, and says so, as Starlette does."""
    await receive()
    await send({"type": f"{START}.failed", "message": "no database"})
    raise Unwell


async def raises_at_the_end(scope: Any, receive: Any, send: Any) -> None:
    """Trips over its own doorstep."""
    await receive()
    await send({"type": f"{START}.complete"})
    await receive()
    raise Unwell


async def fails_at_the_end(scope: Any, receive: Any, send: Any) -> None:
    """Says that it can't tidy up."""
    await receive()
    await send({"type": f"{START}.complete"})
    await receive()
    await send({"type": f"{END}.failed", "message": "a mess"})


def lifespan_of(folder: Path, site: App, *, twice: bool = False) -> tuple[list[str], bool, list[str]]:
    """A lifespan as a server runs it, with an event queued in between: what the server was told, whether an
    error reached it, and the log."""

    async def all_of_it() -> tuple[list[str], bool, list[str]]:
        write_desk(folder)
        inner = wrap(site, desk_settings(folder, ingest_flush_seconds=60))
        personalizer = inner.personalizer
        app = PersonalizeMiddleware(inner, personalizer) if twice else inner
        told: list[str] = []
        raised = False
        messages = [END, START]

        async def receive() -> Message:
            if messages == [END]:
                assert personalizer.started
                assert personalizer.ingest.put(personalizer.event("page_view", "v:ann", {"path": "/"}))
            return {"type": messages.pop()}

        async def send(message: Message) -> None:
            told.append(message["type"])

        try:
            async with asyncio.timeout(20):
                await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        except Unwell:
            raised = True
        assert not personalizer.started
        assert len(asyncio.all_tasks()) == 1
        await personalizer.store.open()
        log = [event.type async for event in personalizer.store.log()]
        await personalizer.store.close()
        return told, raised, log

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("site", [returns_at_once, returns_when_it_has_started, hears_and_says_nothing])
def test_a_site_that_says_nothing_is_answered_for(tmp_path: Path, site: App, twice: bool) -> None:
    assert lifespan_of(tmp_path, site, twice=twice) == (ALL_WELL, False, ["page_view"])


@pytest.mark.parametrize("twice", [False, True])
def test_a_site_that_raises_at_the_word_is_answered_for_and_its_error_comes_last(tmp_path: Path, twice: bool) -> None:
    assert lifespan_of(tmp_path, raises_at_once, twice=twice) == (ALL_WELL, True, ["page_view"])


def test_a_site_that_fails_to_start_is_the_servers_to_judge(tmp_path: Path) -> None:
    assert lifespan_of(tmp_path / "a", raises_at_the_start) == ([], True, [])
    assert lifespan_of(tmp_path / "b", fails_at_the_start) == ([f"{START}.failed"], True, [])


def test_what_is_queued_is_written_though_the_site_fails_to_end(tmp_path: Path) -> None:
    started = f"{START}.complete"
    assert lifespan_of(tmp_path / "a", raises_at_the_end) == ([started], True, ["page_view"])
    assert lifespan_of(tmp_path / "b", fails_at_the_end) == ([started, f"{END}.failed"], False, ["page_view"])
