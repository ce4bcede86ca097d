from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import from_micros, minted_event_id, to_micros

moments = st.datetimes(timezones=st.just(UTC))


@given(moments)
def test_a_moment_survives_being_counted_in_microseconds(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


@given(st.integers(to_micros(datetime(1, 1, 1, tzinfo=UTC)), to_micros(datetime(9999, 12, 31, tzinfo=UTC))))
def test_microseconds_survive_being_a_moment(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_event_ids_sort_by_time() -> None:
    days = [datetime(year, 1, 1, tzinfo=UTC) for year in (1997, 2026, 2100)]
    ids = [minted_event_id(day, b"\xff" * 8) for day in days]
    assert ids == sorted(ids)
    assert {len(event_id) for event_id in ids} == {30}
    assert [int(event_id[:14], 16) for event_id in ids] == [to_micros(day) for day in days]
    assert minted_event_id(days[0], b"\x00" * 8) != ids[0]
