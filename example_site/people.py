"""Four made-up visitors with a past, so that there is somebody to log in as on the first day."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody bought, so many days before the shop was opened."""

    days_ago: int
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the login page offers."""

    user_id: str
    first_name: str
    story: str
    orders: tuple[Order, ...] = ()
    member: bool = False


PEOPLE = (
    Person("ingrid", "Ingrid", "Bought a tent five months ago.", (Order(150, ("tent-skarv-2",)),)),
    Person(
        "olav",
        "Olav",
        "Three orders, and then nothing for half a year.",
        (
            Order(420, ("kitchen-mug", "kitchen-kettle")),
            Order(300, ("wear-ull",)),
            Order(190, ("sleep-pillow",)),
        ),
    ),
    Person("liv", "Liv", "Began with boots and a jacket, last week.", (Order(8, ("wear-vidde", "wear-skall")),)),
    Person(
        "solveig",
        "Solveig",
        "A member. Comes for the soup.",
        (Order(40, ("wear-sokker", "kitchen-kasa")),),
        member=True,
    ),
)
_BY_USER_ID = {person.user_id: person for person in PEOPLE}


def person_of(user_id: str) -> Person | None:
    """One of the four, or None."""
    return _BY_USER_ID.get(user_id)
