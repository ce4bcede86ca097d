"""The profiles of rows that somebody has read, so that who reads the same row again has no work with it."""

from personalize.profiles.encoding import decode_profile
from personalize.profiles.profile import Profile


class DecodedProfiles:
    """Keeps what was decoded beside the row that it was decoded from, so that it is never older than what is stored: a
    page asks for its visitor's row each time, and each of its fragments does.

    Whoever asks gets the same profile. Nobody can change it for others: its parts are read-only, and give what could be
    changed inside of a value as a copy (see `profiles.stored_part`).
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Profile]] = {}

    def profile(self, profile_id: str, row: bytes) -> Profile:
        """The profile in this row, which is the one of this id."""
        known = self._known.get(profile_id)
        if known is None or known[0] != row:
            known = self._known[profile_id] = (row, decode_profile(row))
        return known[1]

    def forget(self) -> None:
        """Let go of all, also of what there is no row of any more."""
        self._known.clear()
