"""Importing: the rows of a file become events, each of which counts once, however often it is imported."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from personalize.errors import EventRefused, StaleVersion
from personalize.events.event import SET, Event, JSONValue
from personalize.events.schema import Schema
from personalize.events.validate import check_attributes, check_event, check_moment, check_organization
from personalize.problems import quoted
from personalize.profiles.organization import folds_names, organization_id
from personalize.rules.conventions import Conventions
from personalize.rules.ruleset import RuleSet
from personalize.runtime.copies.row_mapping import UNIX, UNIX_MS, RowMapping, Written, column_index
from personalize.runtime.copies.rows import RefusedRow, Row, Rows
from personalize.runtime.publish import live_rule_set, projectors_of
from personalize.settings import Settings
from personalize.stores.protocols import Applied, Outcome, Store

CHANNEL = "import"
EVENTS_AT_ONCE = 5_000
LONGEST_ID = 200
_MOST_MOMENTS = 10_000
_ID_BYTES = 16
#: Why a row is refused whose id was told of something else.
CONFLICTING = "its id was imported before, and said something else: the first is kept"
_A_MOMENT = "a moment such as 1997-10-01 or 1997-10-01T18:30"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a file: events that were new, ones that the log had already, and refused rows."""

    new: int = 0
    known: int = 0
    refused: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.new + self.known + self.refused


class EventMaker:
    """Makes the rows of one file into events. The mapping has been checked against the file and the schema.

    A row without an id of its own gets one from its event, its cells and how many equal rows came before it. So a
    file that is imported again, renamed or longer than before, adds only what is new, and equal rows all count.
    """

    def __init__(
        self,
        mapping: RowMapping,
        rows: Rows,
        schema: Schema,
        conventions: Conventions,
        *,
        received_at: datetime,
        version: str | None = None,
    ) -> None:
        self._type = SET if mapping.attributes else _text_of(mapping.event)
        self._sender = mapping.sent_by
        self._prefix = "u:" if mapping.prefix is None else mapping.prefix
        self._is_of_organization = mapping.organization is not None
        self._visitor = _key(mapping.organization or mapping.visitor, rows)
        self._time = _key(mapping.time, rows)
        self._event_id = None if mapping.event_id is None else _key(mapping.event_id, rows)
        told = mapping.attributes or mapping.properties
        self._properties = {name.text: _key(column, rows) for name, column in told}
        self._moments = _Moments(_text_of(mapping.time_format), conventions)
        self._schema = schema
        self._zone = conventions.zone
        self._received_at = received_at
        self._version = version
        self._equal: dict[int, int] = {}

    def event(self, row: Row) -> Event | RefusedRow:
        """The event that a row tells of, or why it is refused."""
        try:
            return Event(
                event_id=self._id_of(row),
                sender=self._sender,
                type=self._type,
                profile_id=self._profile_id(row.fields),
                occurred_at=self._occurred_at(row.fields),
                received_at=self._received_at,
                properties=self._properties_of(row.fields),
                channel=CHANNEL,
                version=self._version,
            )
        except EventRefused as error:
            return RefusedRow(row.line, error.reason, row.text)
        except ValueError as error:
            return RefusedRow(row.line, str(error), row.text)

    def _id_of(self, row: Row) -> str:
        if self._event_id is not None:
            return _identifier(_value(row.fields, self._event_id), "id")
        written = json.dumps([self._type, row.fields], sort_keys=True, default=str)
        digest = hashlib.blake2b(written.encode(), digest_size=_ID_BYTES).digest()
        # Half of the digest names the row among those of the file: a number is a fifth of the text in memory.
        place = int.from_bytes(digest[:8])
        self._equal[place] = ordinal = self._equal.get(place, 0) + 1
        return f"{digest.hex()}-{ordinal}"

    def _profile_id(self, fields: Sequence[JSONValue] | Mapping[str, JSONValue]) -> str:
        if self._is_of_organization:
            return self._organization_id(_identifier(_value(fields, self._visitor), "organization"))
        profile_id = self._prefix + _identifier(_value(fields, self._visitor), "visitor")
        if profile_id.startswith(("u:", "v:")) and len(profile_id) > len("u:"):
            return profile_id
        raise ValueError(f"{quoted(profile_id)} is no visitor: without a prefix, ids begin with u: or v:")

    def _organization_id(self, name: str) -> str:
        found = organization_id(name, folds=folds_names(self._schema))
        if found is None:
            raise ValueError(f"{quoted(name)} is no organization")
        return found

    def _occurred_at(self, fields: Sequence[JSONValue] | Mapping[str, JSONValue]) -> datetime:
        value = _value(fields, self._time)
        if value is None:
            raise ValueError("it does not say when it happened")
        moment = self._moments.read(value)
        check_moment(moment, self._received_at)
        return moment

    def _properties_of(self, fields: Sequence[JSONValue] | Mapping[str, JSONValue]) -> dict[str, JSONValue]:
        given = {name: _value(fields, key) for name, key in self._properties.items()}
        if self._type != SET:
            return check_event(self._type, given, self._schema, zone=self._zone)
        told = {name: value for name, value in given.items() if value is not None}
        if not told:
            raise ValueError("it tells no attribute")
        check = check_organization if self._is_of_organization else check_attributes
        return check(told, self._schema, zone=self._zone)


