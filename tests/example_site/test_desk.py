"""The editors' desk: what the rules and items name is really in the shop."""

import re
from pathlib import Path

import pytest
import yaml

from example_site.products import by_sku, category_of

ROOT = Path(__file__).parents[2]
ITEMS = sorted((ROOT / "content").glob("*/*.md"))
RULES = sorted((ROOT / "rules").rglob("*.yaml"))
STATIC = ROOT / "example_site" / "static"


def leads_somewhere(address: str) -> bool:
    shelf, _, sku = address.removeprefix("/").partition("/")
    if shelf == "product":
        return by_sku(sku) is not None
    return category_of(shelf) is not None or address in ("/", "/cart", "/login", "/privacy")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item.parent.name}/{item.stem}")
def test_an_item_leads_somewhere_and_shows_a_picture_that_was_drawn(item: Path) -> None:
    _, front, body = item.read_text(encoding="utf-8").split("---\n", 2)
    matter = yaml.safe_load(front)
    fields = matter
    assert matter["title"]
    assert body.strip()
    for address in [*re.findall(r"\]\((/[^)]*)\)", body), *([fields["url"]] if "url" in fields else [])]:
        assert leads_somewhere(address), address
    if "image" in fields:
        file, _, colour = fields["image"].partition("#")
        drawn = (STATIC / file.removeprefix("/static/")).read_text(encoding="utf-8")
        assert not colour or f'<g id="{colour}"/>' in drawn


@pytest.mark.parametrize("item", sorted((ROOT / "content" / "offers").glob("*.md")), ids=lambda item: item.stem)
def test_an_offer_names_the_price_that_the_shop_asks(item: Path) -> None:
    fields = yaml.safe_load(item.read_text(encoding="utf-8").split("---\n", 2)[1])
    product = by_sku(fields["url"].removeprefix("/product/"))
    assert product is not None
    assert product.price_ore == fields["price"] * 100


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)
def test_a_rule_file_greets_its_editor_and_names_pages_of_the_shop(rules: Path) -> None:
    text = rules.read_text(encoding="utf-8")
    assert text.startswith("# ")
    for sku in re.findall(r"/product/([a-z0-9-]+)(?=[,\]}])", text):
        assert by_sku(sku) or sku.endswith("-") or sku in ("sleep-dun",), sku


def test_every_item_is_shown_by_some_rule() -> None:
    slots: dict[str, dict[str, list[dict[str, object]]]] = {}
    for rules in RULES:
        slots |= yaml.safe_load(rules.read_text(encoding="utf-8")).get("slots", {})
    shows = [rule["show"] for slot in slots.values() for rule in slot["rules"]]
    named = {show for show in shows if isinstance(show, str)}
    tagged = {(show["in"], tag) for show in shows if isinstance(show, dict) for tag in show["tagged"]}
    for item in ITEMS:
        tags = yaml.safe_load(item.read_text(encoding="utf-8").split("---\n", 2)[1]).get("tags", [])
        collection = item.parent.name
        assert f"{collection}/{item.stem}" in named or {(collection, tag) for tag in tags} & tagged, item
