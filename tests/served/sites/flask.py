"""A site with Flask, which knows WSGI alone: a2wsgi stands between, and its session is put into the scope."""

from collections.abc import Iterator

from a2wsgi import WSGIMiddleware
from flask import Flask, Response, redirect, render_template, request, session

from personalize import PageView, Scope, page_view_of, wrap
from tests.served.sites.markup import PAGES, PARTS, STATIC

site = Flask(__name__, template_folder=str(PAGES), static_folder=str(STATIC))
site.secret_key = "a test's"


@site.before_request
def show_session() -> None:
    """Leaves the session where it is found; what a view puts into it later is seen, too."""
    request.environ["asgi.scope"]["session"] = session._get_current_object()


def login(scope: Scope) -> str | None:
    """Who is logged in."""
    return scope.get("session", {}).get("user_id")


def page_view() -> PageView:
    """The page view of the request."""
    return page_view_of(request.environ["asgi.scope"])


@site.get("/")
def home() -> str:
    """A page from a template."""
    return render_template("home.html")


@site.get("/streamed")
def streamed() -> Response:
    """A page in parts."""

    def parts() -> Iterator[str]:
        yield from PARTS

    return Response(parts(), mimetype="text/html")


@site.get("/data.json")
def data() -> dict[str, str]:
    """No page."""
    return {"html": PARTS[1]}


@site.post("/login")
def log_in() -> Response:
    """A form that logs somebody in."""
    session["user_id"] = request.form["name"]
    page_view().set(first_name=session["user_id"].title(), tier="gold")
    return redirect("/", 303)


@site.post("/buy")
def buy() -> Response:
    """A form that buys something."""
    page_view().record("purchase", amount=request.form["amount"])
    return redirect("/", 303)


app = wrap(WSGIMiddleware(site), login=login)
app.teach(site.jinja_env)
