"""Between reading rows and writing them: each is read once, and a projector sees those that it named."""

from collections.abc import Mapping
from typing import Any

from personalize.events.event import Event
from personalize.stores.projecting import Rows
from tests.stores.samples import event


class Followed:
    """A count for each id; a row may send an event on to another id, as a join does."""

    name = "followed"

    def reads(self, event: Event, rows: Mapping[str, Any]) -> tuple[str, ...]:
        followed = rows.get(event.profile_id)
        return (event.profile_id,) if followed is None or followed["to"] is None else (event.profile_id, followed["to"])

    def project(self, event: Event, rows: Mapping[str, Any]) -> Mapping[str, Any]:
        owner = self.reads(event, rows)[-1]
        if event.type == "forgotten":
            return {owner: None}
        if event.type == "sent on":
            return {owner: {"count": 0, "to": event.properties["to"], "saw": ""}}
        count = 0 if rows[owner] is None else rows[owner]["count"]
        return {owner: {"count": count + 1, "to": None, "saw": " ".join(sorted(rows))}}

    def encode(self, row: Any) -> bytes:
        return f"{row['count']}|{row['to'] or ''}|{row['saw']}".encode()

    def decode(self, data: bytes) -> Any:
        count, to, saw = data.decode().split("|")
        return {"count": int(count), "to": to or None, "saw": saw}


def test_a_row_leads_to_the_next_one_and_each_is_read_once() -> None:
    kept = {"a": b"0|b|", "b": b"0|c|", "c": b"5||"}
    read: list[str] = []

    def reading(key: str) -> bytes | None:
        read.append(key)
        return kept.get(key)

    rows = Rows(Followed(), reading)
    for _ in range(3):
        rows.project(event("seen", "a"))
    assert read == ["a", "b"]
    assert dict(rows.changes()) == {"b": b"3||a b"}
    assert len(rows) == 2


def test_an_event_sees_what_the_one_before_it_left_and_no_row_that_it_did_not_name() -> None:
    rows = Rows(Followed(), {}.get)
    for each in (event("seen", "z"), event("seen", "a"), event("sent on", "z", {"to": "a"}), event("seen", "z")):
        rows.project(each)
    assert list(rows.changes()) == [("a", b"2||a z"), ("z", b"0|a|")]


def test_a_row_that_is_no_more_has_no_bytes() -> None:
    rows = Rows(Followed(), {"a": b"7||"}.get)
    rows.project(event("forgotten", "a"))
    assert list(rows.changes()) == [("a", None)]
    rows.project(event("seen", "a"))
    assert list(rows.changes()) == [("a", b"1||a")]
