"""What all files of one site have in common: its time zone, its currency, what its pages may depend on, and for how
long it keeps what happened."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from personalize.privacy_settings import Ages
from personalize.rules.reading.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Conventions:
    """What turns written dates and amounts into exact values; where pages are shared, the `inputs` that tell them
    apart; and the `ages` that events may reach by the settings."""

    zone: tzinfo = UTC
    currency: str = "EUR"
    currency_digits: int = 2
    inputs: Inputs | None = None
    ages: Ages = field(default_factory=Ages)

    def moment(self, text: str) -> datetime:
        """The instant of an ISO date (its midnight in the site's zone) or date and time, in UTC.

        A time without a zone is the site's. Raises ValueError for anything else.
        """
        written = datetime.fromisoformat(text)
        return _in_utc(written if written.tzinfo is not None else written.replace(tzinfo=self.zone))

    def end_of(self, day: date) -> datetime:
        """The instant at which a day is over in the site's zone, in UTC. Raises ValueError for the last of days."""
        if day == date.max:
            raise ValueError(f"no day comes after {day}")
        return _in_utc(datetime.combine(day + timedelta(days=1), time(), tzinfo=self.zone))


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} can't be told in UTC") from error
