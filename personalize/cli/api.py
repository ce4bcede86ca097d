"""`personalize api`: the JSON API alone, without a site around which it stands."""

import os

import click
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from personalize.api.app import ROOT
from personalize.cli.server import announce, hand_over, listening, ready, refuse_taken, run
from personalize.cli.site import Site, pass_site
from personalize.settings import find_settings, load_settings
from personalize.web.asgi import ASGIApp
from personalize.wrap import wrap


@click.command()
@listening
@pass_site
def api(site: Site, /, host: str, port: int, workers: int) -> None:
    """Serve the JSON API alone: for a till, a call centre, an app, on another port or machine than the site's.

    A site that is wrapped serves it as well, below its prefix. "personalize token create" makes the tokens that it
    takes, "personalize openapi" describes it. The files are checked first, as by "serve".
    """
    served = ready(site)
    refuse_taken(host, port)
    hand_over(site, {})
    announce(f"Serving the API below {site.settings.prefix}{ROOT}", host, port, workers, served)
    run(f"{__name__}:alone", host, port, workers, factory=True)


def alone() -> ASGIApp:
    """The app that the server runs, once a worker: made from the settings alone."""
    return wrap(_nothing_else, load_settings(find_settings(None, os.environ), os.environ))


async def _nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    """What a site would serve: nothing is here."""
    if scope["type"] == "http":
        await PlainTextResponse("Here is only the API.", 404)(scope, receive, send)
