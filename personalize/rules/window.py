"""The `when` of a rule: between which dates, on which days, in which hours it may show something."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from personalize.rules.days import DAY_NAMES, Days
from personalize.rules.facts import WEEKDAYS

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A time window in one zone, or, where that is None, in the zone of the moment that is asked about.

    `from_at` is included, `until_at` is not; without a zone of their own they are moments of the window's. Hours may
    cross midnight and include their start, not their end; a night belongs to the day on which it begins. What is left
    out does not limit. `until_day` is the day that was written, where `until_at` is its end.
    """

    zone: tzinfo | None
    from_at: datetime | None = None
    until_at: datetime | None = None
    weekdays: frozenset[str] = frozenset()
    on: tuple[Days, ...] = ()
    hours: tuple[timedelta, timedelta] | None = None
    until_day: date | None = field(default=None, compare=False)

    @classmethod
    def between(cls, from_at: datetime | None, until_at: datetime | None, zone: tzinfo) -> "Window":
        """The window from one moment until another; one that ends at a midnight ends with the day before it."""
        ends = None if until_at is None else until_at.astimezone(zone)
        last = None if ends is None or ends.time() != time() else ends.date() - _DAY
        return cls(zone, from_at, until_at, until_day=last)

    def holds(self, now: datetime) -> bool:
        """Whether the moment, which is aware, lies in the window."""
        local = self._by_its_clock(now)
        if self.from_at is not None and now < _instant(self.from_at, local.tzinfo):
            return False
        if self.until_at is not None and now >= _instant(self.until_at, local.tzinfo):
            return False
        clock = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        return self._in_hours(clock) and self._on_days(local.date() - _DAY * self._is_from_evening_before(clock))

    def bounds(self, now: datetime) -> tuple[datetime, ...]:
        """The moments at which the window begins and ends, as far as it does, for somebody in the zone of now."""
        zone = self._by_its_clock(now).tzinfo
        return tuple(_instant(at, zone) for at in (self.from_at, self.until_at) if at is not None)

    def _by_its_clock(self, now: datetime) -> datetime:
        return now if self.zone is None else now.astimezone(self.zone)

    def _on_days(self, day: date) -> bool:
        if self.weekdays and WEEKDAYS[day.weekday()] not in self.weekdays:
            return False
        spans = [days.span(day) for days in self.on]
        return not spans or any(span is not None and span[0] <= day <= span[1] for span in spans)

    def _in_hours(self, clock: timedelta) -> bool:
        if self.hours is None:
            return True
        start, end = self.hours
        return start <= clock < end if start < end else clock >= start or clock < end

    def _is_from_evening_before(self, clock: timedelta) -> bool:
        return self.hours is not None and clock < self.hours[1] < self.hours[0] < timedelta(hours=24)

    def __str__(self) -> str:
        parts = []
        if self.from_at is not None:
            parts.append(f"from {self._written(self.from_at)}")
        if self.until_day is not None:
            limits_more = self.weekdays or self.on or self.hours
            parts.append(f"until {self.until_day}, that day included{',' if limits_more else ''}")
        elif self.until_at is not None:
            parts.append(f"until {self._local(self.until_at):%Y-%m-%d %H:%M}")
        if self.weekdays:
            parts.append(_said_weekdays([WEEKDAYS.index(day) for day in WEEKDAYS if day in self.weekdays]))
        if self.on:
            parts.append(" or ".join(days.said for days in self.on))
        if self.hours is not None:
            start, end = (f"{at // _HOUR:02}:{at % _HOUR // _MINUTE:02}" for at in self.hours)
            parts.append(f"between {start} and {end}")
        if self.zone is None and parts:
            parts.append("by the visitor's clock")
        return " ".join(parts) or "always"

    def _written(self, at: datetime) -> str:
        local = self._local(at)
        return local.date().isoformat() if (local.hour, local.minute) == (0, 0) else local.strftime("%Y-%m-%d %H:%M")

    def _local(self, at: datetime) -> datetime:
        return at if at.tzinfo is None else at.astimezone(self.zone or at.tzinfo)


def _said_weekdays(days: Sequence[int]) -> str:
    """`Monday to Friday`, or `on Saturdays and Sundays`; Monday is 0."""
    names = [DAY_NAMES[day] for day in days]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[0]} to {names[-1]}"
    return "on " + " and ".join(filter(None, (", ".join(f"{name}s" for name in names[:-1]), f"{names[-1]}s")))


def _instant(bound: datetime, zone: tzinfo | None) -> datetime:
    """The moment of a bound. In UTC, since Python compares two moments of one zone by the clock on the wall, which
    shows an hour twice when summer time ends."""
    return bound.replace(tzinfo=zone).astimezone(UTC) if bound.tzinfo is None else bound
