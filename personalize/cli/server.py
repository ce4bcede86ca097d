"""A site served from a terminal: what `serve` and `proxy` have in common."""

import asyncio
import copy
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site
from personalize.cli.tables import counted, paragraph
from personalize.settings import FILE_VARIABLE
from personalize.stores.protocols import Live

F = TypeVar("F", bound=Callable[..., object])
#: What is still under way when the server is stopped is cut off then.
_LONGEST_GOODBYE_SECONDS = 3


def listening(command: F) -> F:
    """The options of a command that serves."""
    for option in (
        click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes."),
        click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port."),
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at."),
    ):
        command = option(command)
    return command


def ready(site: Site, moment: datetime | None = None) -> str:
    """What will be served, in words, after a look at all files. Raises `Findings` where one has an error."""
    site.show_warnings(site.checked_draft())
    site.check_geoip()
    return _what_is_served(site, asyncio.run(_live(site)), moment)


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


def refuse_taken(host: str, port: int) -> None:
    """Raise `Failed` where nobody can listen at this address."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Failed(f"{_address(host, port)} cannot be served: {error.strerror}; try another --port.") from error


def hand_over(site: Site, variables: Mapping[str, str | None]) -> None:
    """Tell the site's own settings, and those of every worker, what the command line says."""
    if site.path is not None:
        os.environ[FILE_VARIABLE] = str(site.path.resolve())
    os.environ.update({name: value for name, value in variables.items() if value is not None})
    sys.path.insert(0, str(site.settings.root))


def announce(what: str, host: str, port: int, workers: int, *remarks: str) -> None:
    """Say what begins now, what there is to know about it, and how it ends."""
    click.echo(f"{what} on {_address(host, port)}" + (f" by {counted(workers, 'worker')}" if workers > 1 else ""))
    for remark in remarks:
        click.echo(paragraph(remark))
    click.echo("Stop with Ctrl+C.")


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: str, host: str, port: int, workers: int, **more: Any) -> None:
    """Serve an app by its module and name, until somebody stops it; `more` are arguments of uvicorn."""
    try:
        import uvicorn  # noqa: PLC0415 - a site that is served by another server does without it
        from uvicorn.config import LOGGING_CONFIG  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Failed('there is no server: pip install "personalize[server]"') from error
    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["personalize"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    for handler, of_ours in (("access", WithoutQuery), ("default", WithoutGoodbyes)):
        config.setdefault("filters", {})[handler] = {"()": of_ours}
        config["handlers"][handler]["filters"] = [handler]
    uvicorn.run(
        app,
        host=host,
        port=port,
        workers=workers,
        log_config=config,
        timeout_graceful_shutdown=_LONGEST_GOODBYE_SECONDS,
        **more,
    )


class WithoutQuery(logging.Filter):
    """Takes the query strings out of the server's log: who knows what people put into them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let each line pass, without the query string that is the third thing it tells."""
        if isinstance(record.args, tuple) and len(record.args) > 2:
            client, method, target, *rest = record.args
            record.args = (client, method, str(target).partition("?")[0], *rest)
        return True


class WithoutGoodbyes(logging.Filter):
    """Takes out the tracebacks of requests that were cut off at the end: the server has said how many they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let each line pass that tells of something else."""
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
