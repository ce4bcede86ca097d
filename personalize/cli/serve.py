"""`personalize serve`: the site, with its slots filled, on this machine."""

import asyncio
import copy
import importlib
import os
import re
import socket
import sys
from datetime import datetime
from typing import Any

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.problems import quoted
from personalize.settings import FILE_VARIABLE, PREFIX_OF_VARIABLES
from personalize.stores.protocols import Live

_APP = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_AT_VARIABLE = f"{PREFIX_OF_VARIABLES}AT"


@click.command(short_help="Serve the site on this machine, now or as it was.")
@click.argument("app", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes serve.")
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
    site.show_warnings(site.checked_draft())
    site.check_geoip()
    live = asyncio.run(_live(site))
    _refuse_taken(host, port)
    _hand_over(site, moment)
    _load(named)
    click.echo(
        f"Serving {named} on http://{host}:{port}" + (f" by {counted(workers, 'worker')}" if workers > 1 else "")
    )
    click.echo(paragraph(_what_is_served(site, live, moment)))
    click.echo("Stop with Ctrl+C.")
    _run(named, host, port, workers)


async def _live(site: Site) -> Live | None:
    async with site.store() as store:
        return await store.live()


def _what_is_served(site: Site, live: Live | None, moment: datetime | None) -> str:
    version = f"the rule set {live.version}, live since {site.written(live.at)} (by {live.by})" if live else None
    if moment is not None:
        return f"As of {site.written(moment)}, recording nothing, by {version or 'the files on disk'}."
    if site.settings.reload == "save":
        return "Every valid save of a rule or content file is published at once."
    if version is None:
        return (
            "Nothing is published yet: every slot keeps the site's own markup; run personalize publish, and it is"
            " served within two seconds."
        )
    return f"What is served is {version}."


def _refuse_taken(host: str, port: int) -> None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Failed(f"http://{host}:{port} cannot be served: {error.strerror}; try another --port.") from error


def _hand_over(site: Site, moment: datetime | None) -> None:
    """Tell the site's own settings, and those of every worker, what the command line says."""
    if site.path is not None:
        os.environ[FILE_VARIABLE] = str(site.path.resolve())
    if moment is not None:
        os.environ[_AT_VARIABLE] = moment.isoformat()
    sys.path.insert(0, str(site.settings.root))


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


def _run(named: str, host: str, port: int, workers: int) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - a site that is served by another server does without it
        from uvicorn.config import LOGGING_CONFIG  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Failed('there is no server: pip install "personalize[server]"') from error
    logging = copy.deepcopy(LOGGING_CONFIG)
    logging["loggers"]["personalize"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    uvicorn.run(named, host=host, port=port, workers=workers, log_config=logging)
