"""`POST …/consent`: a visitor says yes or no, by an ordinary form, without a script."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from personalize.errors import StoreError
from personalize.pages.forms import is_form, own_path, read_form
from personalize.runtime.consenting import PAGE_FIELDS, take_decision
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.same_origin import is_same_origin


class ConsentEndpoint:
    """Answers the consent form: fields `grant` hold the purposes agreed to, empty for a refusal."""

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one answer and lead back to the page."""
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not is_same_origin(request.scope["headers"]):
            return PlainTextResponse("Please answer on the site's own page.", 403)
        if not is_form(request):
            return PlainTextResponse("Please answer by the site's own form.", 415)
        fields = await read_form(request)
        if fields is None:
            return PlainTextResponse("This answer is too long, or came too slowly.", 413)
        page = {name: values[-1] for name, values in fields.items() if name in PAGE_FIELDS}
        granted = " ".join(fields.get("grant", [])).split()
        try:
            cookies = await take_decision(self._personalizer, request.scope, granted, page)
        except StoreError as error:
            now = self._personalizer.clock.now()
            self._personalizer.health.failed("a consent decision could not be kept", error, now)
            return PlainTextResponse("We can't keep your answer just now. Please try again in a minute.", 503)
        response = RedirectResponse(own_path(fields.get("back", ["/"])[-1]), 303)
        for cookie in cookies:
            response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
        return response
