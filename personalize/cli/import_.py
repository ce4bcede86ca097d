"""`personalize import`: what happened elsewhere, from a file, into the log."""

import asyncio
import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import click

from personalize.cli.exported import import_folder, refuse_mapping
from personalize.cli.findings import Failed, Findings
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph, terminal_width
from personalize.errors import StoreError
from personalize.problems import Problems, quoted
from personalize.runtime.copies.importing import EventMaker, Imported, ImportWriter, import_rows
from personalize.runtime.copies.parquet_rows import ParquetRows
from personalize.runtime.copies.row_mapping import (
    PREFIXES,
    RowMapping,
    Written,
    check_mapping,
    layout_from,
    read_mapping,
)
from personalize.runtime.copies.rows import ENCODINGS, FORMATS, RefusedRow, RowFile, Rows
from personalize.yaml_tree import read_text

MOST_SHOWN = 20
_TABS = ("tab", "\\t")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE_OR_FOLDER = click.Path(exists=True, path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE_OR_FOLDER)
@click.option("--map", "map_file", type=_FILE, metavar="MAPPING", help="A small YAML file that says all of the below.")
@click.option("--event", metavar="NAME", help="Which event the rows are, such as purchase.")
@click.option("--visitor-column", metavar="COLUMN", help="The column that tells whose a row is.")
@click.option(
    "--visitor-prefix",
    type=click.Choice(PREFIXES),
    metavar="PREFIX",
    help='What goes before it: "u:" for logins (the usual), "v:" for browsers, "" where it is there already.',
)
@click.option("--time-column", metavar="COLUMN", help="The column that tells when it happened.")
@click.option(
    "--time-format", metavar="FORMAT", help="How times are written: %d.%m.%Y, unix, unix-ms; else 2026-12-24."
)
@click.option("--id-column", metavar="COLUMN", help="A column with an id of the row; else its content is its id.")
@click.option(
    "--property", "pairs", multiple=True, metavar="NAME=COLUMN", help="A property of the event; may be repeated."
)
@click.option(
    "--attribute", "told", multiple=True, metavar="NAME=COLUMN", help="An attribute that rows tell; may be repeated."
)
@click.option("--organization-column", metavar="COLUMN", help="The column that names the organization it is told of.")
@click.option(
    "--format", "format", type=click.Choice(FORMATS), help="How rows are written; else the file's ending tells."
)
@click.option(
    "--header/--no-header", "has_header", default=None, help="Whether the first row holds the columns' names."
)
@click.option("--delimiter", metavar="CHARACTER", help='Between two cells of a CSV: "," or ";" or "tab".')
@click.option("--encoding", type=click.Choice(ENCODINGS), help="How letters are written; else utf-8.")
@click.option("--sender", metavar="NAME", help="Who sends the rows; an id counts once a sender. Else import:EVENT.")
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every refused row to this CSV file, with its line and the reason.",
)
@pass_site
def import_(site: Site, /, file: Path, map_file: Path | None, refused_file: Path | None, **said: Any) -> None:
    """Read what happened elsewhere from FILE, a CSV, JSON Lines, Parquet or a table with blanks, into the log.

    Each row becomes one event, or tells attributes. Columns are called by the names in the first row, or counted from
    1 with --no-header. Importing a file twice counts nothing twice, and a broken row never stops the others: it is
    said which and why. Ends with 1 where rows were refused.

    A folder that "personalize export" wrote needs no mapping: its events come in as they were, with their rule sets.
    """
    if file.is_dir():
        refuse_mapping(click.get_current_context())
        import_folder(site, file)
        return
    problems = Problems()
    mapping = _with_options(_read_map(map_file, problems), said)
    try:
        with file.open("rb") as source, _refusals(refused_file) as refusals:
            done = asyncio.run(_import(site, mapping, source, file, refusals, problems))
    except OSError as error:
        raise Failed(f"{error.filename or file} cannot be used: {error.strerror}") from error
    refusals.show(refused_file)
    click.echo(f"{counted(done.rows, 'row')}: {done.new:,} new, {done.known:,} known already, {done.refused:,} refused")
    if done.refused:
        raise click.exceptions.Exit(Findings.exit_code)


def _read_map(path: Path | None, problems: Problems) -> RowMapping:
    text = read_text(path, str(path), problems) if path is not None else None
    return RowMapping() if text is None else read_mapping(text, str(path), problems)


