"""The site that `page_overhead` measures: a shop's page of 20 KB with five slots, its rules, and its visitors."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from benchmarks.shop import SLOTS, TEMPLATE, load, make_visitors, rule_files
from benchmarks.shop import Shop as Rules
from personalize.events.event import SET, JSONValue
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.publish import publish
from personalize.settings import Settings
from personalize.visitors.tokens import visitor_id_from

PAGE_BYTES = 20_000
VISITORS = 64

Headers = list[tuple[bytes, bytes]]
#: The site's markup for a slot, by its name.
Slot = Callable[[str], str]

_CARD = '<li class="card"><a href="/p/{n}"><img src="/i/{n}.jpg" alt="">A thing to buy, number {n}</a></li>\n'
_CARDS = PAGE_BYTES // (len(SLOTS) + 1) // len(_CARD.format(n=100))
_TEMPLATE = (
    "<!doctype html><html lang=en><head><title>Shop {{ served }}</title></head><body>"
    "{% for slot_id in slots %}{% for thing in things %}"
    '<li class="card"><a href="{{ thing.path }}"><img src="{{ thing.image }}" alt="">{{ thing.title }}</a>'
    "{{ '%.2f'|format(thing.price) }}</li>\n{% endfor %}PLACE{% endfor %}</body></html>"
)
_THINGS = [
    {"path": f"/p/{n}", "image": f"/i/{n}.jpg", "title": f"A thing to buy, number {n}", "price": n / 7}
    for n in range(100, 100 + _CARDS)
]


@dataclass(frozen=True)
class Visitor:
    """One visitor of the shop: what is stored of them, and the cookies that their browser sends."""

    profile_id: str
    attributes: dict[str, JSONValue]
    purchases: int
    cookies: bytes


def page(slot: Slot) -> bytes:
    """A shop's listing with five slots spread over it."""
    parts = ["<!doctype html><html lang=en><head><title>Shop</title></head><body>"]
    for number, slot_id in enumerate((*SLOTS, ""), start=1):
        parts += [_CARD.format(n=number * 100 + at) for at in range(_CARDS)]
        parts.append(slot(slot_id) if slot_id else "</body></html>")
    return "".join(parts).encode()


def site(body: bytes, media_type: str = "text/html") -> Starlette:
    """A site of that one page."""
    text = body.decode()

    async def home(_: Request) -> Response:
        return Response(text, media_type=media_type)  # new bytes for every request, as templates make them

    return Starlette(routes=[Route("/", home)])


def jinja_site(environment: Environment, place: str) -> Starlette:
    """A site that renders that page for every request, no two times the same; `place` stands for each slot."""
    template = environment.from_string(_TEMPLATE.replace("PLACE", place))
    served = count()

    async def home(_: Request) -> Response:
        return HTMLResponse(template.render(served=next(served), slots=(*SLOTS, ""), things=_THINGS))

    return Starlette(routes=[Route("/", home)])


def write_desk(folder: Path, rules: int) -> Rules:
    """Write the files of so many rules on fourteen facts; where none holds, a slot shows its item all the same."""
    files = dict(rule_files(rules, small=True))
    for slot_id in SLOTS:
        files[f"rules/{slot_id}.yaml"] += f"    otherwise: things/{slot_id}\n"
        item = f"---\ntitle: For you, {slot_id}\n---\n{'Words. ' * 30}"
        _write(folder / "content" / "things" / f"{slot_id}.md", item)
    for name, text in files.items():
        _write(folder / name, text)
    collections = f"collections: {{things: {{kind: thing, template: {TEMPLATE}, fields: {{}}}}}}"
    _write(folder / "content" / "collections.yaml", collections)
    template = "<article><h2>{{ item.title }}</h2>{{ item.body }}</article>"
    _write(folder / "content_templates" / TEMPLATE, template)
    return Rules(files, load(files))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def visitors_of(rules: Rules, personalizer: Personalizer) -> list[Visitor]:
    """Visitors with consent, by chance from a seed."""
    made: list[Visitor] = []
    for number, facts in enumerate(make_visitors(rules, VISITORS)):
        visitor_id = visitor_id_from(bytes([*range(15), number]), "v")
        told = {name: value for name, value in facts.items() if name.startswith("profile.") and value is not None}
        attributes = {name.removeprefix("profile."): value for name, value in told.items()}
        cookies = f"pz_consent=measure.personalize; pz={personalizer.tokens.sign(visitor_id)}; session=abcdef"
        made.append(Visitor(f"v:{visitor_id}", attributes, number % 4, cookies.encode()))  # type: ignore[arg-type]
    return made


async def open_shop(personalizer: Personalizer, settings: Settings, visitors: list[Visitor]) -> None:
    """Publish the rules, and let the visitors have a past."""
    await personalizer.start()
    now = personalizer.clock.now()
    await publish(personalizer.store, read_draft(settings, Problems()), settings, at=now, by="benchmark")
    await personalizer.refresh()
    for visitor in visitors:
        await personalizer.ingest.record([personalizer.event(SET, visitor.profile_id, visitor.attributes)])
        for number in range(visitor.purchases):
            properties = {"amount": 20 + number, "category": "tents"}
            await personalizer.record("purchase", visitor.profile_id, properties)


def headers_of(cookies: bytes = b"", accept: bytes = b"text/html,application/xhtml+xml") -> Headers:
    """What a browser sends with a request for a page."""
    headers = [
        (b"host", b"shop.example"),
        (b"accept", accept),
        (b"accept-language", b"en-GB,en;q=0.8,nb;q=0.5"),
        (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"),
        (b"sec-fetch-dest", b"document"),
    ]
    return [*headers, (b"cookie", cookies)] if cookies else headers
