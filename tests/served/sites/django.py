"""A site with Django: its users and sessions stand in a database, and say who is logged in."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template import engines
from django.urls import path
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_cookie
from django.views.static import serve

from personalize import wrap
from tests.served.sites.markup import HERE, PARTS, STATIC

#: How often the page that is kept was made.
MADE = count(1)
FOLDER = Path(os.environ["PERSONALIZE_SETTINGS"]).parent

settings.configure(
    SECRET_KEY="a test's",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "personalize.django",
    ],
    MIDDLEWARE=[
        "personalize.django.middleware.PageViewMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "django_pages"]}],
)
django.setup()

from django.contrib.auth import login  # noqa: E402  the app has to be set up before its models can be read
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402

with connection.schema_editor() as editor:  # what `migrate` does, without its fifty steps
    for model in (User, Session):
        editor.create_model(model)
connection.close()


def home(request: HttpRequest) -> HttpResponse:
    """A page from a template."""
    return render(request, "home.html")


def streamed(request: HttpRequest) -> HttpResponse:
    """A page in parts."""

    def parts() -> Iterator[str]:
        yield from PARTS

    return StreamingHttpResponse(parts())


def data(request: HttpRequest) -> HttpResponse:
    """No page."""
    return JsonResponse({"html": PARTS[1]})


def log_in(request: HttpRequest) -> HttpResponse:
    """A form that logs somebody in."""
    user, _ = User.objects.get_or_create(username=request.POST["name"])
    login(request, user)
    request.page_view.set(first_name=user.username.title(), tier="gold")
    return redirect("/")


def buy(request: HttpRequest) -> HttpResponse:
    """A form that buys something."""
    request.page_view.record("purchase", amount=request.POST["amount"])
    return redirect("/")


async def hero(request: HttpRequest) -> HttpResponse:
    """A decision in code."""
    return JsonResponse((await request.page_view.slot("hero")).item_ids, safe=False)


@cache_page(600)
@vary_on_cookie
def kept(request: HttpRequest) -> HttpResponse:
    """A page that Django's own cache keeps for each mixture of cookies."""
    return HttpResponse(f'<p>made {next(MADE)} times</p><div data-slot="hero">Default</div>')


def static(request: HttpRequest, path: str) -> FileResponse:
    """A file."""
    return serve(request, path, document_root=STATIC)


urlpatterns: list[Any] = [
    path("", home),
    path("streamed", streamed),
    path("data.json", data),
    path("login", log_in),
    path("buy", buy),
    path("hero", hero),
    path("kept", kept),
    path("static/<path:path>", static),
]
app = wrap(get_asgi_application())
app.teach(engines["django"].engine)
