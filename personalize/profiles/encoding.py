"""Profiles and organizations as bytes: compact JSON, exact, and quick to read, since page views read them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import orjson

from personalize.events.event import EPOCH, MICROSECOND, JSONValue, from_micros, to_micros
from personalize.light_values import replace
from personalize.profiles.organization import Organization
from personalize.profiles.profile import (
    NO_TIES,
    AttributeValue,
    Changes,
    Joined,
    Membership,
    Profile,
    SharedTotals,
    Ties,
    Totals,
    Visit,
)
from personalize.profiles.stored_part import StoredPart, rows_of, written
from personalize.visitors.consent import UNKNOWN, granting

# Parts of a row, each left out where empty. Times are integers of microseconds since 1970.
_ID: Final = "i"
_EVENTS: Final = "n"
_ATTRIBUTES: Final = "a"  # {name: [value, set at, marks]}, marks left out where 0
_TOTALS: Final = "t"  # {type: [count, sum, first at, last at, first value, last value]}, numbers tagged where needed
_RECENT: Final = "r"  # {key: [times]}
_VISIT: Final = "v"  # [number, started, last page, pages, landing path, source, medium, campaign, seen before]
_FIRST_SEEN: Final = "f"
_LAST_SEEN: Final = "l"
_SEEN_BEFORE: Final = "b"
_CONSENT: Final = "c"  # [purposes]
_CONSENT_AT: Final = "d"
_JOINED: Final = "j"  # [into, at]
_JOINED_FROM: Final = "g"  # [ids]
_UNIT: Final = "u"
_INTERESTS: Final = "k"  # {tag: [times]}
_STATED: Final = "s"  # {tag: [likes, said at, marks]}, as attributes
_OF_TWO_UNITS: Final = "w"  # true
_TIES: Final = "x"  # [claimed by, joins until, [[sender, event id]]]

_MEMBERSHIP: Final = "h"  # [organization, {type: [count, sum]}]; stands first, so that a member's row is known by it
_BEGINS_MEMBER: Final = b'{"h":'
# Parts of an organization's row that profiles have not; the first one tells its row from theirs.
_ORGANIZATION: Final = "o"
_MEMBERS: Final = "m"
_BEGINS_ORGANIZATION: Final = b'{"o":'
#: What most rows are without.
_RARE: Final = frozenset({_JOINED, _JOINED_FROM, _UNIT, _STATED, _OF_TWO_UNITS, _TIES, _MEMBERSHIP})

_TOTALS_ROW = ("count", "sum", "first_at", "last_at", "first_value", "last_value")
_AMOUNTS: Final = frozenset({"sum", "first_value", "last_value"})
_PLAIN_ROW: Final = 2  # how many parts an attribute without marks has
_FROM_JOIN: Final = 1
_TAGGED: Final = 2  # the value has numbers that JSON cannot hold: each of those, and each mapping, stands under a tag

_DECIMAL: Final = "d"
_LARGE: Final = "i"
_MAPPING: Final = "m"
_LARGEST: Final = 2**63 - 1
_CHANGEABLE: Final = frozenset({list, dict})
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def encode_profile(profile: Profile) -> bytes:
    """The profile as bytes that `decode_profile` reads back as an equal one."""
    row: dict[str, object] = {}
    if profile.membership is not None:
        row[_MEMBERSHIP] = _membership(profile.membership)
    row[_ID], row[_EVENTS] = profile.profile_id, profile.events
    if profile.attributes:
        row[_ATTRIBUTES] = written(profile.attributes, _attribute)
    if profile.totals:
        row[_TOTALS] = written(profile.totals, _totals)
    if profile.recent:
        row[_RECENT] = written(profile.recent, tuple)
    if profile.visit is not None:
        row[_VISIT] = _visit(profile.visit)
    if profile.first_seen_at is not None:
        row[_FIRST_SEEN] = to_micros(profile.first_seen_at)
    if profile.last_seen_at is not None:
        row[_LAST_SEEN] = to_micros(profile.last_seen_at)
    if profile.seen_before_at is not None:
        row[_SEEN_BEFORE] = to_micros(profile.seen_before_at)
    if profile.consent.granted is not None:
        row[_CONSENT] = sorted(profile.consent.granted)
    if profile.consent_at is not None:
        row[_CONSENT_AT] = to_micros(profile.consent_at)
    if profile.interests:
        row[_INTERESTS] = written(profile.interests, tuple)
    return orjson.dumps(row | _rare_parts(profile))


def _rare_parts(profile: Profile) -> dict[str, object]:
    """Parts that few profiles have."""
    row: dict[str, object] = {}
    if profile.joined is not None:
        row[_JOINED] = [profile.joined.into, to_micros(profile.joined.at)]
    if profile.joined_from:
        row[_JOINED_FROM] = profile.joined_from
    if profile.unit is not None:
        row[_UNIT] = profile.unit
    if profile.stated:
        row[_STATED] = written(profile.stated, _attribute)
    if profile.of_two_units:
        row[_OF_TWO_UNITS] = True
    if profile.ties is not NO_TIES and profile.ties != NO_TIES:
        row[_TIES] = _ties(profile.ties)
    return row


def decode_profile(data: bytes) -> Profile:
    """The profile that `encode_profile` wrote."""
    row: dict[str, Any] = orjson.loads(data)
    attributes, totals, recent = row.get(_ATTRIBUTES), row.get(_TOTALS), row.get(_RECENT)
    interests, visit, granted = row.get(_INTERESTS), row.get(_VISIT), row.get(_CONSENT)
    first_seen, last_seen = row.get(_FIRST_SEEN), row.get(_LAST_SEEN)
    seen_before, consent_at = row.get(_SEEN_BEFORE), row.get(_CONSENT_AT)
    profile = Profile(  # by place, and what few have apart, since every page view reads one
        row[_ID],
        StoredPart(attributes, _read_attribute) if attributes else _NOTHING,
        StoredPart(totals, _read_totals) if totals else _NOTHING,
        StoredPart(recent, tuple) if recent else _NOTHING,
        None if visit is None else _read_visit(visit),
        None if first_seen is None else from_micros(first_seen),
        None if last_seen is None else from_micros(last_seen),
        None if seen_before is None else from_micros(seen_before),
        UNKNOWN if granted is None else granting(granted),
        None if consent_at is None else from_micros(consent_at),
        None,
        (),
        row[_EVENTS],
        None,
        StoredPart(interests, tuple) if interests else _NOTHING,
        _NOTHING,
    )
    return profile if _RARE.isdisjoint(row) else replace(profile, **_read_rare_parts(row))


def _read_rare_parts(row: Mapping[str, Any]) -> Changes:
    """The same of the parts that few profiles have."""
    read: Changes = {"of_two_units": _OF_TWO_UNITS in row, "unit": row.get(_UNIT)}
    if _JOINED in row:
        into, at = row[_JOINED]
        read["joined"] = Joined(into, from_micros(at))
    if _JOINED_FROM in row:
        read["joined_from"] = tuple(row[_JOINED_FROM])
    if _STATED in row:
        read["stated"] = StoredPart(row[_STATED], _read_attribute)
    if _MEMBERSHIP in row:
        organization_id, totals = row[_MEMBERSHIP]
        read["membership"] = Membership(organization_id, _read_shared(totals))
    if _TIES in row:
        read["ties"] = _read_ties(row[_TIES])
    return read


def organization_in(data: bytes) -> str | None:
    """The id of the organization that a row's profile is a member of; None for every other row."""
    if not data.startswith(_BEGINS_MEMBER):
        return None
    found: str = orjson.loads(data)[_MEMBERSHIP][0]
    return found


