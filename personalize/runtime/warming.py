"""A rule set is asked for some stored visitors before it is served, so that the first pages find what they need."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from personalize.errors import StoreError
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import visitor_context
from personalize.runtime.quiet_loading import short_turns
from personalize.settings import Settings
from personalize.stores.protocols import Store

#: How many stored visitors are asked about; most values come again and again.
MOST_ASKED = 500


async def warm(rule_set: RuleSet, store: Store, settings: Settings, *, now: datetime) -> int:
    """Ask all conditions of some stored visitors, beside the pages that are served; the number of visitors.

    Nothing is decided and nothing kept but what the index remembers of values. A store that can't be read now leaves
    the rule set as cold as it is.
    """
    profiles: list[Profile] = []
    try:
        async for profile in store.profiles():
            profiles.append(profile)
            if len(profiles) == MOST_ASKED:
                break
    except StoreError:
        return 0
    await asyncio.to_thread(_ask, profiles, rule_set, settings, now)
    return len(profiles)


def _ask(profiles: Sequence[Profile], rule_set: RuleSet, settings: Settings, now: datetime) -> None:
    index = rule_set.index
    with short_turns():
        whole = index.reach(index.bits, rule_set.segments)
        for profile in profiles:
            context = visitor_context(profile.profile_id, profile, rule_set, settings, now=now)
            context.answers(index, whole)
