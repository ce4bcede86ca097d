"""How often one address may ask: by the minute, by the household, and without end in memory."""

from datetime import UTC, datetime, timedelta

from personalize.web.request import rate_cap
from personalize.web.request.rate_cap import RateCap

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


def allowed(cap: RateCap, host: str | None, at: datetime = NOW, times: int = 1) -> list[bool]:
    return [cap.allows({"client": None if host is None else (host, 5000)}, at) for _ in range(times)]


def test_an_address_asks_so_often_in_a_minute_and_again_in_the_next() -> None:
    cap = RateCap(2)
    assert allowed(cap, "10.0.0.1", times=3) == [True, True, False]
    assert allowed(cap, "10.0.0.2") == [True]
    assert allowed(cap, "10.0.0.1", NOW + timedelta(seconds=29)) == [False]
    assert allowed(cap, "10.0.0.1", NOW + timedelta(seconds=30)) == [True]


def test_one_household_is_one_address_whichever_of_its_own_it_takes() -> None:
    cap = RateCap(2)
    assert allowed(cap, "2001:db8:1:1::1") + allowed(cap, "2001:db8:1:1:ffff::2") == [True, True]
    assert allowed(cap, "2001:db8:1:1::3") == [False]
    assert allowed(cap, "2001:db8:1:2::1") == [True]
    assert allowed(cap, "::ffff:10.0.0.1", times=2) + allowed(cap, "::ffff:10.0.0.2") == [True] * 3


def test_who_has_no_address_is_one_and_without_a_cap_all_pass() -> None:
    assert allowed(RateCap(1), None, times=2) == [True, False]
    assert all(allowed(RateCap(0), "10.0.0.1", times=5_000))


def test_no_crowd_of_addresses_fills_the_memory() -> None:
    cap = RateCap(5)
    crowd = [allowed(cap, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")[0] for n in range(rate_cap.MOST_ADDRESSES + 10)]
    assert crowd.count(False) == 10
    assert allowed(cap, "10.0.0.0") == [True]  # whoever was there before goes on
