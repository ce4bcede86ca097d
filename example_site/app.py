"""Fjellbua, an outdoor shop: an ordinary Starlette site, and the lines that personalize it."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from example_site.cart import put, read_cart
from example_site.people import PEOPLE, person_of
from example_site.products import CATEGORIES, Product, beside, by_category, by_sku, category_of
from personalize import EventConflict, PageView, Scope, YourPage, wrap

HERE = Path(__file__).parent
ON_THE_TABLE = ("tent-heilo-2", "sleep-dun-500", "kitchen-storm")
LONGEST_NAME = 40
#: The slots that the developers' panel tells of, by template; the note in the header is on every page.
SLOTS = {"home.html": ("home-hero", "home-offers"), "product.html": ("product-tip",)}
SHOWS_PANEL = os.environ.get("FJELLBUA_PANEL") == "1"

environment = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
templates = Jinja2Templates(env=environment)


async def page(request: Request, name: str, status_code: int = 200, **more: object) -> Response:
    """A page of the shop, with what stands on all of them."""
    visit = page_view(request)
    slots = ("header-note", *SLOTS.get(name, ())) if SHOWS_PANEL else ()
    context = {
        "notice": visit.notice,
        "decisions": [await visit.slot(slot_id) for slot_id in slots] if SHOWS_PANEL else None,
        "categories": CATEGORIES,
        "cart": read_cart(request.session),
        "person": request.session.get("name"),
        **more,
    }
    return templates.TemplateResponse(request, name, context, status_code=status_code)


def page_view(request: Request) -> PageView:
    """What personalize knows of this request."""
    found: PageView = request.state.page_view
    return found


def see(path: str) -> Response:
    """After a form: look at this page."""
    return RedirectResponse(path, status_code=303)


async def home(request: Request) -> Response:
    """The front of the shop."""
    return await page(request, "home.html", on_the_table=[by_sku(sku) for sku in ON_THE_TABLE])


async def category(request: Request) -> Response:
    """One shelf."""
    found = category_of(request.path_params["slug"])
    if found is None:
        raise HTTPException(404)
    return await page(request, "category.html", category=found, products=by_category(found.slug))


async def product(request: Request) -> Response:
    """One thing, and what stands beside it."""
    found = sold(request.path_params["sku"])
    page_view(request).record("view_product", sku=found.sku, category=found.category)
    return await page(
        request,
        "product.html",
        category=category_of(found.category),
        product=found,
        beside=beside(found, 3),
    )


async def cart(request: Request) -> Response:
    """What was put into the cart."""
    return await page(request, "cart.html")


async def change_cart(request: Request) -> Response:
    """Put something in, or take one out."""
    form = await request.form()
    found, quantity = sold(str(form.get("sku"))), whole(form.get("quantity"))
    put(request.session, found, quantity)
    if quantity > 0:
        page_view(request).record(
            "add_to_cart", sku=found.sku, category=found.category, price=in_kroner(found.price_ore)
        )
    return see("/cart")


async def order(request: Request) -> Response:
    """Buy what is in the cart."""
    bought = read_cart(request.session)
    if not bought.lines:
        return see("/cart")
    page_view(request).record("purchase", **purchase([line.product for line in bought.lines], bought.goods_ore))
    request.session["cart"] = {}
    number = f"F-{secrets.randbelow(9_000) + 1_000}"
    request.session["order"] = {"number": number, "count": bought.count, "total": bought.total}
    return see("/thanks")


async def thanks(request: Request) -> Response:
    """The order that was just placed."""
    placed = request.session.get("order")
    return await page(request, "thanks.html", order=placed) if placed else see("/")


async def login(request: Request) -> Response:
    """Who are you?"""
    return await page(request, "login.html", people=PEOPLE)


async def log_in(request: Request) -> Response:
    """Believe anybody: this is a demonstration."""
    number = str((await request.form()).get("number") or "").strip()
    if not 0 < len(number) <= LONGEST_NAME or not number.isprintable():
        error = f"Please write a name or a number, at most {LONGEST_NAME} characters."
        return await page(request, "login.html", 400, people=PEOPLE, error=error)
    person = person_of(number.casefold())
    request.session["user_id"] = number.casefold()
    request.session["name"] = person.first_name if person else number
    if person is not None:
        page_view(request).set(first_name=person.first_name, member=person.member)
    return see("/")


async def log_out(request: Request) -> Response:
    """Goodbye; the cart stays here."""
    for name in ("user_id", "name", "order"):
        request.session.pop(name, None)
    return see("/")


async def privacy(request: Request) -> Response:
    """What is remembered, and the form to change it."""
    return await page(request, "privacy.html")


async def missing(request: Request, error: Exception) -> Response:
    """No such page."""
    return await page(request, "missing.html", 404)


def purchase(products: list[Product], total_ore: int) -> dict[str, object]:
    """The properties of a purchase as rules/profile.yaml declares them."""
    items = [{"sku": one.sku, "category": one.category, "price": in_kroner(one.price_ore)} for one in products]
    return {"amount": in_kroner(total_ore), "items": items}


def in_kroner(ore: int) -> Decimal:
    """An amount as it is written."""
    return Decimal(ore) / 100


def sold(sku: str) -> Product:
    """The product with this number, or the page that says there is none."""
    found = by_sku(sku)
    if found is None:
        raise HTTPException(404)
    return found


def whole(value: object) -> int:
    """A quantity from a form; 1 where it is none."""
    try:
        return max(-1, min(int(str(value)), 5))
    except ValueError:
        return 1


def who_is_logged_in(scope: Scope) -> str | None:
    """The shop's own login, for personalize."""
    user_id: str | None = scope.get("session", {}).get("user_id")
    return user_id


async def remember_old_orders() -> None:
    """What the four made-up visitors bought before; sent at every start, counted once."""
    personalizer = app.personalizer
    if personalizer.rule_set is None or not personalizer.records:
        return
    for person in PEOPLE:
        for number, order in enumerate(person.orders, start=1):
            products = [sold(sku) for sku in order.skus]
            with suppress(EventConflict):  # days ago as of the first start: those stay
                await personalizer.record(
                    "purchase",
                    f"u:{person.user_id}",
                    purchase(products, sum(one.price_ore for one in products)),
                    occurred_at=personalizer.clock.now() - timedelta(days=order.days_ago),
                    event_id=f"{person.user_id}-{number}",
                    sender="fjellbua-demo",
                )


@asynccontextmanager
async def opening_hours(_: Starlette) -> AsyncIterator[None]:
    """Before the first visitor comes."""
    await remember_old_orders()
    yield


shop = Starlette(
    routes=[
        Route("/", home),
        Route("/product/{sku}", product),
        Route("/cart", cart),
        Route("/cart", change_cart, methods=["POST"]),
        Route("/order", order, methods=["POST"]),
        Route("/thanks", thanks),
        Route("/login", login),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/privacy", privacy),
        Route("/my-data", YourPage()),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        Route("/{slug}", category),
    ],
    exception_handlers={404: missing},
    middleware=[
        Middleware(
            SessionMiddleware,
            secret_key=os.environ.get("FJELLBUA_SECRET") or secrets.token_urlsafe(32),
            session_cookie="fjellbua",
        )
    ],
    lifespan=opening_hours,
)

app = wrap(shop, HERE.parent / "personalize.toml", login=who_is_logged_in)
app.teach(environment)
