"""The Django middleware: gives views the page view, and tells it who is logged in.

Django finds out who is logged in inside of the site and keeps it to itself; and it may not ask its database while a
page leaves. So the login is looked up behind the view, where the page may need it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from personalize.django.nobody import NobodysPageView
from personalize.runtime.page_view import PageView, page_view_of
from personalize.runtime.variant_view import VariantView

GetResponse = Callable[[HttpRequest], Any]


class SessionLogin:
    """Who is logged in, as `scope["user"]` holds it: the user of Django's session, by the primary key."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def is_authenticated(self) -> bool:
        """Whether anybody is; looked up when first asked for."""
        return bool(self._request.user.is_authenticated)

    @property
    def identity(self) -> str:
        """The site's own id of them."""
        return str(self._request.user.pk)


class PageViewMiddleware:
    """Gives `request.page_view`.

    Best the first of all: then it also tells who looks at a page that Django's own cache kept, and the look-up adds no
    `Vary: Cookie` to a response. But it may stand anywhere, behind AuthenticationMiddleware, too.

    Where the site is served without personalize, as by WSGI or by Django's own test client, the page view is that of
    nobody, and keeps nothing.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Serve one request, as sync or async as what stands behind."""
        if iscoroutinefunction(self):
            return self._serve(request)
        request.page_view = NobodysPageView()
        return self.get_response(request)

    async def _serve(self, request: HttpRequest) -> HttpResponse:
        page_view = request.page_view = _page_view(request)
        response = await self.get_response(request)
        if isinstance(page_view, PageView):
            if _has_session(request) and _may_ask(page_view, response):
                await _look_up(request)
            else:
                request.scope.pop("user", None)
        return response

    async def process_view(self, request: HttpRequest, view: Callable[..., Any], *arguments: Any) -> None:
        """Let the view ask its page view who is looking: where no database can be asked, it is looked up at once."""
        if isinstance(request.page_view, PageView) and hasattr(request, "user"):
            request.scope["user"] = SessionLogin(request)
            if iscoroutinefunction(view) and _has_session(request):
                await _look_up(request)


def _page_view(request: HttpRequest) -> PageView | NobodysPageView:
    try:
        return page_view_of(request.scope)
    except (AttributeError, KeyError):
        return NobodysPageView()


def _has_session(request: HttpRequest) -> bool:
    """Whether the request came with a session, or one has begun; no other visitor is looked up."""
    if not hasattr(request, "user"):
        return False
    return settings.SESSION_COOKIE_NAME in request.COOKIES or request.session.modified


def _may_ask(page_view: PageView, response: HttpResponse) -> bool:
    """Whether it may matter who looks: something was asked or told of the visitor, or there may be slots."""
    if page_view.private or page_view.told:
        return True
    if isinstance(page_view, VariantView):
        return False  # its slots look at nobody
    is_filled = page_view.version is not None and response.get("Content-Type", "").startswith("text/html")
    return is_filled and (_is_unread(response) or bool(page_view.placements) or b"slot" in response.content.lower())


def _is_unread(response: HttpResponse) -> bool:
    """Whether what stands in the page can't be seen here: it comes in parts, or compressed."""
    return bool(response.streaming or response.has_header("Content-Encoding"))


async def _look_up(request: HttpRequest) -> None:
    request.scope["user"] = SessionLogin(request)
    await sync_to_async(lambda: request.user.is_authenticated)()
