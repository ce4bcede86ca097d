"""The unit of splits: the id that decides where a visitor stands in them. Made once, and carried over by a join."""

from personalize.profiles.profile import Profile


def unit_of(profile_id: str | None, profile: Profile | None, joins: str | None = None) -> str | None:
    """The unit of whoever is looking, or None for nobody: their own id, unless they brought one along from before a
    login. `joins` is the anonymous profile that the login on this page takes over, before the log knows of it."""
    if profile_id is not None and joins is not None and not _has_looked(profile):
        return joins
    return profile_id if profile is None or profile.unit is None else profile.unit


def unit_after_join(known: Profile, anonymous: Profile) -> str | None:
    """The unit that a known profile has after a join: its own, if anything was ever shown to it; else the one by which
    splits have placed the browser so far. None stands for the profile's own id."""
    if known.unit is not None or _has_looked(known):
        return known.unit
    return anonymous.unit or anonymous.profile_id


def is_of_two(known: Profile, anonymous: Profile) -> bool:
    """Whether splits have placed somebody by two units, each of which had looked at something: reports leave out such
    people."""
    return known.of_two_units or anonymous.of_two_units or (_has_looked(known) and _has_looked(anonymous))


def _has_looked(profile: Profile | None) -> bool:
    return profile is not None and (profile.unit is not None or (profile.visit is not None and profile.visit.pages > 0))
