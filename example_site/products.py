"""The shop's products: read once from products.yaml, looked up by category and by number."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Category:
    """One shelf of the shop; `slug` stands in addresses and in the rules."""

    slug: str
    title: str
    intro: str
    picture: str


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be bought; the price is in øre."""

    sku: str
    name: str
    category: str
    price_ore: int
    short: str
    long: str
    tags: tuple[str, ...]
    picture: str

    @property
    def price(self) -> str:
        """The price as the shop writes it."""
        return kroner(self.price_ore)


CATEGORIES = (
    Category("tents", "Tents", "Put up on our own hill, in our own weather.", "tent-dome.svg#rust"),
    Category("sleep", "Sleeping bags and mats", "A good day begins the night before.", "sleep-bag.svg#fjord"),
    Category("kitchen", "Stoves and kitchen", "Coffee first, then the summit.", "kitchen-kettle.svg#rust"),
    Category("clothing", "Boots and clothing", "Wool below, a shell above.", "wear-sweater.svg#fjord"),
)


def kroner(amount_ore: int) -> str:
    """An amount of øre as text: 499000 is "4 990 kr", with spaces that do not break."""
    whole, rest = divmod(amount_ore, 100)
    text = f"{whole:,}".replace(",", "\N{NO-BREAK SPACE}")
    return f"{text}{f',{rest:02}' if rest else ''}\N{NO-BREAK SPACE}kr"


def read_products(path: Path) -> tuple[Product, ...]:
    """All products of the file, in its order."""
    shelves = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        Product(
            sku=row["sku"],
            name=row["name"],
            category=category,
            price_ore=row["price"] * 100,
            short=row["short"],
            long=row["long"],
            tags=tuple(row["tags"]),
            picture=row["picture"],
        )
        for category, rows in shelves.items()
        for row in rows
    )


PRODUCTS = read_products(Path(__file__).parent / "products.yaml")
_BY_SKU = {product.sku: product for product in PRODUCTS}
_CATEGORY_BY_SLUG = {category.slug: category for category in CATEGORIES}


def by_sku(sku: str) -> Product | None:
    """The product with this number, or None."""
    return _BY_SKU.get(sku)


def by_category(slug: str) -> tuple[Product, ...]:
    """The products of one category, in the shelf's order."""
    return tuple(product for product in PRODUCTS if product.category == slug)


def category_of(slug: str) -> Category | None:
    """The category with this slug, or None."""
    return _CATEGORY_BY_SLUG.get(slug)


def beside(product: Product, count: int) -> tuple[Product, ...]:
    """What stands beside a product: of its category, those with the most tags in common first."""
    others = [other for other in by_category(product.category) if other != product]
    others.sort(key=lambda other: len(set(other.tags) & set(product.tags)), reverse=True)
    return tuple(others[:count])
