"""A small desk of content in memory, and a look at markup as a browser's parser sees it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from selectolax.lexbor import LexborHTMLParser, LexborNode

from personalize.content.item import ContentItem
from personalize.content.library import Library, load_library
from personalize.problems import Problems

CASES = Path(__file__).parents[1] / "cases" / "content"

COLLECTIONS = """
collections:
  offers:
    kind: offer
    template: offer.html
    fields:
      badge: {type: text}
      price: {type: money}
      weight: {type: number}
      sale: {type: bool}
      day: {type: date}
      size: {type: choice, choices: [small, large]}
      image: {type: image}
      url: {type: url}
classes: [lead]
"""
TEMPLATE = """<article title="{{ item.badge }}"><h2>{{ item.title }}</h2>
{%- if item.image %}<img src="{{ item.image }}" alt="{{ item.image.alt }}">{% endif -%}
{%- if item.url %}<a href="{{ item.url }}">{{ item.badge }}</a>{% endif -%}
<i>{{ item.price }}</i><div>{{ item.body }}</div></article>"""
TEMPLATES = {"offer.html": TEMPLATE}
ATTRIBUTES = ("first_name", "town")


def lines_of(name: str) -> list[str]:
    """The cases of a file with one a line; lines that begin with `# ` are remarks."""
    lines = (CASES / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and line != "#" and not line.startswith("# ")]


def load(
    files: Mapping[str, str],
    templates: Mapping[str, str] = TEMPLATES,
    *,
    collections: str | None = COLLECTIONS,
    attributes: Collection[str] = ATTRIBUTES,
    zone: str = "Europe/Oslo",
) -> tuple[Library, Problems]:
    """The library of these files under `content/`, and what was found wrong with them."""
    named = {f"content/{path}": text for path, text in files.items()}
    if collections is not None:
        named["content/collections.yaml"] = collections
    problems = Problems()
    library = load_library(
        named,
        templates=jinja2.DictLoader(dict(templates)),
        zone=ZoneInfo(zone),
        currency="NOK",
        currency_digits=2,
        attributes=attributes,
        problems=problems,
    )
    return library, problems


def load_one(front: str, body: str = "", *, suffix: str = "md", template: str = TEMPLATE) -> ContentItem:
    """The item of a front matter and body, which has no errors."""
    library, problems = load({f"offers/one.{suffix}": f"---\n{front}\n---\n{body}"}, {"offer.html": template})
    assert not problems.has_errors, "\n".join(map(str, problems.list))
    return library.items["offers/one"]


def found(front: str, body: str = "", *, suffix: str = "md", template: str = TEMPLATE) -> list[str]:
    """The problems of an item as `line:column code` with the message behind."""
    _, problems = load({f"offers/one.{suffix}": f"---\n{front}\n---\n{body}"}, {"offer.html": template})
    return [f"{each.line}:{each.column} {each.code} {each.message}" for each in problems.list]


def parsed(markup: str) -> LexborNode:
    """The body of the document that a browser makes of a fragment."""
    body = LexborHTMLParser(f"<!doctype html><html><body>{markup}").body
    assert body is not None
    return body


def skeleton(markup: str) -> list[tuple[str, tuple[tuple[str, str | None], ...]]]:
    """Every element in order with its attributes, without those that only hold words."""
    return [
        (node.tag, tuple((k, None if k in ("alt", "title") else v) for k, v in sorted(node.attributes.items())))
        for node in parsed(markup).traverse()
        if node.tag
    ]


def text_of(markup: str, selector: str) -> str:
    """The text in the first element that a selector finds."""
    node = parsed(markup).css_first(selector)
    assert node is not None, f"nothing is {selector} in {markup}"
    return node.text()


def attribute_of(markup: str, selector: str, name: str) -> str | None:
    """The value of an attribute of the first element that a selector finds."""
    node = parsed(markup).css_first(selector)
    assert node is not None, f"nothing is {selector} in {markup}"
    return node.attributes.get(name)
