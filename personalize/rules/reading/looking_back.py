"""Says where a condition looks further back than what it asks about is kept."""

from datetime import timedelta

from personalize.durations import format_duration
from personalize.events.schema import EventType, Schema
from personalize.problems import Problems
from personalize.profiles.keeping import Keeping
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact
from personalize.yaml_tree import Node

#: The facts of an event that tell when it happened; `keep: totals` keeps them.
_MOMENTS = ("first", "last")


class LookingBack:
    """For how long the events of one site are kept, by their declarations and the settings."""

    def __init__(self, schema: Schema, conventions: Conventions, problems: Problems) -> None:
        self._schema = schema
        self._ages = conventions.ages
        self._keeping = Keeping(schema, conventions.ages)
        self._problems = problems

    def at_times(self, event: EventType, within: timedelta | None, at: Node) -> None:
        """Look at how far back a `did` asks; without a window it asks about all there ever was."""
        age = self._keeping.age_of(event.name)
        if age is None or (within is not None and within <= age):
            return
        asked = "ever" if within is None else f"within {format_duration(within)}"
        known = f", or ask `{event.name}.count`, which `keep: totals` keeps" if event.keeps_totals else ""
        self._say(event, f"`did: {event.name}` {asked}", age, f"write `within: {format_duration(age)}`{known}", at)

    def at_moment(self, fact: Fact, length: object, at: Node) -> None:
        """Look at how far back a question about the first or last of an event asks."""
        event = self._schema.events.get(fact.event) if fact.key in _MOMENTS and fact.root == fact.event else None
        if event is None or event.keeps_totals or not isinstance(length, timedelta):
            return
        age = self._keeping.age_of(event.name)
        if age is not None and length > age:
            hint = f"declare `keep: {{for: {format_duration(age)}, then: totals}}`, which keeps the first and the last"
            self._say(event, f"`{fact.name}` is asked {format_duration(length)} back", age, hint, at)

    def _say(self, event: EventType, asked: str, age: timedelta, hint: str, at: Node) -> None:
        said = f"{asked}, but such events are kept {format_duration(age)}, by {self._by(event, age)}"
        self._problems.warning("W244", said, at, hint)

    def _by(self, event: EventType, age: timedelta) -> str:
        if event.keep == age:
            return "their declaration"
        if self._ages.purposes.get(event.purpose) == age:
            return f"the setting privacy.keep for {event.purpose}"
        return "the setting privacy.keep_events"
