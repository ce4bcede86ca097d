"""What a rule set would show to many visitors, and what changes against another: numbers that add up over parts."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from personalize.decisions.context import RequestFacts
from personalize.decisions.reach import ChangeCount, Decisions, ReachCount
from personalize.exports.profile_files import ExportedProfile
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.rules.facts import OWN_ROOT
from personalize.rules.ruleset import RuleSet
from personalize.rules.unanswerable import Unanswerable
from personalize.runtime.bulk.counting_batches import exported_organization
from personalize.runtime.bulk.drawing import Place, place_of, was_seen
from personalize.runtime.latest_visit import page_since, reads_page, visiting
from personalize.runtime.offline import visitor_context
from personalize.settings import Settings

_OWN, _BEFORE, _CHANGES, _RAISED, _WITH_PAGE = "own", "before", "changes", "raised", "with page"


class Side:
    """One of the two rule sets that are asked. `raised` counts the visitors for whom one of the site's own facts raised
    an error, by its name."""

    def __init__(self, rule_set: RuleSet, settings: Settings, moment: datetime) -> None:
        self.rule_set = rule_set
        self.count = ReachCount(rule_set)
        self.raised: Counter[str] = Counter()
        self._own_names = tuple(name for name, fact in rule_set.facts.items() if fact.root == OWN_ROOT)
        self._settings = settings
        self._moment = moment

    def ask(self, profile: Profile, page: RequestFacts | None, organization: Organization | None) -> Decisions:
        """What this visitor would be shown on a page of their latest visit."""
        context = visitor_context(
            profile.profile_id,
            visiting(profile, self._moment),
            self.rule_set,
            self._settings,
            now=self._moment,
            facts=page or RequestFacts(),
            organization=organization,
        )
        shown = self.count.ask(context)
        for name in self._own_names:
            self.raised[name] += context[name] is Unanswerable.RAISED
        return shown


class SimulationCount:
    """Asks visitors who were seen `since` then what they would be shown at the `moment`, and counts it.

    `against` is the rule set to compare with, `before` what was asked of it; None where there is none. `visitors` is
    how many were asked, `with_page` how many of these had a page view to be asked about. Of exported visitors those up
    to the `last` place in the draw are asked (`drawing`), by default everybody.
    """

    def __init__(
        self,
        rule_set: RuleSet,
        against: RuleSet | None,
        settings: Settings,
        *,
        moment: datetime,
        since: datetime,
        last: Place | None = None,
    ) -> None:
        self.own = Side(rule_set, settings, moment)
        self.before = None if against is None else Side(against, settings, moment)
        self.changes = None if against is None else ChangeCount(against, rule_set)
        self.reads_page = reads_page(rule_set) or (against is not None and reads_page(against))
        self.visitors = 0
        self.with_page = 0
        self._since = since
        self._last = last

    def ask(self, profile: Profile, page: RequestFacts | None, organization: Organization | None) -> Decisions:
        """Ask the rules about one visitor."""
        self.visitors += 1
        self.with_page += page is not None
        return self.own.ask(profile, page, organization)

    def compare(
        self, profile: Profile, page: RequestFacts | None, organization: Organization | None, shown: Decisions
    ) -> None:
        """Count whether this visitor, who is `shown` this, is shown something else by the rules to compare with."""
        assert self.before is not None
        assert self.changes is not None
        self.changes.compare(self.before.ask(profile, page, organization), shown)

    def add(self, row: ExportedProfile) -> None:
        """Ask both about an exported visitor."""
        profile = row.profile
        is_drawn = self._last is None or place_of(profile.profile_id) >= self._last
        if is_drawn and was_seen(profile, self._since):
            page = page_since(row.latest_page, self._since) if self.reads_page else None
            shown = self.ask(profile, page, exported_organization(row, self.own.rule_set))
            if self.before is not None:
                self.compare(profile, page, exported_organization(row, self.before.rule_set), shown)

    @property
    def counted(self) -> Mapping[str, int]:
        """All that was counted, each number with its name; `visitors` stands apart."""
        parts = [((_OWN, *key), number) for key, number in self.own.count.counted()]
        parts += [((_RAISED, name), number) for name, number in self.own.raised.items()]
        if self.before is not None and self.changes is not None:
            parts += [((_BEFORE, *key), number) for key, number in self.before.count.counted()]
            parts += [((_CHANGES, *key), number) for key, number in self.changes.counted()]
        parts.append(((_WITH_PAGE,), self.with_page))
        return {json.dumps(key): number for key, number in parts if number}

    def plus(self, counted: Mapping[str, int], visitors: int) -> None:
        """Add what was counted elsewhere."""
        self.visitors += visitors
        for name, number in counted.items():
            what, *key = json.loads(name)
            if what == _OWN:
                self.own.count.add(tuple(key), number)
            elif what == _RAISED:
                self.own.raised[key[0]] += number
            elif what == _WITH_PAGE:
                self.with_page += number
            elif what == _BEFORE and self.before is not None:
                self.before.count.add(tuple(key), number)
            elif self.changes is not None:
                self.changes.add(tuple(key), number)