def _text_of(written: Written | None) -> str:
    return "" if written is None else written.text


def _key(column: Written | None, rows: Rows) -> int | str:
    """What finds a column in a row: its place in a table, its name in JSON Lines."""
    text = _text_of(column)
    if rows.width is None or column is None:
        return text
    index = column_index(column, rows.header)
    return text if index is None else index


def _value(fields: Sequence[JSONValue] | Mapping[str, JSONValue], key: int | str) -> JSONValue:
    """What stands in a column; None where nothing does."""
    found = fields.get(str(key)) if isinstance(fields, Mapping) else fields[int(key)]
    if isinstance(fields, Mapping) and found is None and "." in str(key):
        found = dict(fields)
        for part in str(key).split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return None if found == "" else found


def _identifier(value: JSONValue, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueError(f"its {what} is neither a text nor a whole number")
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError(f"it has no {what}")
    if len(text) > LONGEST_ID or not text.isprintable():
        raise ValueError(
            f"{quoted(text)} cannot be its {what}: it takes {LONGEST_ID} characters that can be seen, at most"
        )
    return text


class _Moments:
    """Reads the moments of a file, most of which say the same day many times over."""

    def __init__(self, format_: str, conventions: Conventions) -> None:
        self._format = format_
        self._conventions = conventions
        self._known: dict[str, datetime] = {}

    def read(self, value: JSONValue) -> datetime:
        """The moment in UTC; a date is its midnight in the site's zone. Raises ValueError."""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError("its time is neither a text nor a number")
        text = str(value)
        known = self._known.get(text)
        if known is None:
            if len(self._known) == _MOST_MOMENTS:
                self._known.clear()
            known = self._known[text] = self._read(text)
        return known

    def _read(self, text: str) -> datetime:
        try:
            if self._format in (UNIX, UNIX_MS):
                seconds = Decimal(text) / (1 if self._format == UNIX else 1000)
                return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))
            if not self._format:
                return self._conventions.moment(text)
            written = datetime.strptime(text, self._format)
            return self._conventions.moment(written.isoformat())
        except (ValueError, ArithmeticError):
            expected = (
                f"the format {self._format}" if self._format else "a moment such as 1997-10-01 or 1997-10-01T18:30"
            )
            raise ValueError(f"{quoted(text)} is not {expected}") from None


class ImportWriter:
    """Writes events for the rule set that is live, also where another one goes live meanwhile.

    While nothing is live, profiles are projected for the `draft`; the first publishing projects them again.
    """

    def __init__(self, store: Store, settings: Settings, *, live: RuleSet | None, draft: RuleSet) -> None:
        self._store = store
        self._settings = settings
        self._live = live
        self._projectors = projectors_of(live or draft, settings)

    async def write(self, events: Sequence[Event]) -> Applied:
        """Apply one batch. Raises `StoreError`; nothing of the batch is kept then."""
        while True:
            try:
                if self._live is None:
                    await self._follow()
                version = self._live.version if self._live is not None else None
                return await self._store.apply(events, self._projectors, version=version)
            except StaleVersion:
                await self._follow()

    async def _follow(self) -> None:
        live = await live_rule_set(self._store, self._settings)
        if live is not None:
            self._live = live
            self._projectors = projectors_of(live, self._settings)


async def import_rows(
    rows: Iterable[Row | RefusedRow],
    maker: EventMaker,
    write: Callable[[Sequence[Event]], Awaitable[Applied]],
    *,
    refused: Callable[[RefusedRow], None],
    progress: Callable[[], None] | None = None,
) -> Imported:
    """Make all rows events and write them in batches. `refused` is told of every refused row, `progress` after
    every batch. Raises what `write` raises; the batches before stay written, and count once when it is tried again.
    """
    done = Imported()
    batch: list[tuple[Event, Row]] = []
    for row in rows:
        made = maker.event(row) if isinstance(row, Row) else row
        if isinstance(made, RefusedRow):
            refused(made)
            done = Imported(done.new, done.known, done.refused + 1)
        elif isinstance(row, Row):
            batch.append((made, row))
        if len(batch) == EVENTS_AT_ONCE:
            done = await _written(batch, done, write, refused, progress)
            batch = []
    return await _written(batch, done, write, refused, progress) if batch else done


async def _written(
    batch: Sequence[tuple[Event, Row]],
    done: Imported,
    write: Callable[[Sequence[Event]], Awaitable[Applied]],
    refused: Callable[[RefusedRow], None],
    progress: Callable[[], None] | None,
) -> Imported:
    applied = await write([event for event, _ in batch])
    if progress is not None:
        progress()
    reasons = {each.event.event_id: each.reason for each in applied.refused}
    for place, outcome in applied.others.items():
        event, row = batch[place]
        if outcome is not Outcome.REPEATED:
            refused(RefusedRow(row.line, reasons.get(event.event_id, CONFLICTING), row.text))
    lost = applied.conflicting + len(applied.refused)
    return Imported(done.new + applied.new, done.known + applied.repeated, done.refused + lost)
