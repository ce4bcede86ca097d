"""The profiles of a store in memory that somebody has asked for, decoded once after each write."""

from collections.abc import Mapping

from personalize.profiles.encoding import decode_profile
from personalize.profiles.profile import Profile


class DecodedProfiles:
    """Keeps what was decoded beside the row that it was decoded from, so that it is never older than that.

    Whoever asks gets the same profile. Nobody can change it for others: its parts are read-only, and give what could be
    changed inside of a value as a copy (see `profiles.stored_part`).
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Profile]] = {}

    def profile(self, profile_id: str, rows: Mapping[str, bytes]) -> Profile | None:
        """The profile in the row of this id; None where there is no such row."""
        row, known = rows.get(profile_id), self._known.get(profile_id)
        if row is None:
            return None
        if known is None or known[0] is not row:
            known = self._known[profile_id] = (row, decode_profile(row))
        return known[1]

    def forget(self) -> None:
        """Let go of all, also of what there is no row of any more."""
        self._known.clear()
