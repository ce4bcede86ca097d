"""What is said of times that a clock shows twice, or never."""

from zoneinfo import ZoneInfo

import pytest

from personalize.rules.conventions import Conventions
from personalize.rules.wall_clock import clock_remark

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "2026-10-25T02:30",
            "2026-10-25T02:30 comes twice in Europe/Oslo, since the clock is put back: taken as the first of the two "
            "(CEST); for the second write 2026-10-25T02:30+01:00",
        ),
        (
            "2026-03-29T02:30",
            "2026-03-29T02:30 does not exist in Europe/Oslo, since the clock is put forward there: taken as "
            "2026-03-29 03:30 CEST",
        ),
        ("2026-10-25T01:59:59", None),
        ("2026-10-25T03:00", None),
        ("2026-03-29T03:00", None),
        ("2026-10-25T02:30+01:00", None),
        ("2026-10-25", None),
        ("0001-01-01", None),
        ("nonsense", None),
    ],
)
def test_a_time_that_is_there_twice_or_never_is_remarked_on(text: str, said: str | None) -> None:
    assert clock_remark(text, OSLO) == said


def test_what_is_said_is_what_is_done() -> None:
    conventions = Conventions(zone=OSLO)
    assert conventions.moment("2026-10-25T02:30").isoformat() == "2026-10-25T00:30:00+00:00"
    assert conventions.moment("2026-10-25T02:30+01:00").isoformat() == "2026-10-25T01:30:00+00:00"
    assert conventions.moment("2026-03-29T02:30").isoformat() == "2026-03-29T01:30:00+00:00"