def encode_organization(organization: Organization) -> bytes:
    """The organization as bytes that `decode_organization` reads back as an equal one."""
    parts = {
        _ORGANIZATION: organization.organization_id,
        _MEMBERS: organization.members,
        _ATTRIBUTES: {name: _attribute(value) for name, value in organization.attributes.items()},
        _TOTALS: _shared(organization.totals),
    }
    return orjson.dumps(parts)


def decode_organization(data: bytes) -> Organization:
    """The organization that `encode_organization` wrote."""
    row = orjson.loads(data)
    return Organization(
        row[_ORGANIZATION],
        {name: _read_attribute(stored) for name, stored in row[_ATTRIBUTES].items()},
        row[_MEMBERS],
        _read_shared(row[_TOTALS]),
    )


def _membership(membership: Membership) -> list[object]:
    return [membership.organization_id, _shared(membership.totals)]


def _shared(totals: Mapping[str, SharedTotals]) -> dict[str, list[object]]:
    return {type_: [total.count, _tagged(total.sum)] for type_, total in totals.items()}


def _read_shared(stored: dict[str, list[Any]]) -> Mapping[str, SharedTotals]:
    return MappingProxyType({type_: SharedTotals(count, _untagged(sum_)) for type_, (count, sum_) in stored.items()})


def holds_organization(data: bytes) -> bool:
    """Whether these are the bytes of an organization, and not those of a profile."""
    return data.startswith(_BEGINS_ORGANIZATION)


def kept_value(attributes: Mapping[str, AttributeValue], name: str) -> JSONValue:
    """The value of an attribute, None where it was never set; nobody may change it. Of a stored profile nothing else is
    read: most rows begin with the value as it is."""
    row = rows_of(attributes).get(name)
    if row is None:
        return None
    return row[0] if type(row) is list and len(row) == _PLAIN_ROW else attributes[name].value


