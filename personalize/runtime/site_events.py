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
    """The part of a page view that takes what a site records: `told`, by type, purpose and properties. Who it is of has
    to be known when the response has left. Where personalizing is switched off (`_is_off`) it is forgotten."""

    told: tuple[tuple[str, str, dict[str, JSONValue]], ...] = ()
    _personalizer: "Personalizer"
    _is_off: bool = False
    _is_over: bool = False

    def close(self) -> None:
        """Take nothing more: the response has left, and what was recorded so far is all."""
        self._is_over = True

    # mypyc refuses a property that has the name of a parameter; none begins with an underscore.
    def record(self, _type: str, /, **properties: object) -> bool:
        """Queue an event of a declared type for this visitor, written after the response.

        Returns False, with the reason in the log, for what the schema doesn't allow; without the visitor's
        consent it is left out. Use `await personalizer.record(…)` where the next page has to see it.
        """
        schema = self._personalizer.schema
        try:
            known = check_event(_type, properties, schema, zone=self._personalizer.zone)
        except EventRefused as error:
            return self._refused(error)
        return self._tell((_type, schema.events[_type].purpose, known))

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

    def _kept_of_told(self, granted: Collection[str], *, only_measured: bool) -> list[Happening]:
        """What may be kept of it by what was granted. Where that is to measure and nothing else, an event counts with
        its value alone, and nothing that was said of the visitor is kept."""
        waiting = [(type_, told) for type_, purpose, told in self.told if purpose in granted]
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
        self.told += (told,)
        return True

    def _refused(self, error: EventRefused) -> bool:
        now = self._personalizer.clock.now()
        self._personalizer.health.failed("an event of the site was refused", error, now)
        return False
