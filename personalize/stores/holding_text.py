"""What projections hold, as text and back."""

import json
from types import MappingProxyType

from personalize.profiles.holding import Holding


def holding_as_text(holding: Holding) -> str:
    """JSON text, the same for equal holdings, that `holding_from_text` turns into an equal one."""
    parts = {
        "counters": dict(holding.counters),
        "values": sorted(map(list, holding.values)),
        "interests": sorted(map(list, holding.interests)),
        "memberships": sorted(map(list, holding.memberships)),
        "searchable": sorted(holding.searchable),
    }
    return json.dumps(parts, separators=(",", ":"), sort_keys=True)


def holding_from_text(text: str) -> Holding:
    """The holding that was written."""
    parts = json.loads(text)
    values = frozenset((event_type, name) for event_type, name in parts["values"])
    interests = frozenset((event_type, path) for event_type, path in parts.get("interests", ()))
    memberships = frozenset((name, purpose) for name, purpose in parts.get("memberships", ()))
    searchable = frozenset(parts.get("searchable", ()))
    return Holding(MappingProxyType(parts["counters"]), values, interests, memberships, searchable)
