"""Facts that can't be answered just now, and the conditions that are silent for as long."""

from collections.abc import Sequence
from enum import Enum

from personalize.rules.conditions import Condition, Leaf, questions
from personalize.rules.index.postings import bit_mask


class Unanswerable(Enum):
    """What stands in place of a fact's value that nobody can tell now.

    It is not a missing value, which is "no" to a question and so "yes" to its `not`: a condition that reads such
    a fact, through segments too, does not match, whatever `not` surrounds it.
    """

    #: What the log holds of it is still being counted.
    PENDING = "pending"
    #: The site's own code that tells it has raised an error.
    RAISED = "raised"


class Dependents:
    """Which bits of the index belong to conditions that read a fact, themselves or through segments."""

    def __init__(self) -> None:
        self._reading: dict[str, list[tuple[Sequence[int], str | None]]] = {}
        self._naming: dict[str, list[tuple[Sequence[int], str | None]]] = {}
        self._known: dict[str, int] = {}

    def note(self, condition: Condition, bits: Sequence[int], segment_id: str | None = None) -> None:
        """Note a condition with its bits, and the segment that it defines if it defines one."""
        reader = (bits, segment_id)
        for question in questions(condition):
            if isinstance(question, Leaf):
                self._reading.setdefault(question.fact.name, []).append(reader)
            else:
                self._naming.setdefault(question.segment_id, []).append(reader)

    def of(self, fact_name: str) -> int:
        """The bits of all conditions that read this fact, as a mask; worked out when first asked for."""
        known = self._known.get(fact_name)
        if known is None:
            known = self._known[fact_name] = self._found(fact_name)
        return known

    def _found(self, fact_name: str) -> int:
        found: set[int] = set()
        waiting, met = list(self._reading.get(fact_name, ())), set[str]()
        while waiting:
            bits, segment_id = waiting.pop()
            found.update(bits)
            if segment_id is not None and segment_id not in met:
                met.add(segment_id)
                waiting += self._naming.get(segment_id, ())
        return bit_mask(found)
