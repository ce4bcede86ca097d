"""Time zones by name: whatever else comes is none, and nothing is raised."""

import pytest

from personalize.zones import zone_named, zone_names


def test_a_zone_is_found_by_its_name_alone() -> None:
    assert str(zone_named("Europe/Oslo")) == "Europe/Oslo"
    assert "Pacific/Auckland" in zone_names()


@pytest.mark.parametrize("name", ["europe/oslo", "America", "../etc/passwd", "x" * 5_000, "", "\0", None, 5, ["UTC"]])
def test_anything_else_is_no_zone(name: object) -> None:
    assert zone_named(name) is None
