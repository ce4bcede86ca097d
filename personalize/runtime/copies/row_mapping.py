"""What the columns of a file mean: which event its rows are, or which attributes they tell, whose, when, and what else
they say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from personalize.events.schema import Schema
from personalize.problems import Problems, did_you_mean, quoted
from personalize.rules.reading.reading import Reading
from personalize.runtime.copies.rows import ENCODINGS, FORMATS, Layout, RowFormat, Rows, layout_of
from personalize.yaml_tree import Mapping as Block
from personalize.yaml_tree import Node, Place, Scalar, parse_yaml

PREFIXES = ("u:", "v:", "")
#: Formats of a time beside those of `strptime`: seconds, or thousandths of one, since 1970.
UNIX = "unix"
UNIX_MS = "unix-ms"

_KEYS = (
    *("event", "visitor", "time", "id", "properties", "sender"),
    *("attributes", "organization"),
    *("format", "header", "delimiter", "encoding"),
)
_WHAT = "a mapping"
_SAMPLE = datetime(2026, 11, 21, 18, 30, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Written:
    """A word of a mapping and where it stands; one that was given on the command line stands nowhere."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class RowMapping:
    """What was said about the rows of a file; None where nothing was.

    Columns are named by the header, or counted from 1 where the file has none; in JSON Lines they are names, with
    points for what lies inside (`order.amount`). `prefix` goes before what the visitor's column holds.
    `properties` are pairs of a property and its column, and so are `attributes`, where rows tell what is so instead of
    what happened: of a visitor, or of the `organization` whose name stands in a column. Without an `event_id` column, a
    row's id comes from what it says.
    """

    event: Written | None = None
    visitor: Written | None = None
    prefix: str | None = None
    time: Written | None = None
    time_format: Written | None = None
    event_id: Written | None = None
    properties: tuple[tuple[Written, Written], ...] = ()
    sender: str | None = None
    format: RowFormat | None = None
    has_header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    attributes: tuple[tuple[Written, Written], ...] = ()
    organization: Written | None = None

    @property
    def sent_by(self) -> str:
        """Who sends the rows, beside their ids; the name of the file has no part in it, since files are renamed."""
        what = "attributes" if self.event is None else self.event.text
        return self.sender or f"import:{what}"


def read_mapping(text: str, file: str, problems: Problems) -> RowMapping:
    """The mapping that a YAML file holds. What is wrong goes to `problems`; the rest is still given."""
    reading = Reading(problems)
    block = reading.mapping(parse_yaml(text, file, problems), _WHAT)
    if block is None:
        return RowMapping()
    reading.only(block, _KEYS, _WHAT)
    visitor, prefix = _column_and(block, "visitor", "prefix", reading)
    time, time_format = _column_and(block, "time", "format", reading)
    format_ = reading.choice(block, "format", FORMATS, _WHAT)
    return RowMapping(
        event=_word(block.get("event"), "`event`", reading),
        visitor=visitor,
        prefix=_prefix(prefix, problems),
        time=time,
        time_format=time_format,
        event_id=_word(block.get("id"), "`id`", reading),
        properties=_pairs(block, "properties", reading),
        attributes=_pairs(block, "attributes", reading),
        organization=_word(block.get("organization"), "`organization`", reading),
        sender=reading.text(block, "sender", _WHAT) or None,
        format=next((one for one in FORMATS if one == format_), None),
        has_header=reading.flag(block, "header", _WHAT) if block.get("header") is not None else None,
        delimiter=_delimiter(block, reading),
        encoding=reading.choice(block, "encoding", ENCODINGS, _WHAT),
    )


def _pairs(block: Block, key: str, reading: Reading) -> tuple[tuple[Written, Written], ...]:
    entries = reading.entries(block.get(key), f"`{key}`")
    pairs = ((_written(name), _word(node, f"`{name.text}`", reading)) for name, node in entries)
    return tuple((name, column) for name, column in pairs if column is not None)


