"""Drawing a sample of visitors: the same ones each time, whatever the rules, and however the work is shared out."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from personalize.exports.profile_files import ExportedProfile
from personalize.hashing import share
from personalize.profiles.profile import Profile
from personalize.runtime.offline import is_visitor

#: Names the split that samples are drawn by.
_SAMPLE = "simulate"
#: Where a visitor stands in the draw; those with the largest are drawn.
Place: TypeAlias = tuple[float, str]
#: How many times the places that are asked for may be expected to come, so that too few are rare.
_AMPLE = 2.0


def place_of(profile_id: str) -> Place:
    """The place of a visitor: by a hash of the id."""
    return -share(_SAMPLE, profile_id), profile_id


def was_seen(profile: Profile, since: datetime) -> bool:
    """Whether a profile stands for a visitor who was seen since then: of these samples are drawn."""
    return profile.last_seen_at is not None and profile.last_seen_at >= since and is_visitor(profile)


def ample_share(sample: int, profiles: int) -> float:
    """Of so many profiles, of whom not all were seen, the share in which the sample most likely is."""
    return min(1.0, _AMPLE * sample / max(profiles, 1))


class DrawCount:
    """Notes the places of exported visitors in the first `share` of the draw, and counts all who were seen `since`.

    The places are names, as everything is that parts add up: each counts for itself.
    """

    def __init__(self, since: datetime, first: float) -> None:
        self.visitors = 0
        self.counted: dict[str, int] = {}
        self._since = since
        self._first = first

    def add(self, row: ExportedProfile) -> None:
        """Note a visitor, if they are among them."""
        if was_seen(row.profile, self._since):
            self.visitors += 1
            place = place_of(row.profile.profile_id)
            if -place[0] < self._first:
                self.counted[json.dumps(place)] = 1


def last_drawn(counted: Iterable[str], sample: int) -> Place | None:
    """The last place that is in a sample of so many, in what `DrawCount` has noted; None where it has too few."""
    places = sorted((tuple(json.loads(name)) for name in counted), reverse=True)
    return places[sample - 1] if len(places) >= sample else None
