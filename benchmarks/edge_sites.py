"""The sites that `edges` serves: a shop's page of 20 KB, bare or with its five slots marked in one of two ways.

`PERSONALIZE_SETTINGS` names the settings of the desk, `BENCHMARK_MARKS` says how: `none`, `token` or `written`.
"""

import os
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp

from benchmarks.shop_site import page, site
from personalize.web.html.marks import close_mark, open_mark, token_of
from personalize.wrap import wrap

KEY = "a key only for this benchmark, long enough to be one"
MARKS = "BENCHMARK_MARKS"


def marked(way: str) -> bytes:
    """The page with its slots marked in this way."""
    token = token_of(KEY)
    ways: dict[str, Callable[[str], str]] = {
        "none": lambda slot_id: f"<section><p>Default of {slot_id}</p></section>",
        "token": lambda slot_id: f"{open_mark(token, slot_id)}<p>Default</p>{close_mark(token)}",
        "written": lambda slot_id: f'<section data-slot="{slot_id}"><p>Default</p></section>',
    }
    return page(ways[way])


def app_of(way: str) -> ASGIApp:
    """The site, wrapped unless nothing is marked."""
    bare = site(marked(way))
    return bare if way == "none" else wrap(bare, Path(os.environ["PERSONALIZE_SETTINGS"]))


app = app_of(os.environ.get(MARKS, "none"))