def _written(scalar: Scalar) -> Written:
    return Written(scalar.text, scalar.place)


def _word(node: Node | None, what: str, reading: Reading) -> Written | None:
    found = reading.scalars(node, what)
    return _written(found[0]) if len(found) == 1 else None


def _column_and(block: Block, key: str, more: str, reading: Reading) -> tuple[Written | None, Written | None]:
    """A column in one word (`visitor: customer`), or with something beside it (`{column: 1, prefix: "u:"}`)."""
    node = block.get(key)
    if not isinstance(node, Block):
        return _word(node, f"`{key}`", reading), None
    reading.only(node, ("column", more), f"`{key}`")
    reading.required(node, "column", f"`{key}`")
    return (
        _word(node.get("column"), f"`column` of `{key}`", reading),
        _word(node.get(more), f"`{more}` of `{key}`", reading),
    )


def _prefix(written: Written | None, problems: Problems) -> str | None:
    if written is None or written.text in PREFIXES:
        return None if written is None else written.text
    problems.error("E505", f"{quoted(written.text)} is no prefix", written.place, 'write "u:", "v:", or ""')
    return None


def _delimiter(block: Block, reading: Reading) -> str | None:
    text = reading.text(block, "delimiter", _WHAT)
    if len(text) > 1:
        hint = 'write one character, such as ";" or "\\t"'
        reading.problems.error("E505", f"{quoted(text)} is no delimiter", block.get("delimiter"), hint)
    return text if len(text) == 1 else None


def layout_from(mapping: RowMapping, file_name: str, problems: Problems) -> Layout | None:
    """How to read the file: what the mapping says, and for the rest what the file's ending promises."""
    promised = layout_of(file_name)
    format_ = mapping.format or (promised[0] if promised is not None else None)
    if format_ is None:
        hint = f"say `format:` in the mapping or --format, one of {', '.join(FORMATS)}"
        problems.error("E506", f"the name {quoted(file_name)} does not tell how its rows are written", hint=hint)
        return None
    usual = promised[1] if promised is not None and promised[0] == format_ else ","
    return Layout(
        format=format_,
        has_header=mapping.has_header is not False and format_ != "jsonl",
        delimiter=mapping.delimiter or usual,
        encoding=mapping.encoding or "utf-8",
    )


def check_mapping(mapping: RowMapping, schema: Schema, rows: Rows, problems: Problems) -> None:
    """Collect what does not fit between a mapping, the declared events, and the columns of the file."""
    _check_said(mapping, problems)
    _check_time_format(mapping.time_format, problems)
    if mapping.event is not None:
        _check_event(mapping.event, mapping.properties, schema, problems)
    _check_attributes(mapping, schema, problems)
    if rows.lacks_header:
        hint = "its quotes do not fit together, or its letters are written in another way: `encoding:` or --encoding"
        problems.error("E503", "the first row does not hold the names of the columns", hint=hint)
        return
    told = (*mapping.properties, *mapping.attributes)
    columns = (mapping.visitor, mapping.organization, mapping.time, mapping.event_id, *(column for _, column in told))
    for column in columns:
        if column is not None:
            _check_column(column, rows, problems)


def _check_said(mapping: RowMapping, problems: Problems) -> None:
    what = "`event: purchase` in the mapping, or --event purchase; or which `attributes:` they tell"
    missing: Sequence[tuple[object, str, str]] = (
        (mapping.event or mapping.attributes, "which event the rows are", what),
        (
            mapping.visitor or mapping.organization,
            "which column tells whose they are",
            "`visitor:`, or --visitor-column",
        ),
        (mapping.time, "which column tells when they happened", "`time:`, or --time-column"),
    )
    for said, what, how in missing:
        if not said:
            problems.error("E501", f"it is not said {what}", hint=f"write {how}")
    _check_either(mapping, problems)


