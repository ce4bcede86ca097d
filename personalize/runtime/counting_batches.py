"""Counting segments over exported profiles, batch by batch: the one function that all runners map.

Processes of this machine give it the groups of rows of the files, Apache Spark the batches of its partitions. It needs
nothing but the batches and its task, so it counts the same on whichever machine.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from personalize.errors import ExportRefused
from personalize.exports.manifest import Manifest
from personalize.exports.profile_files import profiles_of
from personalize.profiles.organization import Organization
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import SegmentCount
from personalize.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

#: The columns of what is counted: a segment and its visitors. All visitors have a row without a segment.
SEGMENT, VISITORS = "segment", "visitors"


def count_batches(
    batches: "Iterable[pa.RecordBatch]", rule_set: RuleSet, settings: Settings, now: datetime
) -> "Iterator[pa.RecordBatch]":
    """One batch with the members of each segment among the profiles of all these, and with how many there are."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    belonging = rule_set.belonging
    count = SegmentCount(rule_set, settings, now)
    for batch in batches:
        for profile, organization in profiles_of(batch):
            named = None if belonging is None else belonging.organization_id(profile)
            count.add(profile, None if named is None else organization or Organization(named))
    members = count.members
    yield pa.RecordBatch.from_pydict(
        {SEGMENT: [*members, None], VISITORS: [*members.values(), count.visitors]}, schema=counted_schema()
    )


def counted_schema() -> "pa.Schema":
    """The columns of what is counted."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.schema([pa.field(SEGMENT, pa.string()), pa.field(VISITORS, pa.int64(), nullable=False)])


def added_up(counted: "Iterable[pa.RecordBatch]", rule_set: RuleSet) -> tuple[Mapping[str, int], int]:
    """The visitors of each segment, and of all, in what `count_batches` made of several parts."""
    sums = dict.fromkeys(rule_set.segments, 0)
    everybody = 0
    for batch in counted:
        for segment, visitors in zip(*(batch.column(name).to_pylist() for name in (SEGMENT, VISITORS)), strict=True):
            if segment is None:
                everybody += visitors
            else:
                sums[segment] += visitors
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
