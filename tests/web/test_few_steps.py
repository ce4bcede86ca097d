"""What a request costs that is none for a page with slots, in calls of our own functions: a clock would waver."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import personalize
from tests.web.house import EMPTY, LETTER, SLOT, App, House, Message, Receive, Send, body, page, saying, scope_of, tell

IMAGE = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]}
OURS = str(Path(personalize.__file__).parent)


def steps_of(
    house: House, site: App, path: str, *, method: str = "GET", sent: Sequence[Message] = (EMPTY,)
) -> list[str]:
    """Our functions that are called for a request whose client says this, where the same was asked before."""
    app, steps = house.wrap(site), list[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            steps.append(frame.f_code.co_qualname)

    async def asked() -> None:
        for _ in range(3):
            await tell(app, scope_of(path, method=method), sent)
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await tell(app, scope_of(path, method=method), sent)
        finally:
            sys.setprofile(before)

    house.run(asked())
    return steps


@pytest.mark.parametrize(
    ("site", "most"),
    [(saying(IMAGE, body(b"x")), 20), (page(b"<p>no slot</p>"), 31)],
    ids=["image", "page"],
)
def test_what_has_no_slots_takes_few_steps(house: House, site: Any, most: int) -> None:
    steps = steps_of(house, site, f"/few/{most}")
    assert len(steps) <= most, "\n".join(steps)


@pytest.mark.sources  # what is compiled shows no steps
def test_a_page_with_a_slot_takes_few_steps_more(house: House) -> None:
    steps = steps_of(house, page(SLOT), f"/few/slots?{LETTER}")
    assert "decide" in steps
    assert len(steps) <= 114, "\n".join(steps)


def test_each_further_part_of_what_is_no_page_takes_one_step(house: House) -> None:
    few, many = (saying(IMAGE, *[body(SLOT, more=True)] * parts, body(b"")) for parts in (1, 101))
    assert len(steps_of(house, many, "/few/many")) - len(steps_of(house, few, "/few/few")) <= 200


async def taking(_: Any, receive: Receive, send: Send) -> None:
    """A site that reads all that it is sent."""
    while (await receive())["more_body"]:
        pass
    await send({**IMAGE})
    await send(body(b""))


def test_no_part_of_what_is_sent_to_a_site_takes_a_step(house: House) -> None:
    few, many = (
        steps_of(house, taking, "/few/sent", method="POST", sent=[*[{**EMPTY, "more_body": True}] * parts, EMPTY])
        for parts in (1, 101)
    )
    assert len(few) == len(many)
