"""Times that a clock on the wall shows twice, or never, since it is put back or forward."""

from datetime import UTC, datetime, tzinfo


def clock_remark(text: str, zone: tzinfo) -> str | None:
    """A sentence on how a written date or time is read where the zone's clock shows it twice or never; None for all
    others, and for what is no such text."""
    try:
        written = datetime.fromisoformat(text)
        first, second = (written.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        return None
    if written.tzinfo is not None or first == second:
        return None
    taken = first.astimezone(zone)
    if first > second:
        return (
            f"{text} does not exist in {zone}, since the clock is put forward there: taken as {taken:%Y-%m-%d %H:%M %Z}"
        )
    other = f"{second.astimezone(zone):%z}"
    return (
        f"{text} comes twice in {zone}, since the clock is put back: taken as the first of the two ({taken:%Z}); "
        f"for the second write {text}{other[:3]}:{other[3:]}"
    )
