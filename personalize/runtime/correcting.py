"""Taking back what was recorded: an event that did not happen, one that tells nothing of a taste, a join."""

from typing import TYPE_CHECKING

from personalize.errors import EventRefused
from personalize.events.event import JOIN, Event, EventName
from personalize.problems import quoted
from personalize.profiles.in_force import UNDO_WITHIN, anonymous_of
from personalize.stores.protocols import Store

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

NO_SUCH_JOIN = "E312"
TOO_LATE_TO_UNDO = "E313"


async def correct(personalizer: "Personalizer", type_: str, profile_id: str, name: EventName) -> bool:
    """Record a correction of an event of this visitor; whether there is such an event by now.

    One that is not there is corrected when it comes. Another visitor's, a consent, a join and a correction are none.
    """
    sender, event_id = name
    told = personalizer.event(type_, profile_id, {"sender": sender, "event_id": event_id}, sender="site")
    await personalizer.record_event(told)
    profile = await personalizer.store.profile(profile_id)
    if profile is None or name not in profile.ties.awaits:
        return True
    personalizer.health.failed("a correction names no event of its visitor", None, personalizer.clock.now())
    return False


async def check_undo(store: Store, undo: Event) -> None:
    """Raise `EventRefused` for the undoing of a join that there was not, or that has stood for too long."""
    profile_id, browser = undo.profile_id, undo.properties["from"]
    both = f"{quoted(profile_id)} has not taken {quoted(str(browser))} over"
    if anonymous_of(undo) is None:
        raise EventRefused(NO_SUCH_JOIN, f"{both}: a login (u:) takes over a browser (v:)", "from")
    joined = await _latest_join(store, undo)
    if joined is None:
        raise EventRefused(NO_SUCH_JOIN, both, "from")
    if undo.occurred_at - joined.occurred_at > UNDO_WITHIN:
        ago, most = (undo.occurred_at - joined.occurred_at).days, UNDO_WITHIN.days
        reason = f"{quoted(profile_id)} took {quoted(str(browser))} over {ago} days ago: after {most} days that stays"
        raise EventRefused(TOO_LATE_TO_UNDO, reason, "from")


async def _latest_join(store: Store, undo: Event) -> Event | None:
    """The join that an undo is about: of several of the same two profiles the one that occurred last."""
    latest: Event | None = None
    async for event in store.history(undo.profile_id):
        if event.type == JOIN and anonymous_of(event) == undo.properties["from"]:
            latest = event if latest is None or event.occurred_at > latest.occurred_at else latest
    return latest
