"""What the fields of an item hold: read from what was written, and shown to people."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from personalize.content.collection import Field, FieldType, check_keys
from personalize.content.urls import what_is_wrong_with_address
from personalize.events.event import JSONValue
from personalize.money import format_amount, parse_amount
from personalize.problems import Problems, did_you_mean, quoted
from personalize.yaml_tree import Mapping, Node, Scalar

#: For a line or a few; long texts belong into the body.
LONGEST_TEXT = 2_000

_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Currency:
    """The site's one currency, by its code, and how many digits stand behind its point."""

    code: str
    digits: int = 2

    def shown(self, amount: int) -> str:
        """An amount in the smallest unit as people read it: `NOK 299.00`."""
        return format_amount(amount, self.code, self.digits)


def read_value(field: Field, node: Node, currency: Currency, problems: Problems) -> JSONValue:
    """The typed value that was written for a field; None where nothing, or nothing usable, was written."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    if field.type is FieldType.IMAGE:
        return _image(field, node, problems)
    if not isinstance(node, Scalar):
        hint = _hint(field) or "a text that begins with [ or { needs quotes"
        problems.error("E425", f"{quoted(field.name)} is not one value", node, hint)
        return None
    try:
        return _scalar(field, node, currency)
    except ValueError as error:
        problems.error("E425", f"{field.name}: {error}", node, _hint(field, node.text))
        return None


def _scalar(field: Field, node: Scalar, currency: Currency) -> JSONValue:
    text = node.text.strip()
    match field.type:
        case FieldType.MONEY:
            return parse_amount(text, currency.digits)
        case FieldType.NUMBER:
            return _number(text)
        case FieldType.BOOL:
            if not isinstance(node.value, bool):
                raise ValueError(f"{quoted(text)} is neither true nor false")
            return node.value
        case FieldType.DATE:
            return parse_day(text).isoformat()
        case FieldType.CHOICE:
            if text not in field.choices:
                raise ValueError(f"{quoted(text)} is not among its choices")
            return text
        case FieldType.URL:
            return _address(text)
        case _:
            if len(text) > LONGEST_TEXT:
                raise ValueError(f"the text is longer than {LONGEST_TEXT:,} characters; the body has room for it")
            return text or None


def _number(text: str) -> int | Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a number")
    return Decimal(text) if "." in text else int(text)


def parse_day(text: str) -> date:
    """The day of `2026-12-24`. Raises ValueError with a sentence for whatever else is written."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no day of the calendar") from error
    raise ValueError(f"{quoted(text)} is not a date")


def _address(text: str) -> str:
    wrong = what_is_wrong_with_address(text)
    if wrong is not None:
        raise ValueError(f"{quoted(text)} cannot be used: {wrong}")
    return text


def _image(field: Field, node: Node, problems: Problems) -> JSONValue:
    source, alt = node, None
    if isinstance(node, Mapping):
        check_keys(node, ("src", "alt"), "an image", problems, "E423")
        source, alt = node.get("src") or node, node.get("alt")
    if not isinstance(source, Scalar) or not source.text.strip():
        problems.error("E425", f"{quoted(field.name)} names no picture", source, _hint(field))
        return None
    words = alt.text.strip() if isinstance(alt, Scalar) and alt.value is not None else ""
    if field.needs_alt and not words:
        hint = f"describe it for those who cannot see it: `{field.name}: {{src: {source.text}, alt: A green tent}}`"
        problems.error("E424", f"{quoted(field.name)} does not say what the picture shows", node, hint)
    wrong = what_is_wrong_with_address(source.text.strip())
    if wrong is not None:
        problems.error("E425", f"{field.name}: {quoted(source.text)} cannot be used: {wrong}", source)
        return None
    return {"src": source.text.strip(), "alt": words}


def _hint(field: Field, written: str = "") -> str | None:
    match field.type:
        case FieldType.DATE:
            return "write it as year, month, day, such as 2026-12-24"
        case FieldType.NUMBER:
            return "figures and perhaps a point, such as 4.5"
        case FieldType.BOOL:
            return "write true or false, without quotes"
        case FieldType.CHOICE:
            return did_you_mean(written, field.choices) or f"allowed: {', '.join(field.choices)}"
        case FieldType.IMAGE:
            return f"for example: `{field.name}: {{src: /static/tent.jpg, alt: A green tent}}`"
        case _:
            return None


def text_of(field: Field, value: JSONValue, currency: Currency) -> str | None:
    """A value as `{{ item.… }}` shows it in text; None for an image or a truth value, which no text can show."""
    if field.type in (FieldType.IMAGE, FieldType.BOOL):
        return None
    if field.type is FieldType.MONEY and isinstance(value, int):
        return currency.shown(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
