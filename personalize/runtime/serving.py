"""What somebody of the staff sees of a visitor: who it is, what was bought, what to say next, and why."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from personalize.decisions.context import RequestFacts
from personalize.events.event import LOOK, Event
from personalize.events.schema import EventType, Shape, ValueType
from personalize.events.validate import check_event
from personalize.profiles.in_force import KNOWN_PREFIX
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.runtime.channel_visit import ChannelVisit
from personalize.runtime.known import Known, known_of
from personalize.runtime.offline import organization_of
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.searching import visitors_with
from personalize.visitors.consent import Consent

#: The page that slots name to be told at the till or on the phone: `page: till`.
TILL = "till"
#: The channel, as rules read it and events noted here carry it.
CHANNEL = "till"
_MOST_READ = 200
_MOST_BROWSERS = 5
#: The types of properties that a form asks for in one line.
WRITTEN_IN_A_LINE = frozenset(
    {ValueType.TEXT, ValueType.NUMBER, ValueType.MONEY, ValueType.DATE, ValueType.CHOICE, ValueType.BOOL}
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a slot of the till says of one visitor: its title, the titles of the items, and why these, in a sentence."""

    slot: str
    items: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Served:
    """One visitor, as far as they agreed to it. `segments` are titles; `known` has what they told and did."""

    user_id: str
    known: Known
    segments: tuple[str, ...]
    advice: tuple[Advice, ...]
    may_be_used: bool


class Counter:
    """The till or the phone: finds a visitor, writes down who looked and why, and notes what they tell."""

    def __init__(self, personalizer: Personalizer, staff: str) -> None:
        self._personalizer = personalizer
        self._staff = staff

    async def find(self, written: str) -> Sequence[str]:
        """The logins that are meant: this very one, or those who can be found by it (`searchable`) and agreed to what
        the attribute is for. Raises `StoreError`."""
        store, schema = self._personalizer.store, self._personalizer.schema
        if await store.profile(f"{KNOWN_PREFIX}{written}") is not None:
            return (written,)
        found = [
            profile.profile_id.removeprefix(KNOWN_PREFIX)
            for name in sorted(schema.searchable)
            for profile in await visitors_with(store, name, written)
            if profile.profile_id.startswith(KNOWN_PREFIX) and profile.consent.allows(schema.attributes[name].purpose)
        ]
        return tuple(dict.fromkeys(found))

    async def look(self, user_id: str, why: str) -> Served | None:
        """What is known of the visitor with this login; None where nothing is. Who looked at whom, when and why is in
        the log before anything is told. Raises `StoreError`."""
        personalizer, profile_id = self._personalizer, f"u:{user_id}"
        rule_set = personalizer.rule_set
        profile = await personalizer.store.profile(profile_id)
        if profile is None or rule_set is None:
            return None
        looked = personalizer.event(LOOK, profile_id, {"by": self._staff, "why": why}, sender=TILL, channel=CHANNEL)
        await personalizer.ingest.record([looked])
        visit = ChannelVisit(
            personalizer,
            rule_set,
            profile_id,
            profile,
            agreed=Consent(),
            facts=RequestFacts(channel=CHANNEL),
            organization=await organization_of(profile, personalizer.store, rule_set),
        )
        return await self._served(user_id, profile, rule_set, visit)

    async def note(self, user_id: str, type_: str, written: Mapping[str, str], event_id: str) -> None:
        """Note that something happened, once for this id. Raises `EventRefused` and `StoreError`."""
        personalizer = self._personalizer
        declared = personalizer.schema.events.get(type_)
        properties = {name: _read(text, declared, name) for name, text in written.items() if text.strip()}
        known = check_event(type_, properties, personalizer.schema, zone=personalizer.zone)
        event = personalizer.event(type_, f"u:{user_id}", known, event_id=event_id, sender=TILL, channel=CHANNEL)
        await personalizer.ingest.record([event])

    @property
    def found_by(self) -> Sequence[str]:
        """What visitors can be found by beside their login, in words."""
        schema = self._personalizer.schema
        return tuple(map(schema.title_of_attribute, sorted(schema.searchable)))

    @property
    def event_types(self) -> Sequence[EventType]:
        """The events that can be noted, by the rules that are live."""
        return tuple(self._personalizer.schema.events.values())

    async def _served(self, user_id: str, profile: Profile, rule_set: RuleSet, visit: ChannelVisit) -> Served:
        granted = visit.consent.granted or frozenset()
        may_tell = {name for name, declared in rule_set.schema.events.items() if declared.purpose in granted}
        cut = visit.context.profile or Profile(profile.profile_id)
        told = replace(cut, totals={name: total for name, total in cut.totals.items() if name in may_tell})
        events = [event for event in await self._events(profile) if event.type in may_tell] if granted else []
        known = known_of(told, events, rule_set, now=visit.now, lifecycle=self._personalizer.lifecycle)
        return Served(
            user_id=user_id,
            known=known,
            segments=tuple(rule_set.titles[one] for one in visit.segments) if granted else (),
            advice=tuple(_advice(rule_set, visit)),
            may_be_used=bool(granted),
        )

    async def _events(self, profile: Profile) -> list[Event]:
        """The latest events of all their ids, newest first."""
        found: list[Event] = []
        for one in (profile.profile_id, *profile.joined_from[-_MOST_BROWSERS:]):
            async with aclosing(self._personalizer.store.history(one)) as history:  # type: ignore[type-var]
                count = 0
                async for event in history:
                    found.append(event)
                    count += 1
                    if count == _MOST_READ:
                        break
        return sorted(found, key=lambda event: event.occurred_at, reverse=True)


def _advice(rule_set: RuleSet, visit: ChannelVisit) -> Iterable[Advice]:
    """What the slots of the till say, with the rule that says so."""
    slots = [slot for slot in rule_set.slots.values() if slot.page == TILL]
    decisions = visit.decide([slot.slot_id for slot in slots])
    said = rule_set.sentences()
    for slot in slots:
        decision = decisions[slot.slot_id]
        rule = next((one for one in slot.rules if one.rule_id == decision.rule_id), None)
        items = tuple(rule_set.library.items[one].title for one in decision.item_ids)
        yield Advice(slot.title or slot.slot_id, items, "" if rule is None else said.rule(rule, slot))


def _read(text: str, declared: EventType | None, name: str) -> object:
    """What was written in a field, as its type takes it."""
    shape: Shape | None = declared.properties.get(name) if declared is not None else None
    if shape is not None and shape.type is ValueType.BOOL:
        return text == "yes"
    return text.strip()
