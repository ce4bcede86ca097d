"""That the site honours Global Privacy Control is said where the settings say so, and nowhere else."""

import asyncio
import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from personalize.wrap import wrap
from tests.desk import desk_settings, write_desk
from tests.driver import Browser, running

WELL_KNOWN = "/.well-known/gpc.json"


def test_a_site_that_says_so_is_believed_and_any_other_answers_for_itself(tmp_path: Path) -> None:
    async def asked(**settings: object) -> tuple[int, str | None, str]:
        write_desk(tmp_path)
        site = Starlette(routes=[Route(WELL_KNOWN, lambda request: PlainTextResponse("its own"))])
        app = wrap(site, desk_settings(tmp_path, **settings))
        async with running(app):
            reply = await Browser(app).get(WELL_KNOWN)
        return reply.status, reply.header("content-type"), reply.text

    status, media_type, text = asyncio.run(asked(privacy_gpc_since="2026-05-01"))
    assert (status, media_type) == (200, "application/json")
    assert json.loads(text) == {"gpc": True, "lastUpdate": "2026-05-01"}
    assert asyncio.run(asked())[2] == "its own"
