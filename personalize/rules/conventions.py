"""How one site writes moments and money: its time zone and the digits of its currency."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo


@dataclass(frozen=True, slots=True)
class Conventions:
    """What turns written dates and amounts into exact values."""

    zone: tzinfo = UTC
    currency: str = "EUR"
    currency_digits: int = 2

    def moment(self, text: str) -> datetime:
        """The instant of an ISO date (its midnight in the site's zone) or date and time, in UTC.

        A time without a zone is the site's. Raises ValueError for anything else.
        """
        written = datetime.fromisoformat(text)
        aware = written if written.tzinfo is not None else written.replace(tzinfo=self.zone)
        return aware.astimezone(UTC)

    def midnight(self, day: date) -> datetime:
        """The instant at which a day begins in the site's zone, in UTC."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)
