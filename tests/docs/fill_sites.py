"""Asks sites for their home pages as a browser does, one after the other in this process: `fill_sites.py shop:app …`.

Prints a line of JSON each: the name, the status, the page. The site is in the working directory.
"""

import asyncio
import importlib
import json
import sys
from contextlib import suppress
from typing import Any

from tests.driver import Browser, running


async def page_of(app: Any) -> tuple[int, str]:
    """The home page of a site, between its start and its end."""
    reply = None
    with suppress(AssertionError, ValueError):  # of a site that knows no lifespan, when all is over
        async with running(app):
            reply = await Browser(app).get("/")
    assert reply is not None
    return reply.status, reply.text


def app_of(name: str) -> Any:
    """The app that a server would be told to serve."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


if __name__ == "__main__":
    sys.path.insert(0, "")
    for name in sys.argv[1:]:
        status, text = asyncio.run(page_of(app_of(name)))
        print(json.dumps([name, status, text]))
