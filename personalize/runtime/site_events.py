"""What a site tells us of its visitor on one page view: checked at once, kept until the response has left."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from personalize.errors import EventRefused
from personalize.events.event import INTEREST, SET, JSONValue
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.events.validate import check_attributes, check_event
from personalize.profiles.stated import statement
from personalize.runtime.page_events import Happening

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer


class SiteEvents:
    """Takes what a site records. Where personalizing is switched off (`is_off`) it is forgotten."""

    def __init__(self, personalizer: "Personalizer", *, is_off: bool = False) -> None:
        self._personalizer = personalizer
        self._is_off = is_off
        self._is_over = is_off
        self._waiting: list[tuple[str, str, dict[str, JSONValue]]] = []

    def record(self, type: str, /, **properties: object) -> bool:
        """Queue an event of a declared type for this visitor, written after the response.

        Returns False, with the reason in the log, for what the schema doesn't allow; without the visitor's
        consent it is left out. Use `await personalizer.record(…)` where the next page has to see it.
        """
        schema = self._personalizer.schema
        try:
            known = check_event(type, properties, schema, zone=self._personalizer.zone)
        except EventRefused as error:
            return self._refused(error)
        return self._tell((type, schema.events[type].purpose, known))

    def set(self, **attributes: object) -> bool:
        """Queue new values of declared attributes for this visitor; None removes one. See `record`."""
        schema = self._personalizer.schema
        try:
            known = check_attributes(attributes, schema, zone=self._personalizer.zone)
        except EventRefused as error:
            return self._refused(error)
        told = [self._tell((SET, schema.attributes[name].purpose, {name: value})) for name, value in known.items()]
        return all(told)

    def state_interest(self, tag: str, likes: bool | None) -> bool:
        """Queue what the visitor says of their own taste: they like what carries this tag, they do not, or None to
        take back what they said. It is believed over what was learned. See `record`."""
        try:
            said = statement(tag, likes)
        except EventRefused as error:
            return self._refused(error)
        return self._tell((INTEREST, DEFAULT_PURPOSE, said))

    @property
    def told(self) -> bool:
        """Whether anything was queued so far; who it is of has to be known when the response has left."""
        return bool(self._waiting)

    def _kept_of_waiting(self, granted: Collection[str], *, only_measured: bool) -> list[Happening]:
        """What may be kept of it by what was granted. Where that is to measure and nothing else, an event counts with
        its value alone, and nothing that was said of the visitor is kept."""
        waiting = [(type_, told) for type_, purpose, told in self._waiting if purpose in granted]
        if not only_measured:
            return [Happening(type_, told) for type_, told in waiting]
        events = self._personalizer.schema.events
        return [
            Happening(type_, {name: value for name, value in told.items() if name == events[type_].value})
            for type_, told in waiting
            if type_ in events
        ]

    def _tell(self, told: tuple[str, str, dict[str, JSONValue]]) -> bool:
        """Keep for the end of the response; behind it, such as in background work, it is too late."""
        if self._is_over and not self._is_off:
            now = self._personalizer.clock.now()
            self._personalizer.health.failed(
                "record() was called after the response, where await personalizer.record() serves", None, now
            )
            return False
        self._waiting.append(told)
        return True

    def _refused(self, error: EventRefused) -> bool:
        now = self._personalizer.clock.now()
        self._personalizer.health.failed("an event of the site was refused", error, now)
        return False
