"""Names of a site's own facts beside the language and what its rule files declare."""

from collections.abc import Mapping

from personalize.problems import Problems, quoted
from personalize.rules.facts import BUILT_IN_ROOTS, Facts
from personalize.rules.own_facts import OwnFact
from personalize.rules.reading.gaps import Gaps

#: What stands where a fact could stand, and means something else.
_WORDS = frozenset({"any", "all", "not", "segment", "did", "percentage", "where", "times", "within"})


def check_own_names(own: Mapping[str, OwnFact], declared: Facts, gaps: Gaps, problems: Problems) -> None:
    """Collect own facts that are called like something else, or read what is no fact.

    `declared` are the facts without the site's own.
    """
    for number, (name, fact) in enumerate(own.items()):
        root = name.partition(".")[0]
        if root in BUILT_IN_ROOTS or name in _WORDS or declared.get(name) is not None:
            problems.error(
                "E251",
                f"the site's own fact {quoted(name)} is called like something else",
                hint="choose another name in the site's code, such as shop.open_now",
            )
        earlier = tuple(own)[:number]
        for read in fact.reads:
            if read not in earlier and declared.get(read) is None and not gaps.may_define_fact(read):
                problems.error(
                    "E252",
                    f"the site's own fact {quoted(name)} reads {quoted(read)}, which is not a fact we know",
                    hint=declared.hint(read, earlier),
                )
