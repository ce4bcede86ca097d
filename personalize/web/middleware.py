"""The ASGI middleware: a page passes by, its slots are filled, everything else leaves as it came.

Pure ASGI: it wraps `send` and nothing else, holds the response's head until the first part of its body, and
builds no response of its own but to a preview link that shows nothing.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from personalize.runtime.page_view import PageView
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.preview import PreviewPageView, Previews, Refusal
from personalize.visitors.cookies import cookie_name
from personalize.web.facts import request_facts
from personalize.web.fragment_address import FragmentAddresses
from personalize.web.fragments import Fragments
from personalize.web.headers import RawHeaders, inward, wants_html
from personalize.web.lifespan import Lifespan
from personalize.web.marks import token_of
from personalize.web.paths import Excluded, PathMemory
from personalize.web.preview import MARK as PREVIEW_MARK
from personalize.web.preview import PreviewedResponse, refuse, without_token
from personalize.web.preview_bar import SlotMarks
from personalize.web.response import PersonalizedResponse
from personalize.web.shell_page import ShellPage, ShellPages
from personalize.web.shell_response import ShellResponse
from personalize.web.shells import Shells
from personalize.web.template_engines import TemplateEngine, teach

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Where the page view of a request stands in `scope["state"]`: `request.state.page_view` in Starlette.
STATE_KEY = "page_view"
_SEEN = "personalize.middleware"
#: What lets a site name a file for the server to send: no byte of it would come by here.
_SENDS_FILES = frozenset({"http.response.pathsend", "http.response.zerocopysend"})


class PersonalizeMiddleware:
    """Wraps a site. Requests under the settings' prefix go to `pages`, where given.

    Put it outermost, or inside compression: it has to see the page as plain HTML. Wrapping twice does no harm.
    """

    def __init__(self, app: ASGIApp, personalizer: Personalizer, *, pages: ASGIApp | None = None) -> None:
        self.app = app
        self.personalizer = personalizer
        self._pages = pages
        settings = personalizer.settings
        self._prefix = f"{settings.prefix}/"
        self._excluded = Excluded(settings.excluded)
        self._token = token_of(personalizer.keys[-1]).encode()
        self._previews = Previews(personalizer)
        self._paths = PathMemory()
        self._shells = Shells(self._token)
        addresses = FragmentAddresses(personalizer.keys)
        self._fragments = Fragments(personalizer, addresses)
        self._shell_pages: ShellPages | None = None
        if settings.cache.mode == "fragments":
            self._shell_pages = ShellPages(settings, addresses, self._token, personalizer.health)
        self._own_cookies = frozenset(_both_names(settings.cookie.name) | _both_names(settings.cookie.consent_name))

    def teach(self, engine: TemplateEngine) -> None:
        """Teach a template engine the slot tag: a Jinja environment `{% slot "name" %}default{% endslot %}` and
        `{{ slot("name", default) }}`, Django's engine the tag alone. Raises TypeError for anything else."""
        teach(engine, token=self._token.decode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] != "http" or _SEEN in scope:
            await self.app(scope, receive, send)
        else:
            if not self.personalizer.started:
                await self.personalizer.start()
            await self._http(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start before the site and stop after it; where the server runs no lifespan, its first request starts us."""
        await Lifespan(self.personalizer, receive, send).run(self.app, scope)

    def _http(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = _site_path(scope)
        if path.startswith(self._prefix):
            if self._fragments.serves(path):
                return self._fragments(scope, path, send)
            if self._pages is not None:
                return self._pages(scope, receive, send)
        if self.personalizer.off or path in self._excluded:
            return self._untouched(path, scope, receive, send)
        if PREVIEW_MARK in scope.get("query_string", b""):
            return self._preview(path, scope, receive, send)
        return self._page(path, scope, receive, send)

    def _untouched(self, path: str, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The site as if it stood alone; its code still finds a page view, that of nobody."""
        headers: RawHeaders = list(scope.get("headers", ()))
        nobody = PageView(self.personalizer, scope, headers, lambda: request_facts(scope, path), is_off=True)
        scope.setdefault("state", {})[STATE_KEY] = nobody
        return self.app(scope, receive, send)

    async def _page(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        outer_headers: RawHeaders = list(scope.get("headers", ()))
        shell_page = self._shell_page(path, scope)
        conditions = shell_page.tag.inward(outer_headers) if shell_page is not None else []
        had_slots = bool(conditions) or path in self._paths
        inner = self._inner(
            scope,
            outer_headers,
            is_page=had_slots or wants_html(outer_headers),
            whole=had_slots and scope["method"] in ("GET", "HEAD"),
        )
        inner["headers"] += conditions
        page_view = PageView(
            self.personalizer,
            inner,
            outer_headers,
            lambda: request_facts(scope, path),
        )
        inner.setdefault("state", {})[STATE_KEY] = page_view
        filled = PersonalizedResponse(
            send,
            page_view,
            token=self._token,
            shells=self._shells,
            method=scope["method"],
            path=path,
            paths=self._paths,
        )
        response: PersonalizedResponse | ShellResponse = filled
        if shell_page is not None:
            response = ShellResponse(
                send,
                page_view,
                filled,
                shell_page,
                token=self._token,
                shells=self._shells,
                method=scope["method"],
                had_slots=had_slots,
                paths=self._paths,
            )
        await self.app(inner, _watching(receive, filled), response.send)

    def _shell_page(self, path: str, scope: Scope) -> ShellPage | None:
        """What a page is made with where it is to be the same for everybody; None where it is filled in place."""
        if self._shell_pages is None or scope["method"] not in ("GET", "HEAD"):
            return None
        return self._shell_pages.page(path, scope.get("root_path", ""), self.personalizer.rule_set)

    def _inner(self, scope: Scope, headers: RawHeaders, *, is_page: bool, whole: bool) -> Scope:
        """The request as the site sees it; what the site adds to it, we see.

        Our cookies are hidden. Where a page may be asked for (`is_page`), it is not asked for compressed, nor told how
        to let the server send a file behind our back; `whole` asks for all of it.
        """
        inner_headers = inward(headers, hidden_cookies=self._own_cookies, plain=is_page, whole=whole)
        inner: Scope = {**scope, _SEEN: True, "headers": inner_headers}
        extensions = scope.get("extensions")
        if is_page and extensions:
            inner["extensions"] = {name: extensions[name] for name in extensions if name not in _SENDS_FILES}
        return inner

    async def _preview(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A page as the token in its address says, which the site does not see; only looking at one is previewed."""
        token, query_string = without_token(scope["query_string"])
        scope = {**scope, "query_string": query_string}
        if token is None or scope["method"] not in ("GET", "HEAD"):
            await self._page(path, scope, receive, send)
            return
        opened = await self._previews.open(token, path)
        if isinstance(opened, Refusal):
            await refuse(send, opened, scope.get("root_path", "") + path, query_string)
            return
        headers: RawHeaders = list(scope.get("headers", ()))
        inner = self._inner(scope, headers, is_page=True, whole=True)
        marks = SlotMarks()
        page_view = PreviewPageView(
            self.personalizer, inner, headers, lambda: request_facts(scope, path), opened, mark_item=marks.marked
        )
        inner.setdefault("state", {})[STATE_KEY] = page_view
        response = PreviewedResponse(send, page_view, marks, token=self._token, method=scope["method"])
        await self.app(inner, receive, response.send)


def _both_names(cookie: str) -> set[bytes]:
    """A cookie's names over http and https."""
    return {cookie_name(cookie, secure=is_secure).encode() for is_secure in (False, True)}


def _site_path(scope: Scope) -> str:
    """The path as the site knows it: servers differ in whether `path` holds the prefix it is mounted at."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    return path[len(root_path) :] if root_path and path.startswith(f"{root_path}/") else path


def _watching(receive: Receive, response: PersonalizedResponse) -> Receive:
    """The same messages, with a note of a client that leaves before the end: it has not seen the page."""

    async def watched() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            response.disconnected = True
        return message

    return watched


def page_view_of(scope: Scope) -> PageView:
    """The page view of a request that the middleware has wrapped. Raises KeyError for any other."""
    page_view: PageView = scope["state"][STATE_KEY]
    return page_view
