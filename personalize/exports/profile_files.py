"""Profiles as Parquet: what segments are counted over where there are more visitors than one machine should count.

A row is a profile as the store keeps it, in bytes, and beside it the organization that the visitor belongs to, and what
the log keeps of their latest page view: so each row can be counted, and asked what it would be shown, by itself, on
whichever machine. Files and groups of rows are of a size that bulk work hands out.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from personalize.events.event import JSONValue
from personalize.exports.parquet import ROWS_OF_A_GROUP, ParquetPart
from personalize.profiles.encoding import decode_organization, decode_profile, encode_organization, encode_profile
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "profiles"
PROFILE_ID = "profile_id"
PROFILE = "profile"
ORGANIZATION = "organization"
LATEST_PAGE = "latest_page"
_ROWS_OF_A_PART = 10 * ROWS_OF_A_GROUP


def profile_schema() -> "pa.Schema":
    """The columns: the id, the whole profile in bytes, its organization in bytes, null where there is none, and the
    latest page view as JSON, null for whoever was on no page."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.schema(
        [
            pa.field(PROFILE_ID, pa.string(), nullable=False),
            pa.field(PROFILE, pa.binary(), nullable=False),
            pa.field(ORGANIZATION, pa.binary()),
            pa.field(LATEST_PAGE, pa.binary()),
        ]
    )


class ExportedProfile(NamedTuple):
    """A profile, what it belongs to, and what is known of the latest page view."""

    profile: Profile
    organization: Organization | None
    latest_page: Mapping[str, JSONValue] | None


class ProfileWriter:
    """Writes profiles to files in the folder of an export: `profiles/part-0001.parquet`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[tuple[str, bytes, bytes | None, bytes | None]] = []
        self._part: ParquetPart | None = None
        self._done: list[tuple[str, int]] = []

    def write(self, one: ExportedProfile) -> None:
        """Add a profile with what stands beside it."""
        self._rows.append(profile_row(one))
        if len(self._rows) == ROWS_OF_A_GROUP:
            self._write()

    def close(self) -> Sequence[tuple[str, int]]:
        """Finish; the files by their paths in the folder, and their rows."""
        if self._rows:
            self._write()
        self._finish()
        return self._done

    def _write(self) -> None:
        if self._part is None:
            path = f"{FOLDER}/part-{len(self._done) + 1:04}.parquet"
            self._part = ParquetPart(self._folder, path, profile_schema())
        self._part.write(dict(zip(profile_schema().names, zip(*self._rows, strict=True), strict=True)))
        self._rows.clear()
        if self._part.rows >= _ROWS_OF_A_PART:
            self._finish()

    def _finish(self) -> None:
        if self._part is not None:
            self._done.append(self._part.close())
            self._part = None


def profiles_of(batch: "pa.RecordBatch") -> Iterator[ExportedProfile]:
    """The profiles of a batch of rows. Exports of older versions know no page views."""
    names = [name for name in (PROFILE, ORGANIZATION, LATEST_PAGE) if name in batch.schema.names]
    for profile, organization, *page in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
        yield ExportedProfile(
            decode_profile(profile),
            None if organization is None else decode_organization(organization),
            orjson.loads(page[0]) if page and page[0] is not None else None,
        )


def profile_row(one: ExportedProfile) -> tuple[str, bytes, bytes | None, bytes | None]:
    """The values of its columns."""
    return (
        one.profile.profile_id,
        encode_profile(one.profile),
        None if one.organization is None else encode_organization(one.organization),
        None if one.latest_page is None else orjson.dumps(one.latest_page),
    )
