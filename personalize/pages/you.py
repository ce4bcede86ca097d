"""`…/you`: what we know of you, why you saw this, and what you may say about it; without a script.

The page knows its visitor as every page does, by the signed cookie and by the site's login. A login that only the site
can see, as one in a session, is seen where the site mounts the page itself: `Route("/my-data", YourPage())`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from personalize.errors import EventRefused, StoreError
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.pages.forms import is_form, read_form
from personalize.pages.plain_page import PlainPage, as_plain
from personalize.runtime.about_visitor import AboutVisitor
from personalize.runtime.download import Download, as_html, as_json
from personalize.runtime.page_view import page_view_of
from personalize.runtime.same_origin import is_same_origin
from personalize.visitors.consent import MEASURE_PURPOSE

#: How a site says our sentences in its visitors' language: given the English text and the language that the browser
#: asks for, where it asks for one.
Translate: TypeAlias = Callable[[str, str | None], str]
#: What an answer of the form comes to: the cookies that tell the browser.
_Done: TypeAlias = tuple[str, ...]
_Fields: TypeAlias = Mapping[str, list[str]]

#: What the purposes that every site has are for, as it follows "You may keep what I do here, to".
_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        MEASURE_PURPOSE: "count what is shown and used",
        DEFAULT_PURPOSE: "choose what suits me",
    }
)
_LATER = "We can't look it up just now. Please try again in a minute."
#: What is said when something has been done, by what was asked for.
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "choose": "Your choice is kept.",
        "allow": "Thank you. From now on we choose for you.",
        "refuse": "From now on nothing is kept of you.",
        "stop": "From now on you see what everybody sees.",
        "like": "Good to know.",
        "dislike": "Good to know.",
        "unsay": "We go by what you do again.",
        "correct": "It is put right.",
        "remove": "It is removed.",
        "disown": "We learn nothing of your taste from it.",
        "erase": "All of it is erased, and nothing new is kept.",
    }
)


def as_written(text: str, _language: str | None) -> str:
    """The English text itself, for sites that translate nothing."""
    return text


class YourPage:
    """An ASGI app of one page, wherever a site mounts it: behind `wrap`, so that it has a page view.

    `translate` says its sentences in the site's own words.
    """

    def __init__(self, translate: Translate = as_written) -> None:
        self._translate = translate
        self._page = PlainPage("you.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the page, or do what one of its forms asks."""
        request = Request(scope, receive)
        page_view = page_view_of(scope)
        visitor = page_view.about_visitor()
        try:
            response = await self._answer(request, visitor)
        except ClientDisconnect:
            return
        except StoreError as error:
            visitor.failed("a visitor's own page could not be shown", error)
            response = PlainTextResponse(self._translate(_LATER, visitor.language), HTTPStatus.SERVICE_UNAVAILABLE)
        await as_plain(response)(scope, receive, send)

    async def _answer(self, request: Request, visitor: AboutVisitor) -> Response:
        wanted = _DOWNLOADS.get(request.query_params.get("download", ""))
        if wanted is not None and request.method == "GET" and (everything := await visitor.download()) is not None:
            return wanted.response(everything)
        if request.method in ("GET", "HEAD"):
            return await self._shown(request, visitor, said=_SAID.get(request.query_params.get("said", "")))
        say = partial(self._say, visitor)
        if request.method != "POST":
            return PlainTextResponse(say("This page is read, or answered by its own forms."), 405)
        if not is_same_origin(visitor.headers):
            return PlainTextResponse(say("Please answer on the page itself."), HTTPStatus.FORBIDDEN)
        fields = await read_form(request) if is_form(request) else None
        if fields is None:
            return PlainTextResponse(say("Please answer by the page's own forms."), HTTPStatus.BAD_REQUEST)
        asked = fields.get("do", [""])[-1]
        do = _ACTIONS.get(asked)
        if do is None:
            return PlainTextResponse(say("Please answer by the page's own forms."), HTTPStatus.BAD_REQUEST)
        try:
            cookies = await do(visitor, fields)
        except EventRefused as error:
            return await self._shown(request, visitor, refused=error.discreet)
        except _UnsureError:
            return await self._shown(request, visitor, refused=say("Nothing is erased yet: tick the box, please."))
        return _see(f"{request.url.path}?{urlencode({'said': asked})}", cookies)

    async def _shown(
        self, request: Request, visitor: AboutVisitor, *, said: str | None = None, refused: str | None = None
    ) -> Response:
        """The page as it is now, under a word on what was done, or why it was not."""
        say = partial(self._say, visitor)
        purposes = [_Purpose(name, _PURPOSES.get(name, name)) for name in visitor.purposes]
        page = self._page.render(
            _=say,
            said=None if said is None else say(said),
            refused=refused,
            language=visitor.language,
            day=visitor.day,
            was_logged_in=visitor.was_logged_in,
            may_choose=visitor.may_choose,
            purposes=purposes,
            consent=await visitor.consent(),
            known=await visitor.known(),
            names=lambda granted: ", ".join(say(_PURPOSES.get(one, one)) for one in granted),
        )
        return HTMLResponse(page, HTTPStatus.OK if refused is None else HTTPStatus.UNPROCESSABLE_ENTITY)

    def _say(self, visitor: AboutVisitor, text: str) -> str:
        return self._translate(text, visitor.language)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A form in which visitors take everything along."""

    write: Callable[[Download], str]
    name: str
    media_type: str

    def response(self, everything: Download) -> Response:
        """The file."""
        headers = {"content-disposition": f'attachment; filename="{self.name}"'}
        return Response(self.write(everything), media_type=self.media_type, headers=headers)


_DOWNLOADS: Mapping[str, _Taken] = MappingProxyType(
    {
        "json": _Taken(as_json, "about-you.json", "application/json"),
        "html": _Taken(as_html, "about-you.html", "text/html"),
    }
)


class _UnsureError(Exception):
    """To erase everything, visitors have to say that they are sure."""


class _Purpose(NamedTuple):
    """What visitors may agree to; `words` say what for."""

    name: str
    words: str


def _see(path: str, cookies: Iterable[str]) -> Response:
    response = RedirectResponse(path, HTTPStatus.SEE_OTHER)
    for cookie in cookies:
        response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
    return response


async def _choose(visitor: AboutVisitor, fields: _Fields) -> _Done:
    return await visitor.choose(fields.get("grant", []))


async def _allow(visitor: AboutVisitor, _fields: _Fields) -> _Done:
    return await visitor.choose(visitor.purposes)


async def _refuse(visitor: AboutVisitor, _fields: _Fields) -> _Done:
    return await visitor.choose(())


async def _stop(visitor: AboutVisitor, _fields: _Fields) -> _Done:
    return await visitor.stop()


async def _state(visitor: AboutVisitor, fields: _Fields, *, likes: bool | None) -> _Done:
    await visitor.say(fields.get("tag", [""])[-1], likes)
    return ()


async def _correct(visitor: AboutVisitor, fields: _Fields) -> _Done:
    await visitor.correct(fields.get("name", [""])[-1], fields.get("value", [""])[-1])
    return ()


async def _remove(visitor: AboutVisitor, fields: _Fields) -> _Done:
    await visitor.correct(fields.get("name", [""])[-1], "")
    return ()


async def _disown(visitor: AboutVisitor, fields: _Fields) -> _Done:
    await visitor.disown(fields.get("sender", [""])[-1], fields.get("event", [""])[-1])
    return ()


async def _erase(visitor: AboutVisitor, fields: _Fields) -> _Done:
    if fields.get("sure", [""])[-1] != "yes":
        raise _UnsureError
    return await visitor.erase()


#: What the buttons of the page ask for.
_ACTIONS: Mapping[str, Callable[[AboutVisitor, _Fields], Awaitable[_Done]]] = MappingProxyType(
    {
        "choose": _choose,
        "allow": _allow,
        "refuse": _refuse,
        "stop": _stop,
        "like": partial(_state, likes=True),
        "dislike": partial(_state, likes=False),
        "unsay": partial(_state, likes=None),
        "correct": _correct,
        "remove": _remove,
        "disown": _disown,
        "erase": _erase,
    }
)
