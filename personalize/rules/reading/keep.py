"""Reads `keep` of an event: for how long single events are kept, and whether what they added up to stays."""

from datetime import timedelta

from personalize.durations import parse_duration
from personalize.problems import did_you_mean, quoted
from personalize.rules.reading.reading import Reading
from personalize.yaml_tree import Mapping, Node, Scalar

KEEP_KEYS = ("for", "then")
TOTALS = "totals"
_FORMS = "write keep: 90 days, keep: totals, or both: keep: {for: 90 days, then: totals}"

#: For how long, None for as long as the settings say; and whether the totals stay.
Keep = tuple[timedelta | None, bool]


def read_keep(node: Node | None, what: str, reading: Reading) -> Keep:
    """What `keep` says of the events `what`; what is wrong is said, and counts for nothing."""
    if isinstance(node, Mapping):
        named = f"`keep` of {what}"
        reading.only(node, KEEP_KEYS, named)
        for_, then = node.get("for"), node.get("then")
        if not node.entries:
            reading.problems.error("E213", f"{named} says nothing", node, _FORMS)
        keeps_totals = then is not None and reading.choice(node, "then", (TOTALS,), named) is not None
        return (None if for_ is None else _age(for_, what, reading)), keeps_totals
    if isinstance(node, Scalar) and node.text == TOTALS:
        return None, True
    return (None if node is None else _age(node, what, reading)), False


def _age(node: Node, what: str, reading: Reading) -> timedelta | None:
    if not isinstance(node, Scalar) or node.value is None:
        reading.wrong_kind(node, f"`keep` of {what}", "a length of time, or totals", _FORMS)
        return None
    try:
        age = parse_duration(node.text)
    except ValueError as error:
        guess = did_you_mean(node.text, (TOTALS,))
        reading.problems.error("E215", f"`keep` of {what}: {error}", node, guess or _FORMS)
        return None
    if not age:
        said = f"`keep` of {what}: {quoted(node.text)} keeps none of them"
        reading.problems.error("E215", said, node, "write more than nothing, or take the event out")
        return None
    return age
