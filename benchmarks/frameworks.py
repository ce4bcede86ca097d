"""What personalizing adds to a page of each framework: the same template, rendered for every request.

In-process, all variants in one run, round by round in shuffled order; CPU time of all threads, the least of the rounds.
A page of 16 KB: as the site sends it, wrapped without a slot, and wrapped with two that are filled, by the tag of the
framework and by `data-slot`. The requests carry no session, so that no site asks a database.

    python -m benchmarks.frameworks [--rounds 9] [--requests 150]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import django
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import path as route
from fastapi import FastAPI
from litestar import Litestar, get
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig
from quart import Quart, render_template
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from benchmarks.package_measured import say_what_is_measured
from personalize.settings import Settings, load_settings
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap

KEY = "a key only for this benchmark, long enough to be one"
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
ITEMS = 150
LIST = (
    '<ul>{% for item in items %}<li class="card"><a href="{{ item.path }}">{{ item.title }}</a> and its price</li>\n'
    "{% endfor %}</ul>"
)
SLOTS = '{% slot "above" %}<p>Default</p>{% endslot %}<section data-slot="below"><p>Default</p></section>'
PAGES = {"plain": f"<!doctype html>{LIST}", "slots": f"<!doctype html>{SLOTS}{LIST}"}
THINGS = [{"path": f"/product/{n}", "title": f"A thing to buy, number {n}, in many colours"} for n in range(ITEMS)]
VALUES = {"items": THINGS}
RULES = """
slots:
  above: {rules: [{id: above, to: {visit.source: newsletter}, show: notes/above}]}
  below: {rules: [{id: below, to: {page.device: [desktop, mobile]}, show: notes/below}]}
"""

App = Callable[[Any, Any, Any], Awaitable[None]]


def starlette_site(pages: Path) -> tuple[App, Any]:
    """Pages of Starlette, and what is to be taught."""
    templates = Jinja2Templates(pages)

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, request.path_params["name"], VALUES)

    return Starlette(routes=[Route("/{name}", page)]), templates.env


def fastapi_site(pages: Path) -> tuple[App, Any]:
    """The same of FastAPI, in an async function."""
    templates = Jinja2Templates(pages)
    site = FastAPI()

    @site.get("/{name}")
    async def page(request: Request, name: str) -> Response:
        return templates.TemplateResponse(request, name, VALUES)

    return site, templates.env


def litestar_site(pages: Path) -> tuple[App, Any]:
    """The same of Litestar."""

    @get("/{name:str}")
    async def page(name: str) -> Template:
        return Template(name, context=VALUES, media_type="text/html")

    site = Litestar([page], template_config=TemplateConfig(directory=pages, engine=JinjaTemplateEngine))
    assert isinstance(site.template_engine, JinjaTemplateEngine)
    return site, site.template_engine.engine


def quart_site(pages: Path) -> tuple[App, Any]:
    """The same of Quart."""
    site = Quart(__name__, template_folder=str(pages))

    @site.get("/<name>")
    async def page(name: str) -> str:
        filled: str = await render_template(name, **VALUES)
        return filled

    return site, site.jinja_env


def django_site(pages: Path) -> tuple[App, Any]:
    """The same of Django, with sessions and logins, in an async function."""

    async def page(request: HttpRequest, name: str) -> HttpResponse:
        return render(request, f"django/{name}", VALUES)

    django_settings.configure(
        SECRET_KEY=KEY,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=(route("<name>", page),),
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "personalize.django"],
        MIDDLEWARE=[
            "personalize.django.middleware.PageViewMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [pages]}],
    )
    django.setup()
    return get_asgi_application(), engines["django"].engine


SITES = {
    "Starlette": starlette_site,
    "FastAPI": fastapi_site,
    "Litestar": litestar_site,
    "Quart": quart_site,
    "Django": django_site,
}


def write_site(folder: Path) -> Settings:
    """Templates of the site and the editors' files."""
    (folder / "pages" / "django").mkdir(parents=True)
    for name, text in PAGES.items():
        (folder / "pages" / name).write_text(text, encoding="utf-8")
        (folder / "pages" / "django" / name).write_text("{% load personalize %}" + text, encoding="utf-8")
    files = {
        "rules/slots.yaml": RULES,
        "content/collections.yaml": "collections: {notes: {kind: note, template: note.html, fields: {}}}",
        "content/notes/above.md": "---\ntitle: Sixty days to change your mind\n---\n",
        "content/notes/below.md": "---\ntitle: Sixty days to the end of summer\n---\n",
        "content_templates/note.html": "<p>{{ item.title }}</p>",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return load_settings(None, {}, root=folder, secret_keys=[KEY], store="memory:", reload="save")


async def page_of(app: App, name: str) -> bytes:
    """One page, as a server asks for it."""
    asked, body = False, b""

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:  # Django listens for a reader who leaves
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"/{name}",
            "raw_path": f"/{name}".encode(),
            "query_string": b"utm_source=newsletter",
            "root_path": "",
            "headers": [(b"host", b"shop.example"), (b"accept", b"text/html"), (b"user-agent", CHROME)],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        },
        receive,
        send,
    )
    return body


async def seconds_of(app: App, name: str, requests: int) -> float:
    """CPU time of a page, in all threads."""
    begin = time.process_time()
    for _ in range(requests):
        await page_of(app, name)
    return (time.process_time() - begin) / requests


async def main(rounds: int, requests: int) -> None:
    """Measure all of them, and print a line for each framework."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        settings = write_site(folder)
        cases: dict[tuple[str, str], tuple[App, str]] = {}
        for framework, site in SITES.items():
            bare, engine = site(folder / "pages")
            app = wrap(bare, settings)
            app.teach(engine)
            cases[framework, "bare"] = (bare, "plain")
            cases[framework, "no slot"] = (app, "plain")
            cases[framework, "two slots"] = (app, "slots")
            await app.personalizer.start()
            filled = await page_of(app, "slots")
            assert filled.count(b"Sixty days") == 2 and b"Default" not in filled, filled[:300]
        least = dict.fromkeys(cases, float("inf"))
        order = random.Random(1)
        for _ in range(rounds):
            for case in order.sample(list(cases), len(cases)):
                least[case] = min(least[case], await seconds_of(*cases[case], requests))
        report(least)
        for each, _ in cases.values():
            if isinstance(each, PersonalizeMiddleware):
                await each.personalizer.stop()


def report(least: Mapping[tuple[str, str], float]) -> None:
    """Print what each adds to the bare page."""
    print(f"{'us a page':<12}{'bare':>9}{'no slot adds':>15}{'two slots add':>16}")
    for framework in SITES:
        bare, none, two = (1e6 * least[framework, name] for name in ("bare", "no slot", "two slots"))
        print(f"{framework:<12}{bare:>9.0f}{none - bare:>15.0f}{two - bare:>16.0f}   {two / bare:.2f} of bare")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=150)
    arguments = parser.parse_args()
    say_what_is_measured()
    asyncio.run(main(arguments.rounds, arguments.requests))