def _with_options(mapping: RowMapping, said: Mapping[str, Any]) -> RowMapping:
    """The mapping with what the command line says, which counts before the file."""
    words = {
        "event": said["event"],
        "visitor": said["visitor_column"],
        "time": said["time_column"],
        "time_format": said["time_format"],
        "event_id": said["id_column"],
        "organization": said["organization_column"],
    }
    plain = {
        "prefix": said["visitor_prefix"],
        "sender": said["sender"],
        "format": said["format"],
        "has_header": said["has_header"],
        "delimiter": _delimiter(said["delimiter"]),
        "encoding": said["encoding"],
    }
    given: dict[str, Any] = {name: Written(text) for name, text in words.items() if text is not None}
    given |= {name: value for name, value in plain.items() if value is not None}
    properties = _and_named(mapping.properties, said["pairs"], "--property")
    attributes = _and_named(mapping.attributes, said["told"], "--attribute")
    return replace(mapping, **given, properties=properties, attributes=attributes)


def _and_named(
    written: tuple[tuple[Written, Written], ...], pairs: tuple[str, ...], option: str
) -> tuple[tuple[Written, Written], ...]:
    """The names with their columns, those of the command line in place of the file's."""
    named = dict(_name_and_column(pair, option) for pair in pairs)
    kept = tuple((name, column) for name, column in written if name.text not in named)
    return (*kept, *((Written(name), Written(column)) for name, column in named.items()))


def _name_and_column(pair: str, option: str) -> tuple[str, str]:
    name, equals, column = pair.partition("=")
    if not (name and equals and column):
        message = f"{quoted(pair)} is not a name and its column: write amount=5 or amount=total."
        raise click.BadParameter(message, param_hint=option)
    return name, column


def _delimiter(text: str | None) -> str | None:
    if text in _TABS:
        return "\t"
    if text is not None and (len(text) != 1 or text in '"\r\n'):
        raise click.BadParameter(f'{quoted(text)} is not one character: write ";" or "tab".', param_hint="--delimiter")
    return text


async def _import(
    site: Site, mapping: RowMapping, source: BinaryIO, file: Path, refusals: "_Refusals", problems: Problems
) -> Imported:
    layout = layout_from(mapping, file.name, problems)
    if layout is None or problems.has_errors:
        raise Findings(problems.list)
    async with site.store() as store:
        live = await site.live(store)
        rule_set = live[1] if live is not None else site.checked_draft().rule_set
        rows = ParquetRows(source) if layout.format == "parquet" else RowFile(source, layout)
        check_mapping(mapping, rule_set.schema, rows, problems)
        if problems.has_errors:
            raise Findings(problems.list)
        maker = EventMaker(
            mapping,
            rows,
            rule_set.schema,
            rule_set.conventions,
            received_at=site.now,
            version=None if live is None else rule_set.version,
        )
        writer = ImportWriter(store, site.settings, live=None if live is None else rule_set, draft=rule_set)
        with _progress(rows, file) as progress:
            try:
                return await import_rows(rows, maker, writer.write, refused=refusals.add, progress=progress)
            except StoreError as error:
                again = "What was written stays; import the same file again, and only the rest is added."
                raise Failed(f"{error}. {again}") from error


@contextmanager
def _progress(rows: Rows, file: Path) -> Iterator[Any]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=file.stat().st_size, label="Importing", file=sys.stderr, hidden=hidden) as bar:
        yield lambda: bar.update(rows.bytes_read - bar.pos)
        bar.update(rows.bytes_read - bar.pos)


class _Refusals:
    """The refused rows: the first few to be shown, all of them in a file where one is wanted."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._first: list[RefusedRow] = []
        self._count = 0

    def add(self, row: RefusedRow) -> None:
        """Note a refused row."""
        self._count += 1
        if len(self._first) < MOST_SHOWN:
            self._first.append(row)
        if self._writer is not None:
            self._writer.writerow((row.line, row.reason, row.text))

    def show(self, file: Path | None) -> None:
        """Print the first of them, and where the others are."""
        for row in self._first:
            click.echo(paragraph(f"line {row.line}: {row.reason}", rest="  ", width=terminal_width()), err=True)
            click.echo(f"  {quoted(row.text)}", err=True)
        if self._count > MOST_SHOWN:
            click.echo(f"... and {self._count - MOST_SHOWN:,} more.", err=True)
        if self._count and file is None:
            click.echo("--refused FILE writes all of them to a file.", err=True)
        elif self._count:
            click.echo(f"All of them are in {file}.", err=True)


@contextmanager
def _refusals(path: Path | None) -> Iterator[_Refusals]:
    if path is None:
        yield _Refusals(None)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "row"))
        yield _Refusals(writer)
