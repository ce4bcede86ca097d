"""`…/till`: for whoever serves a visitor at the till or on the phone; one page, without a script.

Who may see it the site says (`wrap(app, staff=…)`). Whom they ask for travels in the body of a form, never in an
address, and is in the log, with their name and their reason, before anything is shown.
"""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from personalize.errors import EventRefused, StoreError
from personalize.pages.forms import is_form, read_form
from personalize.pages.plain_page import PlainPage, as_plain
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.same_origin import is_same_origin
from personalize.runtime.serving import WRITTEN_IN_A_LINE, Counter, Served
from personalize.runtime.sources import Authorizer

_Fields: TypeAlias = Mapping[str, list[str]]
#: What somebody may be looked at for.
REASONS = ("They stand before me", "They are on the phone", "They have written to us")
_LONGEST = 200
_NAMED = "p."
_NOTED = "It is noted."


class TillPage:
    """An ASGI app of one page. `staff` says who may look."""

    def __init__(self, personalizer: Personalizer, staff: Authorizer) -> None:
        self._personalizer = personalizer
        self._staff = staff
        self._page = PlainPage("till.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the page, or what one of its forms asks for."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except StoreError as error:
            self._personalizer.health.failed("the till could not be served", error, self._personalizer.clock.now())
            response = PlainTextResponse("It can't be looked up just now: try again in a minute.", 503)
        await as_plain(response)(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        name = self._staff.may_serve(request.scope)
        if not isinstance(name, str) or not name:
            return PlainTextResponse("This page is for people who serve visitors.", HTTPStatus.FORBIDDEN)
        counter = Counter(self._personalizer, name)
        if request.method in ("GET", "HEAD"):
            return self._shown(counter, name)
        if request.method != "POST":
            return PlainTextResponse("This page is read, or answered by its own forms.", 405)
        if not is_same_origin(request.scope["headers"]):
            return PlainTextResponse("Please answer on the page itself.", HTTPStatus.FORBIDDEN)
        fields = await read_form(request) if is_form(request) else None
        if fields is None:
            return PlainTextResponse("Please answer by the page's own forms.", HTTPStatus.BAD_REQUEST)
        return await self._asked(counter, name, fields)

    async def _asked(self, counter: Counter, name: str, fields: _Fields) -> Response:
        asked, why = _last(fields, "user").strip(), _last(fields, "why")
        if why not in REASONS or not 0 < len(asked) <= _LONGEST:
            return self._shown(counter, name, refused="Say whom you serve, and why you look.", user_id=asked)
        meant = await counter.find(asked)
        if len(meant) > 1:
            return self._shown(counter, name, several=meant, user_id=asked, why=why)
        user_id = meant[0] if meant else asked
        said = refused = None
        served = await counter.look(user_id, why)
        if served is not None and _last(fields, "do") == "note":
            written = {key.removeprefix(_NAMED): _last(fields, key) for key in fields if key.startswith(_NAMED)}
            try:
                await counter.note(user_id, _last(fields, "event"), written, _last(fields, "id")[:_LONGEST])
            except EventRefused as error:
                refused = f"It is not noted: {error.reason}."
            else:
                said, served = _NOTED, await counter.look(user_id, why)
        if served is None:
            refused = "Nothing is known under this."
        return self._shown(counter, name, served=served, said=said, refused=refused, user_id=user_id, why=why)

    def _shown(
        self,
        counter: Counter,
        name: str,
        *,
        served: Served | None = None,
        several: Sequence[str] = (),
        said: str | None = None,
        refused: str | None = None,
        user_id: str = "",
        why: str = REASONS[0],
    ) -> Response:
        zone = self._personalizer.zone
        page = self._page.render(
            staff=name,
            reasons=REASONS,
            served=served,
            several=several,
            found_by=counter.found_by,
            said=said,
            refused=refused,
            user_id=user_id,
            why=why,
            day=lambda moment: moment.astimezone(zone).strftime("%Y-%m-%d"),
            events=counter.event_types,
            in_a_line=WRITTEN_IN_A_LINE,
            fresh_id=lambda: secrets.token_hex(16),
        )
        return HTMLResponse(page, HTTPStatus.OK if refused is None else HTTPStatus.UNPROCESSABLE_ENTITY)


def _last(fields: _Fields, name: str) -> str:
    return fields.get(name, [""])[-1]
