"""`personalize serve`: the site, with its slots filled, on this machine."""

import importlib
import re
import sys
from typing import Any

import click

from personalize.cli.findings import Failed
from personalize.cli.server import announce, hand_over, listening, ready, refuse_taken, run
from personalize.cli.site import Site, pass_site
from personalize.problems import quoted
from personalize.settings import PREFIX_OF_VARIABLES

_APP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_AT_VARIABLE = f"{PREFIX_OF_VARIABLES}AT"


@click.command()
@click.argument("app", required=False)
@listening
@click.option("--at", metavar="MOMENT", help="Serve as of this moment of the past, and record nothing.")
@pass_site
def serve(site: Site, /, app: str | None, host: str, port: int, workers: int, at: str | None) -> None:
    """Serve the site on this machine, with its slots filled: APP is its module and name, such as shop.main:app.

    Without APP, the settings name it (app = "shop.main:app"). The files are checked first; where there is an error,
    all of them are listed and nothing is served. With --at, visitors are who they were at that moment.
    """
    named = app or site.settings.app
    if named is None:
        raise click.UsageError(
            'say which app is the site, such as shop.main:app, or write app = "..." in the settings.'
        )
    moment = None if at is None else site.moment(at)
    served = ready(site, moment)
    refuse_taken(host, port)
    hand_over(site, {_AT_VARIABLE: moment.isoformat() if moment is not None else None})
    _load(named)
    announce(f"Serving {named}", host, port, workers, served)
    run(named, host, port, workers)


def _load(named: str) -> Any:
    """The app, so that a wrong name is said here, in one line."""
    module_name, _, attribute = named.partition(":")
    if not _APP.fullmatch(named):
        raise Failed(f"{quoted(named)} is not a module and a name, such as shop.main:app.")
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise Failed(
            f"there is no module {quoted(error.name)}, looked for in {sys.path[0]} and what is installed."
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise Failed(f"the module {quoted(module_name)} has no {quoted(attribute)}.")
        found = getattr(found, part)
    return found
