"""What a setting may hold: each kind checks a value of the file, and reads it from the text of a variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from personalize.durations import parse_duration
from personalize.problems import did_you_mean, quoted
from personalize.zones import is_zone, zone_names

SHORTEST_KEY = 32
FEWEST_DIFFERENT = 8

_WEAK_WORDS = (
    "changeme",
    "change-me",
    "change_me",
    "example",
    "insecure",
    "password",
    "secret-key",
    "your-key",
)
_HOST_FORM = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_UPSTREAM = re.compile(rf"https?://{_HOST_FORM}/?", re.ASCII | re.IGNORECASE)
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def _as_it_is(text: str) -> object:
    return text


@dataclass(frozen=True, slots=True)
class Kind:
    """What one setting takes.

    `check` gives its value or raises ValueError with a sentence; `read` prepares the text of a variable.
    """

    title: str
    check: Callable[[object], object]
    read: Callable[[str], object] = _as_it_is


def of_kind(kind: Kind, help: str) -> dict[str, Kind | str]:
    """What a field of the settings says of itself: what it takes, and its use in one sentence."""
    return {"kind": kind, "help": help}


def _found(value: object) -> str:
    if isinstance(value, bool):
        return quoted(str(value).lower())
    return quoted(value if isinstance(value, str) else str(value))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{_found(value)} is not a text")
    return value


def _matching(value: object, *, allowed: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"{_found(value)} does not fit: it takes {allowed}")
    return value


def pattern(title: str, allowed: str, form: str) -> Kind:
    """Text of one form; `allowed` says in words which."""
    return Kind(title, partial(_matching, allowed=allowed, form=re.compile(form, re.ASCII)))


def _one_of(value: object, *, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        allowed = " or ".join(f"`{each}`" for each in choices)
        guess = did_you_mean(value, choices) if isinstance(value, str) else None
        raise ValueError(f"{_found(value)} does not fit: it takes {allowed}" + (f"; {guess}" if guess else ""))
    return value


def choice(*choices: str) -> Kind:
    """One of a few words."""
    return Kind(" or ".join(choices), partial(_one_of, choices=choices))


def _whole(value: object, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{_found(value)} does not fit: it takes a whole number from {least:,} to {most:,}")
    return value


def _read_whole(text: str) -> object:
    return int(text) if re.fullmatch(r"[-+]?[0-9]{1,15}", text) else text


def whole(least: int, most: int) -> Kind:
    """A whole number from `least` to `most`."""
    return Kind("whole number", partial(_whole, least=least, most=most), _read_whole)


def _number(value: object, *, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{_found(value)} does not fit: it takes a number from {least:g} to {most:g}")
    return float(value)


def _read_number(text: str) -> object:
    return float(text) if re.fullmatch(r"[-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?", text) else text


def number(least: float, most: float) -> Kind:
    """A number from `least` to `most`."""
    return Kind("number", partial(_number, least=least, most=most), _read_number)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{_found(value)} does not fit: it takes true or false")
    return value


def _read_switch(text: str) -> object:
    plain = text.strip().lower()
    return plain in _TRUE if plain in _TRUE + _FALSE else text


def _zone(value: object) -> str:
    if isinstance(value, str) and is_zone(value):
        return value
    known = zone_names()
    if len(known) == 1:
        raise ValueError("this machine knows no time zones: install the package tzdata")
    guess = did_you_mean(value, known) if isinstance(value, str) else None
    advice = guess or "it takes a name such as Europe/Oslo"
    raise ValueError(f"{_found(value)} is not a time zone; {advice}")


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError(f"{_found(value)} is not a path")
    return Path(value)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        length = value
    elif isinstance(value, str):
        length = parse_duration(value)
    else:
        raise ValueError(f'{_found(value)} is not a length of time: write text such as "30 days"')
    if length <= timedelta():
        raise ValueError(f"{_found(value)} does not fit: it takes more than nothing")
    return length


def _moment(value: object) -> date:
    """A date, or a datetime with or without a zone; the settings give a naive one the site's zone."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == len("1997-10-01") else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"{_found(value)} is not a moment: write 1997-10-01 or 1997-10-01T12:00")


def _day(value: object) -> date:
    if isinstance(value, str):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f"{_found(value)} is not a day: write 2026-05-01")


def _texts(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"it takes a list of {what}")
    if len(set(value)) < len(value):
        raise ValueError(f"the list of {what} names one of them twice")
    return tuple(value)


def _read_texts(text: str) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _purposes(value: object) -> tuple[str, ...]:
    purposes = _texts(value, "purposes")
    if not purposes:
        raise ValueError("it takes at least one purpose, such as measure")
    for purpose in purposes:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", purpose):
            raise ValueError(f"{quoted(purpose)} is not a purpose: it takes small letters, digits, - and _")
    return purposes


def _excluded(value: object) -> tuple[str, ...]:
    paths = _texts(value, "paths")
    for path in paths:
        if not path.startswith("/") or "*" in path[:-1]:
            raise ValueError(f"{quoted(path)} does not fit: a path begins with / and has * only at its end")
    return paths


def _networks(value: object) -> tuple[str, ...]:
    networks = _texts(value, "addresses and networks")
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"{quoted(network)} is not an address or a network such as 10.0.0.0/8") from None
    return networks


def _upstream(value: object) -> str:
    allowed = "an address such as http://127.0.0.1:9000, without a path"
    text = _matching(value, allowed=allowed, form=_UPSTREAM)
    port = text.rpartition(":")[2].rstrip("/")
    if port.isdigit() and not 1 <= int(port) <= 65535:
        raise ValueError(f"{_found(value)} does not fit: a port is a number from 1 to 65,535")
    return text.rstrip("/").lower()


def _secret_keys(value: object) -> tuple[str, ...]:
    """The keys; what is wrong with one is told by its place in the list, never by its text."""
    keys = _texts(value, "keys")
    for place, key in enumerate(keys, start=1):
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"key {place} has {len(key)} characters: it takes at least {SHORTEST_KEY}")
        if _is_weak(key):
            raise ValueError(f"key {place} can be guessed")
    return keys


def _is_weak(key: str) -> bool:
    plain = key.lower()
    repeats = plain in (plain + plain)[1:-1]
    return repeats or len(set(key)) < FEWEST_DIFFERENT or any(word in plain for word in _WEAK_WORDS)


TEXT = Kind("text", _text)
SWITCH = Kind("true or false", _switch, _read_switch)
ZONE = Kind("time zone", _zone)
PATH = Kind("path", _path)
DURATION = Kind("length of time", _duration)
MOMENT = Kind("moment", _moment)
DATE = Kind("date", _day)
PURPOSES = Kind("list of purposes", _purposes, _read_texts)
EXCLUDED_PATHS = Kind("list of paths", _excluded, _read_texts)
NETWORKS = Kind("list of networks", _networks, _read_texts)
UPSTREAM = Kind("address", _upstream)
HOST = pattern("host", "a host such as shop.example or shop.example:8080", _HOST_FORM)
SECRET_KEYS = Kind("list of keys", _secret_keys, _read_texts)
PREFIX = pattern("path", "a path such as /_personalize, without a / at its end", r"(?:/[A-Za-z0-9._~-]+)+")
