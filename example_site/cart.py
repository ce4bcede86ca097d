"""A cart: how many of which product, kept in the shop's own signed cookie."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from example_site.products import Product, by_sku, kroner

MOST_OF_ONE = 20
FREE_DELIVERY_FROM_ORE = 1500_00
DELIVERY_ORE = 99_00


@dataclass(frozen=True, slots=True)
class Line:
    """One product of a cart, so many times."""

    product: Product
    quantity: int

    @property
    def price_ore(self) -> int:
        """What the line costs, in øre."""
        return self.product.price_ore * self.quantity

    @property
    def price(self) -> str:
        """What the line costs, as the shop writes it."""
        return kroner(self.price_ore)


@dataclass(frozen=True, slots=True)
class Cart:
    """All lines, in the order in which they were put in."""

    lines: tuple[Line, ...]

    @property
    def count(self) -> int:
        """How many things are in it."""
        return sum(line.quantity for line in self.lines)

    @property
    def goods_ore(self) -> int:
        """What the things cost together, in øre."""
        return sum(line.price_ore for line in self.lines)

    @property
    def delivery_ore(self) -> int:
        """What sending them costs, in øre."""
        return 0 if self.goods_ore >= FREE_DELIVERY_FROM_ORE else DELIVERY_ORE

    @property
    def delivery(self) -> str:
        """What sending them costs, as the shop writes it."""
        return kroner(self.delivery_ore) if self.delivery_ore else "Free"

    @property
    def total(self) -> str:
        """Everything, as the shop writes it."""
        return kroner(self.goods_ore + self.delivery_ore)


def read_cart(cookie: MutableMapping[str, Any]) -> Cart:
    """The cart of a visitor; products that are sold no more are left out."""
    kept = ((by_sku(sku), quantity) for sku, quantity in cookie.get("cart", {}).items())
    return Cart(tuple(Line(product, quantity) for product, quantity in kept if product is not None))


def put(cookie: MutableMapping[str, Any], product: Product, quantity: int) -> None:
    """Put a product in, or with a negative quantity take it out."""
    kept: dict[str, int] = dict(cookie.get("cart", {}))
    kept[product.sku] = min(kept.get(product.sku, 0) + quantity, MOST_OF_ONE)
    cookie["cart"] = {sku: number for sku, number in kept.items() if number > 0}
