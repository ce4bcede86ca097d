"""What the log says when a site's code records something that is not declared so."""

import ast
import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from personalize import EventRefused, PersonalizeMiddleware, load_settings, wrap
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import checked
from tests.docs.blocks import folder_of_desk
from tests.driver import Browser, running


def printed_by(code: str) -> str:
    """What a snippet of a page's function prints into the log, or raises; it has `page_view` and `personalizer`."""
    said: list[str] = []
    program = compile(code, "a snippet of the page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def page(request: Request) -> Response:
        names = {"page_view": request.state.page_view, "personalizer": app.personalizer}
        with _errors_logged(said):
            try:
                waiting = eval(program, names)
                if waiting is not None:
                    await waiting
            except EventRefused as error:
                said.append(str(error))
        return PlainTextResponse("This page is served all the same.")

    async def site(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] == "http":
            await (await page(Request(scope)))(scope, receive, send)
        else:
            await send({"type": f"{(await receive())['type']}.complete"})
            await send({"type": f"{(await receive())['type']}.complete"})

    settings = load_settings(folder_of_desk() / "personalize.toml", {}, store="memory:")
    app = wrap(site, settings)
    app.personalizer.serve(checked(read_draft(settings, Problems()), settings))
    asyncio.run(_visit(app))
    return "\n".join(said)


async def _visit(app: PersonalizeMiddleware) -> None:
    async with running(app):
        assert (await Browser(app).get("/")).status == 200


@contextmanager
def _errors_logged(said: list[str]) -> Iterator[None]:
    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    keeper = Keeper(logging.WARNING)
    logger = logging.getLogger("personalize")
    logger.addHandler(keeper)
    try:
        yield
    finally:
        logger.removeHandler(keeper)