def totals_reader(names: Sequence[str]) -> Callable[[Mapping[str, Totals], str], Sequence[object] | None]:
    """What reads fields of these names of the totals of an event's type; None where it never happened. Of a stored row
    nothing else is read."""
    places = [_TOTALS_ROW.index(name) for name in names]
    moments = frozenset(place for place in places if _TOTALS_ROW[place].endswith("_at"))
    amounts = [place for place in places if _TOTALS_ROW[place] in _AMOUNTS]

    def read(totals: Mapping[str, Totals], type_: str) -> Sequence[object] | None:
        row: Any = rows_of(totals).get(type_)
        if row is None:
            return None
        if type(row) is not list:
            return [getattr(row, name) for name in names]
        for place in amounts:
            if type(row[place]) is dict:  # it has to be untagged
                return [getattr(totals[type_], name) for name in names]
        if not moments:
            return [row[place] for place in places]
        return [EPOCH + MICROSECOND * row[place] if place in moments else row[place] for place in places]

    return read


def own(value: Any) -> Any:
    """A value that its reader may change: a copy of what others read as well."""
    if type(value) is list:
        return value.copy() if _CHANGEABLE.isdisjoint(map(type, value)) else [own(one) for one in value]
    return {name: own(one) for name, one in value.items()} if type(value) is dict else value


def _attribute(stored: AttributeValue) -> list[object]:
    tagged = _needs_tags(stored.value)
    marks = _FROM_JOIN * stored.from_join + _TAGGED * tagged
    value = _tagged(stored.value) if tagged else stored.value
    return [value, stored.set_at_micros, marks] if marks else [value, stored.set_at_micros]


def _read_attribute(stored: list[Any]) -> AttributeValue:
    if len(stored) == _PLAIN_ROW:
        return AttributeValue(own(stored[0]), stored[1])
    value, set_at_micros, marks = stored
    return AttributeValue(_untagged(value) if marks & _TAGGED else own(value), set_at_micros, bool(marks & _FROM_JOIN))


def _totals(total: Totals) -> list[object]:
    first_at, last_at = to_micros(total.first_at), to_micros(total.last_at)
    sum_, first, last = (_tagged(amount) for amount in (total.sum, total.first_value, total.last_value))
    return [total.count, sum_, first_at, last_at, first, last]


def _read_totals(stored: list[Any]) -> Totals:
    count, sum_, first_at, last_at, first, last = stored
    if dict in (type(sum_), type(first), type(last)):
        sum_, first, last = _untagged(sum_), _untagged(first), _untagged(last)
    return Totals(count, sum_, from_micros(first_at), from_micros(last_at), first, last)


def _visit(visit: Visit) -> list[object]:
    return [
        visit.number,
        to_micros(visit.started_at),
        to_micros(visit.last_page_at),
        visit.pages,
        visit.landing_path,
        visit.source,
        visit.medium,
        visit.campaign,
        _micros(visit.previous_seen_at),
    ]


def _read_visit(stored: list[Any]) -> Visit:
    number, started, last_page, pages, landing_path, source, medium, campaign, seen = stored
    begun, last, seen_at = from_micros(started), from_micros(last_page), None if seen is None else from_micros(seen)
    return Visit(number, begun, last, pages, landing_path, source, medium, campaign, seen_at)


def _ties(ties: Ties) -> list[object]:
    return [ties.claimed_by, _micros(ties.joins_until), sorted(ties.awaits)]


def _read_ties(stored: list[Any]) -> Ties:
    claimed_by, until, awaits = stored
    joins_until = None if until is None else from_micros(until)
    return Ties(tuple(claimed_by), joins_until, frozenset((sender, event_id) for sender, event_id in awaits))


def _needs_tags(value: JSONValue) -> bool:
    if isinstance(value, list):
        return any(_needs_tags(item) for item in value)
    if isinstance(value, dict):
        return any(_needs_tags(item) for item in value.values())
    return isinstance(value, Decimal) or (isinstance(value, int) and abs(value) > _LARGEST)


def _tagged(value: JSONValue) -> object:
    if type(value) is int and -_LARGEST <= value <= _LARGEST:
        return value
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, dict):
        return {_MAPPING: {name: _tagged(item) for name, item in value.items()}}
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    return {_LARGE: str(value)} if isinstance(value, int) and abs(value) > _LARGEST else value


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, inner),) = value.items()
    if tag == _MAPPING:
        return {name: _untagged(item) for name, item in inner.items()}
    return Decimal(inner) if tag == _DECIMAL else int(inner)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
