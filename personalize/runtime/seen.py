"""Slots that came into view, as the script of a page tells it: what it carries, and what is kept of it."""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, Signer

from personalize.decisions.decision import Decision
from personalize.rules.ruleset import RuleSet
from personalize.runtime.page_events import PageEvents, seen_of
from personalize.runtime.page_request import PageRequest
from personalize.runtime.visitor import Visitor
from personalize.visitors.consent import MEASURE_PURPOSE

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

#: How such a slot is counted on the health page.
_SEEN = "seen"
_SAID = re.compile(r"([a-z0-9_-]+):([0-9a-f]+):(\d*):((?:\d+\.)*)", re.ASCII)


class SeenMarks:
    """Writes what a page carries for its script to tell, and reads it when it comes.

    Signed, so that nobody can tell of what never stood on a page (HMAC with SHA-256, by itsdangerous). Rules and items
    are told by their numbers, since their names are nobody's business. A mark says nothing of who looks at the page,
    so one for all may carry it.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._signer = Signer(list(keys), salt="a slot that was seen", digest_method=hashlib.sha256)
        self._written: dict[tuple[str, tuple[str, ...], str | None], str] = {}
        self._version: str | None = None
        self._items: Sequence[str] = ()

    def write(self, decision: Decision, rule_set: RuleSet) -> str:
        """What says that this decision was seen."""
        items = self._items_of(rule_set)
        what = decision.slot_id, decision.item_ids, decision.rule_id
        if what not in self._written:
            rules = [rule_id for _, rule_id in rule_set.rule_keys[decision.slot_id]]
            rule = rules.index(decision.rule_id) if decision.rule_id in rules else ""
            numbers = "".join(f"{items.index(item_id)}." for item_id in decision.item_ids)
            said = f"{decision.slot_id}:{rule_set.version}:{rule}:{numbers}"
            self._written[what] = self._signer.sign(said).decode("ascii")
        return self._written[what]

    def read(self, mark: str, rule_set: RuleSet) -> Decision | None:
        """What was seen; None for what we never wrote. Of a page that another version made, only the slot is known."""
        try:
            said = _SAID.fullmatch(self._signer.unsign(mark).decode("ascii"))
        except (BadSignature, UnicodeError):
            return None
        if said is None:
            return None
        slot_id, version, rule, numbers = said.groups()
        if version != rule_set.version:
            return Decision(slot_id, version=version)
        items = self._items_of(rule_set)
        return Decision(
            slot_id,
            tuple(items[int(number)] for number in numbers.split(".")[:-1]),
            rule_set.rule_keys[slot_id][int(rule)][1] if rule else None,
            version=version,
        )

    def _items_of(self, rule_set: RuleSet) -> Sequence[str]:
        """The items in the order of their numbers."""
        if rule_set.version != self._version:
            self._version, self._items = rule_set.version, sorted(rule_set.library.items)
            self._written.clear()
        return self._items


async def keep_seen(personalizer: "Personalizer", request: PageRequest, seen: Decision, view_id: str) -> None:
    """Count that a slot came into view, and keep it of a visitor who agreed to be measured and is known already, or
    of their arm.

    The request is one of the page's own script. Under the same `view_id` it is kept once, however often it is told.
    """
    visitor = Visitor(personalizer, request, personalizer.clock.now())
    if not personalizer.records or not visitor.is_person:
        return
    personalizer.health.met(((seen.slot_id, _SEEN),))
    identity = visitor.identity
    if (identity.profile_id or identity.arm) is None or (identity.is_new and identity.user_id is None):
        return
    consent = await visitor.settled_consent()
    kept_under = identity.profile_id if consent.permits_identifier else identity.arm
    if kept_under is not None and MEASURE_PURPOSE in (consent.granted or ()):
        personalizer.ingest.put(PageEvents(kept_under, visitor.now, seen.version, told=[seen_of(seen, view_id)]))
