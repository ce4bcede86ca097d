"""A site of Django's in this process, for tests of the middleware; its address tells what is shown of a request."""

import gzip
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.urls import path
from django.utils.asyncio import async_unsafe

SLOT = '<p data-slot="x">x</p>{% load personalize %}{% slot "row" %}Default{% endslot %}'
looked_up: list[str] = []
numbers = count(1)


class MadeUpUsers:
    """Everybody is somebody, and each look-up is noted; it may be made where a database may be asked."""

    @async_unsafe
    def get_user(self, user_id: str) -> User:
        """The user of a session."""
        looked_up.append(str(user_id))
        return User(pk=user_id, username=f"user {user_id}", password="secret")


def shown(request: HttpRequest) -> HttpResponse:
    """A page with a slot that tells nothing of the session itself."""
    return HttpResponse(engines["django"].from_string(SLOT).render())


def numbered(request: HttpRequest) -> HttpResponse:
    """A page with a slot that tells how often it was made."""
    return HttpResponse(f"{next(numbers)} {shown(request).content.decode()}")


def plain(request: HttpRequest) -> HttpResponse:
    """A page without one."""
    return HttpResponse("<p>Nothing to see</p>")


def shouted(request: HttpRequest) -> HttpResponse:
    """A slot in capitals, as HTML has it alike."""
    return HttpResponse('<DIV DATA-SLOT="row">Default</DIV>')


def compressed(request: HttpRequest) -> HttpResponse:
    """A page that the site has compressed itself."""
    page = gzip.compress(b'<div data-slot="row">Default</div>')
    return HttpResponse(page, headers={"Content-Encoding": "gzip"})


def in_parts(request: HttpRequest) -> StreamingHttpResponse:
    """A page whose parts are not known yet."""

    async def parts() -> AsyncIterator[str]:
        yield '<div data-slot="row">Default</div>'

    return StreamingHttpResponse(parts())


def untouched(request: HttpRequest) -> HttpResponse:
    """A template that nobody may touch."""
    return HttpResponse('<main><p class="here">Default</p></main>')


def log_in(request: HttpRequest) -> HttpResponse:
    """Begin a session, as `login` does, but for the note of it in the database."""
    user = User(pk=7, password="secret")
    request.session[SESSION_KEY] = "7"
    request.session[BACKEND_SESSION_KEY] = "tests.django.site.MadeUpUsers"
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    request.user = user
    request.page_view.set(first_name="Sue", tier="gold")
    return HttpResponse("ok", content_type="text/plain")


def log_out(request: HttpRequest) -> HttpResponse:
    """End it."""
    logout(request)
    return HttpResponse("ok", content_type="text/plain")


def buy(request: HttpRequest) -> HttpResponse:
    """Something bought; whether it was kept."""
    return HttpResponse(str(request.page_view.record("purchase", amount="5")), content_type="text/plain")


def who(request: HttpRequest) -> HttpResponse:
    """Who a sync view is told is looking."""
    return HttpResponse(str(request.page_view.identity.user_id), content_type="text/plain")


async def who_async(request: HttpRequest) -> HttpResponse:
    """Who an async view is told is looking."""
    return HttpResponse(str(request.page_view.identity.user_id), content_type="text/plain")


async def decided(request: HttpRequest) -> HttpResponse:
    """A decision in an async view."""
    decision = await request.page_view.slot("row")
    return HttpResponse(f"{decision.item_ids} {dict(request.page_view.decisions)}", content_type="text/plain")


def notice(request: HttpRequest) -> HttpResponse:
    """Whether to ask for consent."""
    return HttpResponse(str(request.page_view.notice.shown), content_type="text/plain")


urlpatterns: list[Any] = [
    path(view.__name__.replace("_", "-"), view)
    for view in (
        shown,
        numbered,
        plain,
        shouted,
        compressed,
        in_parts,
        untouched,
        log_in,
        log_out,
        buy,
        who,
        who_async,
        decided,
        notice,
    )
]
