"""The `when` of a rule: between which dates, on which days, in which hours it may show something."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from personalize.rules.facts import WEEKDAYS


@dataclass(frozen=True, slots=True)
class Window:
    """A time window in one zone. `from_at` is included, `until_at` is not; hours may cross midnight and include
    their start, not their end. What is left out does not limit. `until_day` is the day that was written, where
    `until_at` is its end."""

    zone: tzinfo
    from_at: datetime | None = None
    until_at: datetime | None = None
    weekdays: frozenset[str] = frozenset()
    hours: tuple[timedelta, timedelta] | None = None
    until_day: date | None = field(default=None, compare=False)

    def holds(self, now: datetime) -> bool:
        """Whether the moment lies in the window."""
        if self.from_at is not None and now < self.from_at:
            return False
        if self.until_at is not None and now >= self.until_at:
            return False
        local = now.astimezone(self.zone)
        if self.weekdays and WEEKDAYS[local.weekday()] not in self.weekdays:
            return False
        return self.hours is None or self._in_hours(local)

    def _in_hours(self, local: datetime) -> bool:
        assert self.hours is not None
        start, end = self.hours
        clock = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        return start <= clock < end if start < end else clock >= start or clock < end

    def __str__(self) -> str:
        parts = []
        if self.from_at is not None:
            parts.append(f"from {self._local(self.from_at)}")
        if self.until_day is not None:
            parts.append(f"until {self.until_day}, that day included{',' if self.weekdays or self.hours else ''}")
        elif self.until_at is not None:
            parts.append(f"until {self.until_at.astimezone(self.zone):%Y-%m-%d %H:%M}")
        if self.weekdays:
            parts.append("on " + ", ".join(day for day in WEEKDAYS if day in self.weekdays))
        if self.hours is not None:
            start, end = (
                f"{int(t.total_seconds()) // 3600:02}:{int(t.total_seconds()) // 60 % 60:02}" for t in self.hours
            )
            parts.append(f"at {start}-{end}")
        return " ".join(parts) or "always"

    def _local(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return local.date().isoformat() if (local.hour, local.minute) == (0, 0) else local.strftime("%Y-%m-%d %H:%M")
