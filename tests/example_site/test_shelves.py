"""The shop's own goods: each thing can be found, priced, seen, and put into a cart."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

import example_site
from example_site.cart import DELIVERY_ORE, MOST_OF_ONE, put, read_cart
from example_site.people import PEOPLE, person_of
from example_site.products import CATEGORIES, PRODUCTS, Product, beside, by_category, by_sku, category_of, kroner

STATIC = Path(example_site.__file__).parent / "static"
PICTURES = sorted((STATIC / "pictures").glob("*.svg"))
SHELF_PREFIX = {"tents": "tent-", "sleep": "sleep-", "kitchen": "kitchen-", "clothing": "wear-"}


def test_four_shelves_hold_ten_things_each() -> None:
    assert Counter(product.category for product in PRODUCTS) == {each.slug: 10 for each in CATEGORIES}
    assert [product.sku for each in CATEGORIES for product in by_category(each.slug)] == [
        product.sku for product in PRODUCTS
    ]


def test_a_number_belongs_to_one_product_and_begins_with_its_shelf() -> None:
    assert len({product.sku for product in PRODUCTS}) == len(PRODUCTS)
    assert all(product.sku.startswith(SHELF_PREFIX[product.category]) for product in PRODUCTS)
    assert all(by_sku(product.sku) is product for product in PRODUCTS)
    assert by_sku("tent-of-nobody") is None
    assert category_of("tents") is CATEGORIES[0]
    assert category_of("toys") is None


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.sku)
def test_every_product_has_words_a_price_and_a_picture_in_a_colour_that_exists(product: Product) -> None:
    file, _, colour = product.picture.partition("#")
    drawn = (STATIC / "pictures" / file).read_text(encoding="utf-8")
    assert f'<g id="{colour}"/>' in drawn
    assert product.short.endswith((".", "?", "!"))
    assert len(product.long) > len(product.short)
    assert product.price_ore > 0
    assert product.tags


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_pictures_are_well_formed_and_ask_for_nothing_from_elsewhere(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    for word in ("<script", "href=", "@import", "url(http", "<foreignObject"):
        assert word not in text


@pytest.mark.parametrize(
    ("amount_ore", "text"),
    [
        (0, "0 kr"),
        (900, "9 kr"),
        (99_900, "999 kr"),
        (499_000, "4 990 kr"),
        (123_456_750, "1 234 567,50 kr"),
        (5, "0,05 kr"),
    ],
)
def test_kroner_are_written_with_spaces_that_do_not_break(amount_ore: int, text: str) -> None:
    assert kroner(amount_ore) == text.replace(" ", "\N{NO-BREAK SPACE}")


def test_beside_a_product_stand_others_of_its_shelf_with_the_nearest_first() -> None:
    skarv = by_sku("tent-skarv-2")
    assert skarv is not None
    found = beside(skarv, 3)
    assert skarv not in found
    assert {product.category for product in found} == {"tents"}
    shared = [len(set(product.tags) & set(skarv.tags)) for product in found]
    assert shared == sorted(shared, reverse=True)
    assert shared[0] == 2


def test_a_cart_adds_up_and_never_holds_less_than_nothing() -> None:
    cookie: dict[str, object] = {}
    mug, skarv = by_sku("kitchen-mug"), by_sku("tent-skarv-2")
    assert mug is not None and skarv is not None
    put(cookie, mug, 2)
    assert (read_cart(cookie).count, read_cart(cookie).goods_ore) == (2, 298_00)
    assert read_cart(cookie).delivery_ore == DELIVERY_ORE
    put(cookie, skarv, 1)
    assert (read_cart(cookie).delivery_ore, read_cart(cookie).delivery) == (0, "Free")
    assert read_cart(cookie).total == kroner(298_00 + 4990_00)
    for _ in range(4):
        put(cookie, mug, -1)
    assert [line.product for line in read_cart(cookie).lines] == [skarv]
    put(cookie, skarv, 999)
    assert read_cart(cookie).count == MOST_OF_ONE


def test_what_is_sold_no_more_is_left_out_of_a_cart() -> None:
    assert read_cart({"cart": {"tent-of-nobody": 3}}).lines == ()


def test_everybody_on_the_login_page_bought_things_that_we_sell() -> None:
    assert [person_of(person.user_id) for person in PEOPLE] == list(PEOPLE)
    assert person_of("nobody") is None
    assert all(by_sku(sku) for person in PEOPLE for order in person.orders for sku in order.skus)
