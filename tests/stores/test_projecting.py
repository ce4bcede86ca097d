"""Between reading rows and writing them: each is read once, and a projector sees those that it named."""

from collections.abc import Mapping
from typing import Any

import pytest

from personalize.events.event import Event
from personalize.stores.projecting import Rows, read_by
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

    rows = Rows(Followed())
    for _ in range(3):
        read_by(reading, rows.project([event("seen", "a")]))
    assert read == ["a", "b"]
    assert dict(rows.changes()) == {"b": b"3||a b"}
    assert len(rows) == 2


def test_an_event_sees_what_the_one_before_it_left_and_no_row_that_it_did_not_name() -> None:
    rows = Rows(Followed())
    sent_on = event("sent on", "z", {"to": "a"})
    read_by({}.get, rows.project([event("seen", "z"), event("seen", "a"), sent_on, event("seen", "z")]))
    assert list(rows.changes()) == [("a", b"2||a z"), ("z", b"0|a|")]


def test_a_row_that_is_no_more_has_no_bytes() -> None:
    rows, read = Rows(Followed()), {"a": b"7||"}.get
    read_by(read, rows.project([event("forgotten", "a")]))
    assert list(rows.changes()) == [("a", None)]
    read_by(read, rows.project([event("seen", "a")]))
    assert list(rows.changes()) == [("a", b"1||a")]


def test_what_a_batch_is_known_to_need_is_asked_for_at_once_and_the_rest_when_it_comes_up() -> None:
    kept = {"a": b"0|b|", "b": b"0||", "c": b"0||", "d": b"0||"}
    rows = Rows(Followed())
    reading = rows.project(
        [event("seen", "a"), event("seen", "c"), event("sent on", "c", {"to": "d"}), event("seen", "c")]
    )
    asked = [sorted(next(reading))]
    with pytest.raises(StopIteration):
        while True:
            asked.append(sorted(reading.send({key: kept[key] for key in asked[-1]})))
    assert asked == [["a", "c"], ["b"], ["d"]]
    assert sorted(dict(rows.changes())) == ["b", "c", "d"]


def test_nothing_to_project_asks_for_nothing() -> None:
    rows = Rows(Followed())
    assert list(rows.project([])) == []
    assert list(rows.changes()) == []
