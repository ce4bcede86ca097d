"""`POST …/consent`: a visitor says yes or no, by an ordinary form, without a script."""

from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from personalize.errors import StoreError
from personalize.runtime.consenting import PAGE_FIELDS, take_decision
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.same_origin import is_same_origin

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 16_384
_MOST_FIELDS = 50


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
        if not request.headers.get("content-type", _FORM).startswith(_FORM):
            return PlainTextResponse("Please answer by the site's own form.", 415)
        fields = await _form(request)
        if fields is None:
            return PlainTextResponse("This answer is too long.", 413)
        page = {name: values[-1] for name, values in fields.items() if name in PAGE_FIELDS}
        granted = " ".join(fields.get("grant", [])).split()
        try:
            cookies = await take_decision(self._personalizer, request.scope, granted, page)
        except StoreError as error:
            now = self._personalizer.clock.now()
            self._personalizer.health.failed("a consent decision could not be kept", error, now)
            return PlainTextResponse("We can't keep your answer just now. Please try again in a minute.", 503)
        response = RedirectResponse(_own_path(fields.get("back", ["/"])[-1]), 303)
        for cookie in cookies:
            response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
        return response


async def _form(request: Request) -> dict[str, list[str]] | None:
    """The fields of an urlencoded form, or None where it is larger than ours ever is."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None


def _own_path(back: str) -> str:
    """A path of this very site; anything that a browser could read as another one leads to the front page."""
    if (
        not back.startswith("/")
        or back.startswith("//")
        or any(c in back for c in "\\\r\n\t")
        or not back.isprintable()
    ):
        return "/"
    return back if urlsplit(back).netloc == "" else "/"