def _check_either(mapping: RowMapping, problems: Problems) -> None:
    """Refuse what can't be said of the same rows."""
    if mapping.event is not None and mapping.attributes:
        hint = "import them twice, each with a mapping of its own"
        _say(problems, "E507", "rows are an event, or they tell attributes", mapping.event, hint)
    if mapping.organization is not None and mapping.visitor is not None:
        hint = "leave `visitor` or `organization` out"
        _say(problems, "E507", "rows are of a visitor, or of an organization", mapping.organization, hint)
    if mapping.organization is not None and mapping.event is not None:
        hint = "what its members do adds up by itself; say `attributes:` for what is known of it"
        _say(problems, "E507", "organizations have attributes, and no events", mapping.organization, hint)


def _check_attributes(mapping: RowMapping, schema: Schema, problems: Problems) -> None:
    declared, whose = schema.attributes, "visitors have"
    if mapping.organization is not None:
        own = schema.organization
        declared, whose = ({} if own is None else own.attributes), "an organization has"
    for name, _ in mapping.attributes:
        if name.text not in declared:
            known = ", ".join(declared) or "none"
            hint = did_you_mean(name.text, declared) or f"declared are: {known}"
            _say(problems, "E504", f"{whose} no attribute {quoted(name.text)}", name, hint)


def _check_event(
    event: Written, properties: Collection[tuple[Written, Written]], schema: Schema, problems: Problems
) -> None:
    declared = schema.events.get(event.text)
    if declared is None:
        hint = did_you_mean(event.text, schema.events) or "declare it under `events:` in the rule files"
        _say(problems, "E502", f"there is no event {quoted(event.text)}", event, hint)
        return
    for name, _ in properties:
        if name.text not in declared.properties:
            known = ", ".join(declared.properties) or "none"
            hint = did_you_mean(name.text, declared.properties) or f"its properties: {known}"
            _say(problems, "E504", f"{quoted(event.text)} has no property {quoted(name.text)}", name, hint)


def _check_column(column: Written, rows: Rows, problems: Problems) -> None:
    if rows.width is None or column_index(column, rows.header) in range(rows.width):
        return
    if rows.header is None:
        message = f"there is no column {quoted(column.text)}: the rows have {rows.width}, counted from 1"
        _say(problems, "E503", message, column, "or does the first row hold their names? Then say `header: true`")
    elif (times := rows.header.count(column.text)) > 1:
        hint = "give each column a name of its own, or count them: `header: false`"
        _say(problems, "E503", f"the first row names the column {quoted(column.text)} {times} times", column, hint)
    else:
        message = f"there is no column {quoted(column.text)}"
        _say(problems, "E503", message, column, _column_hint(column.text, rows.header))


def _column_hint(name: str, header: Sequence[str]) -> str:
    if name.isdecimal():
        return "columns are counted only where the first row holds no names: say `header: false` or --no-header"
    if len(header) == 1 and ";" in header[0]:
        return 'the first row holds semicolons: say `delimiter: ";"` or --delimiter ";"'
    return did_you_mean(name, header) or f"the first row names {', '.join(map(quoted, header[:10]))}"


def column_index(column: Written, header: Sequence[str] | None) -> int | None:
    """Where a column of a table stands, from 0; None where the header does not name it once."""
    if header is None:
        return int(column.text) - 1 if column.text.isdecimal() and column.text.isascii() else None
    places = [place for place, name in enumerate(header) if name == column.text]
    return places[0] if len(places) == 1 else None


def _check_time_format(written: Written | None, problems: Problems) -> None:
    if written is None or written.text in (UNIX, UNIX_MS):
        return
    try:
        datetime.strptime(_SAMPLE.strftime(written.text), written.text)
    except ValueError:
        hint = f"write it as %Y-%m-%d or %d.%m.%Y %H:%M, or as {UNIX} or {UNIX_MS}"
        _say(problems, "E505", f"{quoted(written.text)} is no format of a time", written, hint)


def _say(problems: Problems, code: str, message: str, written: Written, hint: str) -> None:
    problems.error(code, message, written.place, hint)
