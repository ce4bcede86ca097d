"""A tiny site for real servers: its desk and settings are named by PERSONALIZE_SETTINGS."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from personalize import Scope, wrap

PAGE = '<!doctype html><title>Shop</title><div data-slot="hero"><p>Default</p></div><p>the end</p>'


async def home(request: Request) -> Response:
    """A page with a slot."""
    return HTMLResponse(PAGE)


async def buy(request: Request) -> Response:
    """Something bought, durable when it is answered."""
    number = request.query_params["number"]
    personalizer = app.personalizer
    await personalizer.record(
        "purchase", "u:anna", {"amount": number, "category": "tents"}, event_id=number, sender="test"
    )
    return PlainTextResponse(personalizer.worker)


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


app = wrap(Starlette(routes=[Route("/", home), Route("/buy", buy, methods=["POST"])]), login=login)
