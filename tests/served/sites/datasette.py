"""A site with Datasette: a plugin wraps it, and its own signed cookie says who is logged in."""

from collections.abc import Callable
from typing import Any

from datasette import hookimpl
from datasette.actor_auth_cookie import actor_from_request
from datasette.app import Datasette
from datasette.plugins import pm
from datasette.utils.asgi import AsgiStream, AsgiWriter, Request, Response

from personalize import Scope, page_view_of, wrap
from tests.served.sites.markup import PAGES, PARTS, STATIC


class Plugin:
    """What Datasette asks of a plugin."""

    __name__ = "Plugin"

    @hookimpl
    def asgi_wrapper(self, datasette: Datasette) -> Callable[[Any], Any]:
        """The two lines."""

        def wrapped(site: Any) -> Any:
            app = wrap(site, login=login)
            app.teach(datasette.jinja_env)
            return app

        def login(scope: Scope) -> str | None:
            actor = actor_from_request(datasette, Request(scope, None)) or {}
            return scope["state"].get("user_id") or actor.get("id")

        return wrapped

    @hookimpl
    def register_routes(self) -> list[tuple[str, Callable[..., Any]]]:
        """Pages of the site beside Datasette's own."""
        return [
            (r"^/streamed$", streamed),
            (r"^/data\.json$", data),
            (r"^/login$", log_in),
            (r"^/buy$", buy),
            (r"^/hero$", hero),
        ]

    @hookimpl
    def skip_csrf(self, scope: Scope) -> bool:
        """The test sends forms that it has not fetched."""
        return True


async def streamed() -> AsgiStream:
    """A page in parts."""

    async def parts(writer: AsgiWriter) -> None:
        for part in PARTS:
            await writer.write(part)

    return AsgiStream(parts, content_type="text/html; charset=utf-8")


async def data() -> Response:
    """No page."""
    return Response.json({"html": PARTS[1]})


async def log_in(request: Request, datasette: Datasette) -> Response:
    """A form that logs somebody in."""
    name = (await request.post_vars())["name"]
    request.scope["state"]["user_id"] = name
    page_view_of(request.scope).set(first_name=name.title(), tier="gold")
    reply = Response.redirect("/")
    reply.set_cookie("ds_actor", datasette.sign({"a": {"id": name}}, "actor"))
    return reply


async def buy(request: Request) -> Response:
    """A form that buys something."""
    page_view_of(request.scope).record("purchase", amount=(await request.post_vars())["amount"])
    return Response.redirect("/")


async def hero(request: Request) -> Response:
    """A decision in code."""
    return Response.json((await page_view_of(request.scope).slot("hero")).item_ids)


pm.register(Plugin(), "personalized")
app = Datasette(memory=True, template_dir=str(PAGES), static_mounts=[("static", str(STATIC))]).app()
