from datetime import timedelta

import pytest

from personalize.profiles.profile import Visit
from personalize.profiles.visits import PageFacts, visit_with_page
from tests.profiles.histories import minutes

PAUSE = timedelta(minutes=30)
HOME = PageFacts("/", "google", "cpc", "spring")
TENTS = PageFacts("/tents", "mail")


def visit_of(*pages: tuple[float, PageFacts]) -> Visit | None:
    visit: Visit | None = None
    for at, page in pages:
        visit = visit_with_page(visit, page, minutes(at), None, PAUSE)
    return visit


def test_a_visit_begins_with_the_source_of_its_first_page_and_keeps_it() -> None:
    visit = visit_of((0, HOME), (5, TENTS))
    assert visit == Visit(1, minutes(0), minutes(5), 2, "/", "google", "cpc", "spring")


@pytest.mark.parametrize(("pause", "number"), [(29.99, 1), (30, 1), (30.01, 2)])
def test_a_visit_goes_on_until_the_pause_is_longer_than_it_may_be(pause: float, number: int) -> None:
    visit = visit_of((0, HOME), (pause, TENTS))
    assert visit is not None
    assert visit.number == number


def test_a_visit_is_as_long_as_nobody_pauses() -> None:
    visit = visit_of(*((at, HOME) for at in range(0, 300, 25)))
    assert visit is not None
    assert (visit.number, visit.pages) == (1, 12)


def test_a_page_that_arrives_late_is_counted_where_it_belongs() -> None:
    assert visit_of((0, HOME), (10, TENTS), (5, TENTS)) == visit_of((0, HOME), (5, TENTS), (10, TENTS))


@pytest.mark.parametrize("pause", [10, 30])
def test_a_first_page_that_arrives_late_is_the_landing_page(pause: float) -> None:
    assert visit_of((pause, TENTS), (0, HOME)) == visit_of((0, HOME), (pause, TENTS))


def test_a_page_from_long_before_the_visit_leaves_it_alone() -> None:
    assert visit_of((100, HOME), (69.99, TENTS)) == visit_of((100, HOME))


def test_what_begins_a_visit_without_being_a_page_is_not_counted() -> None:
    begun = visit_with_page(None, HOME, minutes(0), None, PAUSE, pages=0)
    assert begun.pages == 0
    assert visit_with_page(begun, TENTS, minutes(1), None, PAUSE) == Visit(
        1, minutes(0), minutes(1), 1, "/", "google", "cpc", "spring"
    )
