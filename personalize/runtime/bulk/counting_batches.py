"""Counting over exported profiles, batch by batch: the one function that all runners map.

Processes of this machine give it the groups of rows of the files, Apache Spark the batches of its partitions. It needs
nothing but the batches and a count that is still empty, so it counts the same on whichever machine.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from personalize.errors import ExportRefused
from personalize.exports.manifest import Manifest
from personalize.exports.profile_files import ExportedProfile, profiles_of
from personalize.profiles.organization import Organization
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import SegmentCount
from personalize.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

#: The columns of what is counted: what, and of how many visitors. All visitors have a row without a name.
WHAT, VISITORS = "what", "visitors"


class Count(Protocol):
    """Something that is counted over profiles."""

    @property
    def visitors(self) -> int:
        """How many visitors there were."""

    @property
    def counted(self) -> Mapping[str, int]:
        """The numbers, by names of their own; those of several parts add up."""

    def add(self, row: ExportedProfile) -> None:
        """Count one profile."""


class ExportedSegments:
    """Counts the members of each segment."""

    def __init__(self, rule_set: RuleSet, settings: Settings, now: datetime) -> None:
        self._rule_set = rule_set
        self._count = SegmentCount(rule_set, settings, now)

    @property
    def visitors(self) -> int:
        """How many visitors there were."""
        return self._count.visitors

    @property
    def counted(self) -> Mapping[str, int]:
        """The members of each segment, by its id."""
        return self._count.members

    def add(self, row: ExportedProfile) -> None:
        """Count one profile."""
        self._count.add(row.profile, exported_organization(row, self._rule_set))


def exported_organization(row: ExportedProfile, rule_set: RuleSet) -> Organization | None:
    """What an exported visitor belongs to; None where no rule asks for it."""
    named = None if rule_set.belonging is None else rule_set.belonging.organization_id(row.profile)
    return None if named is None else row.organization or Organization(named)


def count_batches(batches: "Iterable[pa.RecordBatch]", count: Count) -> "Iterator[pa.RecordBatch]":
    """One batch with all that is counted over the profiles of these, and with how many visitors there are."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    for batch in batches:
        for row in profiles_of(batch):
            count.add(row)
    counted = count.counted
    yield pa.RecordBatch.from_pydict(
        {WHAT: [*counted, None], VISITORS: [*counted.values(), count.visitors]}, schema=counted_schema()
    )


def counted_schema() -> "pa.Schema":
    """The columns of what is counted."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.schema([pa.field(WHAT, pa.string()), pa.field(VISITORS, pa.int64(), nullable=False)])


def added_up(counted: "Iterable[pa.RecordBatch]") -> tuple[Mapping[str, int], int]:
    """The numbers of all parts by their names, and the number of all visitors, in what `count_batches` made of
    several."""
    sums: Counter[str] = Counter()
    everybody = 0
    for batch in counted:
        for what, visitors in zip(*(batch.column(name).to_pylist() for name in (WHAT, VISITORS)), strict=True):
            if what is None:
                everybody += visitors
            else:
                sums[what] += visitors
    return sums, everybody


def refuse_lacking(manifest: Manifest, rule_set: RuleSet) -> None:
    """Raise `ExportRefused` where an export holds no profiles, or none that tell all that these rules count."""
    if manifest.holding is None:
        raise ExportRefused(
            'the export holds no profiles: "personalize export" writes them with --what profiles or all'
        )
    if not manifest.holding.covers(rule_set.needed):
        raise ExportRefused(
            "the exported profiles do not hold all that these rules count: publish the rules, wait until nothing is "
            "pending, and export again"
        )
