"""Somebody who is met elsewhere than on a page: in a mail, at the till, on the phone, in an app."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, Reason
from personalize.decisions.explain import explain
from personalize.decisions.explanation import Explanation
from personalize.events.event import IMPRESSION, Event
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.runtime.own_facts import OwnFactsAsked
from personalize.runtime.page_events import filling_of, impression_of
from personalize.visitors.consent import MEASURE_PURPOSE, Consent
from personalize.visitors.identity import Identity

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


class ChannelVisit:
    """One visitor in one channel at one moment, as the live rules see them: decided by the same function as a page.

    What holds is the consent that is stored. Where none is, it is the one that the channel knows of (`agreed`), as from
    a contract; where that is None, too, nothing that is stored counts. `facts` is what the channel tells of the
    occasion, `organization` what they belong to (`offline.organization_of`).
    """

    def __init__(
        self,
        personalizer: "Personalizer",
        rule_set: RuleSet,
        profile_id: str,
        profile: Profile | None,
        *,
        agreed: Consent,
        facts: RequestFacts,
        organization: Organization | None = None,
    ) -> None:
        self._personalizer = personalizer
        self.rule_set = rule_set
        self.profile_id = profile_id
        self.profile = profile
        self.now: datetime = personalizer.clock.now()
        stored = profile.consent if profile is not None else Consent()
        self.consent = stored if stored.decided else agreed
        self.context: Context = make_context(
            rule_set.ground,
            personalizer.lifecycle,
            identity=Identity(profile_id=profile_id, consent=self.consent),
            profile=profile,
            facts=facts,
            now=self.now,
            pending=personalizer.pending,
            own=self._own_answers(),
            organization=organization,
        )

    def decide(self, slot_ids: Sequence[str]) -> Mapping[str, Decision]:
        """What these slots show, together, so that no item stands in two of them."""
        decisions: dict[str, Decision] = {}
        for slot_id in slot_ids:
            if slot_id in decisions:
                continue
            page = None if self._personalizer.off else self.rule_set.pages.get(slot_id)
            if page is None:
                decisions[slot_id] = Decision(slot_id, reason=Reason.DEFAULT, version=self.rule_set.version)
                continue
            shown = frozenset(item_id for one in decisions.values() for item_id in one.item_ids)
            decisions.update(decide(page, self.context, self.rule_set, shown=shown))
        return {slot_id: decisions[slot_id] for slot_id in slot_ids}

    def explain(self, slot_id: str, *, misses: bool = True) -> Explanation:
        """Why a slot of the rule set shows what it shows."""
        return explain(slot_id, self.context, self.rule_set, misses=misses)

    def markup(self, item_id: str) -> str:
        """An item as a page would show it to this visitor."""
        rendering = self.rule_set.library.items[item_id].rendering
        return rendering.markup(self.context.attributes if rendering.attributes else _NO_VALUES)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that the visitor is in now."""
        index, segments = self.rule_set.index, self.rule_set.segments
        reach = index.reach((), segments)
        members = self.context.answers(index, reach).members
        return tuple(one for one in segments if members >> index.segments.number[one] & 1)

    def impression(self, decisions: Sequence[Decision], event_id: str, *, sender: str, channel: str) -> Event | None:
        """The event that tells of these decisions having been shown; None without the visitor's consent to measure. Nor
        is there one of those who gave no other: nobody is known by what they saw."""
        shown = [filling_of(one) for one in decisions if one.item_ids]
        if not shown or not self.consent.allows(MEASURE_PURPOSE) or self.consent.only_measures:
            return None
        told = impression_of(shown)
        return self._personalizer.event(
            IMPRESSION, self.profile_id, told, event_id=event_id, sender=sender, channel=channel
        )

    def _own_answers(self) -> OwnFactsAsked | None:
        own_facts, now = self._personalizer.own_facts, self._personalizer.clock.now()
        if not own_facts:
            return None
        failed = self._personalizer.health.failed
        return OwnFactsAsked(
            own_facts,
            self.rule_set.conventions,
            now,
            scope=None,
            failed=lambda what, error: failed(what, error, now),
        )
