"""`personalize proxy`: a site in any language, with its slots filled, behind this machine's address."""

import asyncio
import importlib.util
import os
from collections.abc import Callable

import click

from personalize.cli.findings import Failed
from personalize.cli.server import announce, hand_over, listening, ready, refuse_taken, run
from personalize.cli.site import Site, pass_site
from personalize.setting_kinds import HOST, UPSTREAM, Kind
from personalize.settings import PREFIX_OF_VARIABLES, find_settings, load_settings
from personalize.web.asgi import ASGIApp
from personalize.wrap import wrap

_LONGEST_LOOK_SECONDS = 2
#: The site behind has its own.
_NO_HEADERS_OF_THE_SERVER = {"server_header": False, "date_header": False}


def _checked(kind: Kind) -> Callable[[click.Context, click.Parameter, str | None], object]:
    """What a setting takes, taken from the command line."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> object:
        try:
            return None if value is None else kind.check(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from error

    return check


@click.command()
@click.argument("upstream", required=False, callback=_checked(UPSTREAM))
@listening
@click.option(
    "--upstream-host",
    metavar="NAME",
    callback=_checked(HOST),
    help="The host that UPSTREAM is asked for. Otherwise the one that the visitor asked for.",
)
@pass_site
def proxy(site: Site, /, upstream: str | None, host: str, port: int, workers: int, upstream_host: str | None) -> None:
    """Stand before a site in any language, and fill its slots: UPSTREAM is its address, such as
    http://127.0.0.1:9000.

    Mark slots in its pages with data-slot="name" on an element. Everything but these leaves as UPSTREAM sent it.
    Without UPSTREAM, the settings name it ([proxy] upstream). The files are checked first, as by "serve".
    """
    if importlib.util.find_spec("httpcore") is None:
        raise Failed('what speaks to another server is missing: pip install "personalize[proxy]"')
    from personalize.web.proxy.upstream import Address  # noqa: PLC0415 - who needs no proxy does without httpcore

    named = upstream or site.settings.proxy.upstream
    if named is None:
        raise click.UsageError(
            "say which server is the site, such as http://127.0.0.1:9000, or write it in the settings:"
            ' upstream = "..." in the section [proxy].'
        )
    address = Address.parse(named)
    if (address.host, address.port) == (host, port):
        raise click.UsageError(f"{named} would be a proxy for itself; serve on another --port.")
    served = ready(site)
    refuse_taken(host, port)
    hand_over(
        site,
        {
            f"{PREFIX_OF_VARIABLES}PROXY_UPSTREAM": named,
            f"{PREFIX_OF_VARIABLES}PROXY_UPSTREAM_HOST": upstream_host,
        },
    )
    remarks = [served]
    if not asyncio.run(_answers(address.host, address.port)):
        remarks.append(f"Nothing answers at {named} yet: visitors get an error page (502) until something does.")
    announce(f"Standing before {named}", host, port, workers, *remarks)
    run(f"{__name__}:site", host, port, workers, factory=True, proxy_headers=False, **_NO_HEADERS_OF_THE_SERVER)


async def _answers(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_LONGEST_LOOK_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


def site() -> ASGIApp:
    """The app that the server runs, once a worker: made from the settings alone, which name everything."""
    from personalize.web.proxy.entrance import Entrance  # noqa: PLC0415
    from personalize.web.proxy.forwarded import TrustedPeers  # noqa: PLC0415
    from personalize.web.proxy.proxy import Proxy  # noqa: PLC0415

    settings = load_settings(find_settings(None, os.environ), os.environ)
    own = settings.proxy
    assert own.upstream is not None
    behind = Proxy(
        own.upstream,
        host=own.upstream_host,
        connect_seconds=own.connect_seconds,
        idle_seconds=own.idle_seconds,
        connections=own.connections,
    )
    return Entrance(wrap(behind, settings), TrustedPeers(own.trusted))
