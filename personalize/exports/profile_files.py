"""Profiles as Parquet: what segments are counted over where there are more visitors than one machine should count.

A row is a profile as the store keeps it, in bytes, and beside it the organization that the visitor belongs to: so each
row can be counted by itself, on whichever machine. Files and groups of rows are of a size that bulk work hands out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
_ROWS_OF_A_PART = 10 * ROWS_OF_A_GROUP


def profile_schema() -> "pa.Schema":
    """The columns: the id, the whole profile in bytes, and its organization in bytes, null where there is none."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.schema(
        [
            pa.field(PROFILE_ID, pa.string(), nullable=False),
            pa.field(PROFILE, pa.binary(), nullable=False),
            pa.field(ORGANIZATION, pa.binary()),
        ]
    )


class ProfileWriter:
    """Writes profiles to files in the folder of an export: `profiles/part-0001.parquet`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[tuple[str, bytes, bytes | None]] = []
        self._part: ParquetPart | None = None
        self._done: list[tuple[str, int]] = []

    def write(self, profile: Profile, organization: Organization | None) -> None:
        """Add a profile, and what it belongs to."""
        beside = None if organization is None else encode_organization(organization)
        self._rows.append((profile.profile_id, encode_profile(profile), beside))
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


def profiles_of(batch: "pa.RecordBatch") -> Iterator[tuple[Profile, Organization | None]]:
    """The profiles of a batch of rows, each with what it belongs to."""
    for profile, organization in zip(
        batch.column(PROFILE).to_pylist(), batch.column(ORGANIZATION).to_pylist(), strict=True
    ):
        yield decode_profile(profile), None if organization is None else decode_organization(organization)
