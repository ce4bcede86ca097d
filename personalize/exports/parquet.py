"""Parquet, which comes with the extra `personalize[parquet]`: what all files of ours in it have in common."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize.errors import ExportRefused

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are read or written together: what bulk work is given at a time, and what has to fit into memory.
ROWS_OF_A_GROUP = 20_000
_ROWS_OF_A_BATCH = 2_000


def require_parquet() -> None:
    """Raise `ExportRefused` where the library that reads and writes Parquet is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise ExportRefused('what reads and writes Parquet is missing: pip install "personalize[parquet]"')


class ParquetPart:
    """One file that is being written: rows come in groups, of which one at a time is held in memory."""

    def __init__(self, folder: Path, path: str, schema: "pa.Schema") -> None:
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self._schema = schema
        self._file = parquet.ParquetWriter(folder / path, schema, compression="zstd")

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add a group of rows, given as columns."""
        import pyarrow as pa  # noqa: PLC0415 - an extra

        self.write_table(pa.table({name: list(column) for name, column in columns.items()}, schema=self._schema))

    def write_table(self, group: "pa.Table") -> None:
        """Add a group of rows."""
        self._file.write_table(group, row_group_size=max(1, group.num_rows))
        self.rows += group.num_rows

    def close(self) -> tuple[str, int]:
        """Finish; the file by its path in the folder, and its rows."""
        self._file.close()
        return self.path, self.rows


def groups_of(path: Path) -> int:
    """How many groups of rows a file has. Raises `ExportRefused` where it is none."""
    from pyarrow import ArrowException  # noqa: PLC0415 - an extra
    from pyarrow.parquet import read_metadata  # noqa: PLC0415 - an extra

    try:
        groups: int = read_metadata(path).num_row_groups
    except (ArrowException, OSError) as error:
        raise ExportRefused(f"{path} cannot be read: {error}") from error
    return groups


def rows_in(path: Path) -> int:
    """How many rows a file has."""
    from pyarrow.parquet import read_metadata  # noqa: PLC0415 - an extra

    rows: int = read_metadata(path).num_rows
    return rows


def batches_of(path: Path) -> "Iterator[pa.RecordBatch]":
    """All rows of a file, in batches. Raises `ExportRefused` where they can't be read."""
    for group in range(groups_of(path)):
        yield from rows_of_group(path, group)


def rows_of_group(path: Path, group: int) -> "Iterator[pa.RecordBatch]":
    """The rows of one group of a file, in batches. Raises `ExportRefused` where they can't be read."""
    from pyarrow import ArrowException  # noqa: PLC0415 - an extra
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - an extra

    try:
        with ParquetFile(path) as source:
            yield from source.iter_batches(_ROWS_OF_A_BATCH, row_groups=[group])
    except (ArrowException, OSError) as error:
        raise ExportRefused(f"{path} cannot be read: {error}") from error
