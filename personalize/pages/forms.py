"""What the forms of our own pages send: small urlencoded bodies, and the way back."""

import asyncio
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 16_384
_MOST_FIELDS = 50
#: How long a form may take to come: nobody holds a connection by sending a byte now and then.
PATIENCE_SECONDS = 10.0


def is_form(request: Request) -> bool:
    """Whether the body claims to be that of an ordinary form."""
    return request.headers.get("content-type", _FORM).startswith(_FORM)


async def read_form(request: Request) -> dict[str, list[str]] | None:
    """The fields of an urlencoded form, or None where it is larger than ours ever is, or does not come."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
    except TimeoutError:
        return None
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None


def own_path(back: str) -> str:
    """A path of this very site; anything that a browser could read as another one leads to the front page."""
    if (
        not back.startswith("/")
        or back.startswith("//")
        or any(c in back for c in "\\\r\n\t")
        or not back.isprintable()
    ):
        return "/"
    return back if urlsplit(back).netloc == "" else "/"
