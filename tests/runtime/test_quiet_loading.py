"""A large load takes short turns and keeps the garbage collector away; afterwards all is as it was."""

import asyncio
import gc
import sys

import pytest

from personalize.runtime.quiet_loading import LARGE_CHARACTERS, TURN_SECONDS, let_go, load_quietly, pieces_of
from tests.rules.small_site import rule_set_of

#: What `sys.getrefcount` tells of what only one name of a test holds: that name, and the call.
OURS_ALONE = 2
SMALL, LARGE = {"rules/a.yaml": "x"}, {"rules/a.yaml": "x" * LARGE_CHARACTERS}


@pytest.fixture(autouse=True)
def thawed() -> object:
    yield
    gc.unfreeze()


def surroundings() -> tuple[bool, bool]:
    """Whether turns are short, and whether garbage is collected."""
    return sys.getswitchinterval() <= TURN_SECONDS, gc.isenabled()


@pytest.mark.parametrize(("files", "expected"), [(SMALL, (False, True)), (LARGE, (True, False))])
def test_a_large_load_gets_out_of_the_way(files: dict[str, str], expected: tuple[bool, bool]) -> None:
    before = surroundings()
    assert asyncio.run(load_quietly(surroundings, files)) == expected
    assert surroundings() == before


def test_a_load_that_fails_leaves_all_as_it_was() -> None:
    def fails() -> None:
        raise ValueError("no rules")

    before = surroundings()
    with pytest.raises(ValueError, match="no rules"):
        asyncio.run(load_quietly(fails, LARGE))
    assert surroundings() == before


def test_what_a_large_load_made_is_kept_out_of_later_collections() -> None:
    gc.unfreeze()
    made = asyncio.run(load_quietly(lambda: [[number] for number in range(1000)], LARGE))
    assert gc.get_freeze_count() > 1000
    assert not any(one is made for one in gc.get_objects())


def test_a_page_has_its_turn_while_a_large_set_loads() -> None:
    async def run() -> int:
        turns = 0

        def load() -> None:
            while turns < 20:
                pass

        async def page() -> None:
            nonlocal turns
            while turns < 20:
                turns += 1
                await asyncio.sleep(0)

        await asyncio.gather(load_quietly(load, LARGE), page())
        return turns

    assert asyncio.run(run()) == 20


def test_a_rule_set_has_no_circles_and_goes_with_its_pieces() -> None:
    rules = "{id: gold, to: {profile.tier: gold}, show: offers/one}"
    rule_set = rule_set_of(f"attributes: {{tier: {{type: text}}}}\nslots: {{hero: {{rules: [{rules}]}}}}")
    asked = rule_set.index.fact("profile.tier")
    index, pieces = rule_set.index, pieces_of(rule_set)
    assert rule_set.slots["hero"].rules[0] in pieces and asked in pieces
    gc.disable()
    try:
        del rule_set
        asyncio.run(let_go(pieces))
        assert not pieces
        assert sys.getrefcount(index) <= OURS_ALONE
        del index
        assert sys.getrefcount(asked) <= OURS_ALONE
    finally:
        gc.enable()
