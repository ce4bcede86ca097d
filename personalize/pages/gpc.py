"""`/.well-known/gpc.json`: that the site honours Global Privacy Control, for whoever looks (the "GPC support resource"
of https://w3c.github.io/gpc/). It speaks for the whole site, so it is served where the settings say so."""

from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_A_DAY = "public, max-age=86400"


class GpcResource:
    """Answers with what the site has said of itself, and `since` when."""

    def __init__(self, since: date) -> None:
        self._told = {"gpc": True, "lastUpdate": since.isoformat()}

    async def answer(self, request: Request) -> Response:
        """The resource, which is the same for everybody."""
        return JSONResponse(self._told, headers={"cache-control": _A_DAY})
