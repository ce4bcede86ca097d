"""The settings of one site, from personalize.toml and the environment (PERSONALIZE_*), read here alone.

What the file says counts before the defaults, the environment before the file, arguments before both.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from personalize.cache_settings import CacheSettings
from personalize.durations import format_duration
from personalize.errors import SettingsError
from personalize.privacy_settings import PrivacySettings
from personalize.problems import Problem, Problems, did_you_mean, quoted
from personalize.proxy_settings import ProxySettings
from personalize.setting_kinds import (
    DURATION,
    EXCLUDED_PATHS,
    MOMENT,
    PATH,
    PREFIX,
    SECRET_KEYS,
    SWITCH,
    TEXT,
    ZONE,
    Kind,
    choice,
    number,
    of_kind,
    pattern,
    whole,
)
from personalize.webhook_settings import WebhookSettings

FILE_NAME = "personalize.toml"
PREFIX_OF_VARIABLES = "PERSONALIZE_"
#: Names the file itself, so that the workers of a server find it.
FILE_VARIABLE = "PERSONALIZE_SETTINGS"
#: Asks whoever installs the package to compile it; it may stay set where the package then runs.
BUILD_VARIABLE = "PERSONALIZE_COMPILED"
#: Variables of the test suite, which what it starts inherits.
TEST_VARIABLES = "PERSONALIZE_TEST_"
CURRENCY = pattern("currency", "three capital letters such as EUR", r"[A-Z]{3}")
LANGUAGE = pattern("language", "a language tag such as en or nb-NO", r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
COOKIE = pattern("cookie name", "letters, digits, - and _", r"(?!__)[A-Za-z0-9_-]{1,64}")
OWN_FACTS = pattern(
    "module and name",
    "a module and a name such as shop.facts:own_facts",
    r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*",
)
APP = pattern("application", "a module and a name such as shop.main:app", r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class CookieSettings:
    """The cookies: who the visitor is, what was agreed to, and the arm of those who let us only measure."""

    name: str = field(default="pz", metadata=of_kind(COOKIE, "Cookie with the signed id of the visitor."))
    max_age_days: int = field(default=395, metadata=of_kind(whole(1, 400), "How long browsers keep these cookies."))
    consent_name: str = field(default="pz_consent", metadata=of_kind(COOKIE, "Cookie with what was agreed to."))
    arm_name: str = field(default="pz_arm", metadata=of_kind(COOKIE, "Cookie of those who only let you measure."))


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """The queue between a page view and the log."""

    queue_size: int = field(
        default=10_000,
        metadata=of_kind(whole(1, 10_000_000), "Events that may wait; what comes then is counted."),
    )
    batch_size: int = field(default=1_000, metadata=of_kind(whole(1, 100_000), "Events in one transaction, at most."))
    flush_seconds: float = field(
        default=0.2, metadata=of_kind(number(0.001, 60), "How long an event waits for others, at most.")
    )


@dataclass(frozen=True, slots=True)
class VisitSettings:
    """When a visit ends, and when a visitor counts as cooling or lapsed."""

    ends_after: timedelta = field(
        default=timedelta(minutes=30), metadata=of_kind(DURATION, "Silence that ends a visit.")
    )
    cooling_after: timedelta = field(
        default=timedelta(days=30), metadata=of_kind(DURATION, "Silence after which a visitor is cooling.")
    )
    lapsed_after: timedelta = field(
        default=timedelta(days=90), metadata=of_kind(DURATION, "Silence after which a visitor is lapsed.")
    )


@dataclass(frozen=True, slots=True)
class InterestSettings:
    """How fast interests fade."""

    half_life: timedelta = field(
        default=timedelta(days=30), metadata=of_kind(DURATION, "After so long, what taught an interest counts half.")
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one site. Relative paths, also in an `sqlite:` store, are resolved beside `root`."""

    root: Path
    app: str | None = field(default=None, metadata=of_kind(APP, "The site that is served: a module and a name."))
    zone: str = field(default="UTC", metadata=of_kind(ZONE, "The site's time zone, such as Europe/Oslo."))
    currency: str = field(default="EUR", metadata=of_kind(CURRENCY, "The site's one currency."))
    currency_digits: int = field(default=2, metadata=of_kind(whole(0, 4), "Decimals of the currency."))
    language: str = field(default="en", metadata=of_kind(LANGUAGE, "Language of content that names none."))
    prefix: str = field(
        default="/_personalize", metadata=of_kind(PREFIX, "Where our own pages live, such as the consent form.")
    )
    store: str = field(
        default="sqlite:var/personalize.db",
        repr=False,
        metadata=of_kind(TEXT, "Where events and profiles are kept."),
    )
    rules: Path = field(default=Path("rules"), metadata=of_kind(PATH, "Folder of the rule files."))
    content: Path = field(default=Path("content"), metadata=of_kind(PATH, "Folder of the content items."))
    templates: Path = field(
        default=Path("content_templates"),
        metadata=of_kind(PATH, "Folder of the developer's template per collection."),
    )
    own_facts: str | None = field(
        default=None, metadata=of_kind(OWN_FACTS, "Facts of the site's own code: a module and a name.")
    )
    geoip: Path | None = field(
        default=None, metadata=of_kind(PATH, "GeoIP database (.mmdb) that tells where visitors are.")
    )
    reload: Literal["follow", "save"] = field(
        default="follow",
        metadata=of_kind(choice("follow", "save"), "Serve what was published, or (in development) every valid save."),
    )
    off: bool = field(default=False, metadata=of_kind(SWITCH, "Leave every page untouched."))
    at: datetime | None = field(
        default=None, metadata=of_kind(MOMENT, "Serve as of this moment of the past, recording nothing.")
    )
    secret_keys: tuple[str, ...] = field(
        default=(), repr=False, metadata=of_kind(SECRET_KEYS, "Keys that sign cookies, oldest to newest.")
    )
    key_file: Path = field(
        default=Path("var/personalize.key"),
        metadata=of_kind(PATH, "A key of our own, where secret_keys has none."),
    )
    excluded: tuple[str, ...] = field(
        default=(), metadata=of_kind(EXCLUDED_PATHS, "Paths that are never touched; may end in *.")
    )
    count_seen: bool = field(
        default=False, metadata=of_kind(SWITCH, "Have a script tell which slots came into view, not only left.")
    )
    time_budget_seconds: float = field(
        default=0.05, metadata=of_kind(number(0.001, 10), "How long a page waits for the profile, at most.")
    )
    cookie: CookieSettings = CookieSettings()
    privacy: PrivacySettings = PrivacySettings()
    ingest: IngestSettings = IngestSettings()
    visits: VisitSettings = VisitSettings()
    interests: InterestSettings = InterestSettings()
    cache: CacheSettings = CacheSettings()
    proxy: ProxySettings = ProxySettings()
    webhooks: WebhookSettings = WebhookSettings()

    def __post_init__(self) -> None:
        for name in ("rules", "content", "templates", "key_file"):
            object.__setattr__(self, name, self.root / getattr(self, name))
        if self.geoip is not None:
            object.__setattr__(self, "geoip", self.root / self.geoip)
        scheme, _, path = self.store.partition(":")
        if scheme == "sqlite" and path and path != ":memory:":
            object.__setattr__(self, "store", f"sqlite:{self.root / path}")


@dataclass(frozen=True, slots=True)
class SettingHelp:
    """One setting for people: its name in the file, its variable, what it takes, its default, its use."""

    name: str
    env: str
    type: str
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class _Slot:
    """One setting as the loader sees it: where it stands, and what it takes."""

    section: str
    key: str
    kind: Kind
    default: object
    help: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def flat(self) -> str:
        return self.name.replace(".", "_")

    @property
    def variable(self) -> str:
        return PREFIX_OF_VARIABLES + self.flat.upper()


def _slots() -> tuple[_Slot, ...]:
    return tuple(_slots_of(Settings, ""))


def _slots_of(cls: type[Settings] | type[object], section: str) -> Iterator[_Slot]:
    own: tuple[Field[object], ...] = fields(cls)  # type: ignore[arg-type]
    for each in own:
        if "kind" in each.metadata:
            yield _Slot(section, each.name, each.metadata["kind"], each.default, each.metadata["help"])
        elif each.name != "root":
            yield from _slots_of(type(each.default), each.name)


def describe_settings() -> tuple[SettingHelp, ...]:
    """Every setting with its variable, type, default and use, in the order of the documentation."""
    return tuple(
        SettingHelp(slot.name, slot.variable, slot.kind.title, _printed(slot.default), slot.help) for slot in _slots()
    )


def _printed(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def find_settings(named: Path | str | None, environ: Mapping[str, str]) -> Path | None:
    """The settings file of a site: the one named, else PERSONALIZE_SETTINGS, else personalize.toml in the
    working directory; None where there is none."""
    if named is None and environ.get(FILE_VARIABLE):
        named = environ[FILE_VARIABLE]
    if named is not None:
        return Path(named)
    return Path(FILE_NAME) if Path(FILE_NAME).exists() else None


def load_settings(path: Path | None, environ: Mapping[str, str], **overrides: object) -> Settings:
    """The settings of a site, checked.

    `path` is personalize.toml; without it the file that PERSONALIZE_SETTINGS names, else none. `root` is the
    folder of the file, else the working directory. `overrides` are named as in the environment, in small
    letters (`store=…`, `cookie_name=…`), and `root`; those that are None count as not given. An empty
    variable counts as not set. Raises SettingsError with all problems at once.
    """
    problems = Problems()
    given = {name: value for name, value in overrides.items() if value is not None}
    if path is None and environ.get(FILE_VARIABLE):
        path = Path(environ[FILE_VARIABLE])
    root = given.pop("root", None)
    folder = Path(root) if isinstance(root, str | Path) else (path.parent if path else Path.cwd())
    values: dict[str, object] = {}
    if path is not None:
        values |= _from_file(path, problems)
    values |= _from_environ(environ, problems)
    values |= _from_overrides(given, problems)
    settings = _built(folder.absolute(), values, problems)
    if problems.has_errors:
        raise SettingsError(problems.list)
    return settings


def _from_file(path: Path, problems: Problems) -> dict[str, object]:
    text = _read(path, problems)
    tables = {} if text is None else _tables(text, str(path), problems)
    slots = {slot.name: slot for slot in _slots()}
    sections = {slot.section for slot in slots.values()}
    values: dict[str, object] = {}
    for name, value in _flattened(tables, sections):
        line = _line_of(text or "", name)
        if (slot := slots.get(name)) is not None:
            _check(slot, value, values, Problem(_code(slot), name, str(path), line), problems)
        elif name in sections:
            message = f"`{name}` holds several settings: write [{name}] in a line of its own above them"
            problems.add(Problem("E053", message, str(path), line))
        else:
            hint = did_you_mean(name, sections.union(slots))
            problems.add(Problem("E052", f"{quoted(name)} is not a setting", str(path), line, hint=hint))
    return values


#: Where the parser of TOML sees a fault that it has no line for.
_AT_END = " (at end of document)"


def _tables(text: str, file: str, problems: Problems) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        reason, _, place = str(error).partition(" (at line ")
        spot = re.fullmatch(r"([0-9]+), column ([0-9]+)\)", place)
        last = text.count("\n") + 1
        line, column = (int(spot[1]), int(spot[2])) if spot else (last, len(text) - text.rfind("\n"))
        problems.add(Problem("E051", f"this is not TOML: {reason.removesuffix(_AT_END)}", file, line, column))
        return {}


def _read(path: Path, problems: Problems) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problems.error("E050", f"the settings cannot be read: {error.strerror}", file=str(path))
    except UnicodeDecodeError:
        hint = 'save the file with the encoding "UTF-8"'
        problems.error("E050", "the settings are not UTF-8", hint=hint, file=str(path))
    return None


def _flattened(tables: Mapping[str, object], sections: set[str]) -> Iterator[tuple[str, object]]:
    """Every key with its section in front; a table with an unknown name counts as one key."""
    for key, value in tables.items():
        if key in sections and isinstance(value, dict):
            yield from ((f"{key}.{inner}", each) for inner, each in value.items())
        else:
            yield key, value


def _line_of(text: str, name: str) -> int | None:
    """The line of a setting, which tomllib does not tell: found again by its section and key.

    Where the key has no line of its own, as in `visits = {ends_after = "1 hour"}`, it is that of the table.
    """
    section, around = "", None
    for count, line in enumerate(text.split("\n"), start=1):
        plain = line.strip()
        if plain.startswith("["):
            section = _plain_key(plain.strip("[] \t").partition("]")[0])
            written = section
        else:
            written = ".".join(filter(None, (section, _plain_key(plain.partition("=")[0]))))
        if written == name or written.startswith(f"{name}."):
            return count
        if written and name.startswith(f"{written}."):
            around = count
    return around


def _plain_key(written: str) -> str:
    """A key without the blanks and quotes around its parts: `visits."ends_after"` is `visits.ends_after`."""
    return ".".join(part.strip(" \t\r\"'") for part in written.split("."))


def _from_environ(environ: Mapping[str, str], problems: Problems) -> dict[str, object]:
    slots = {slot.variable: slot for slot in _slots()}
    values: dict[str, object] = {}
    for variable, text in sorted(environ.items()):
        ours = variable.startswith(PREFIX_OF_VARIABLES) and not variable.startswith(TEST_VARIABLES)
        if not ours or variable in (FILE_VARIABLE, BUILD_VARIABLE) or not text:
            continue
        if (slot := slots.get(variable)) is None:
            hint = did_you_mean(variable, slots)
            problems.error("E052", f"the variable {quoted(variable)} is not a setting", hint=hint)
        else:
            _check(slot, slot.kind.read(text), values, Problem(_code(slot), variable), problems)
    return values


def _from_overrides(overrides: Mapping[str, object], problems: Problems) -> dict[str, object]:
    slots = {slot.flat: slot for slot in _slots()}
    values: dict[str, object] = {}
    for name, value in overrides.items():
        if (slot := slots.get(name)) is None:
            problems.error("E052", f"{quoted(name)} is not a setting", hint=did_you_mean(name, slots))
        else:
            _check(slot, value, values, Problem(_code(slot), name), problems)
    return values


def _code(slot: _Slot) -> str:
    return "E054" if slot.kind is SECRET_KEYS else "E053"


def _check(slot: _Slot, value: object, values: dict[str, object], place: Problem, problems: Problems) -> None:
    """Keep the checked value, or the problem: `place` carries the code, the place and the name as written."""
    try:
        values[slot.name] = slot.kind.check(value)
    except ValueError as error:
        problems.add(replace(place, message=f"`{place.message}`: {error}"))


def _built(root: Path, values: Mapping[str, object], problems: Problems) -> Settings:
    parts: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        parts.setdefault(section, {})[key] = value
    own = parts.pop("", {})
    if isinstance(moment := own.get("at"), date):
        own["at"] = _aware(moment, str(own.get("zone", "UTC")))
    defaults = Settings(root)
    sections = {name: replace(getattr(defaults, name), **given) for name, given in parts.items()}
    settings = replace(defaults, **own, **sections)  # type: ignore[arg-type]
    _check_together(settings, problems)
    return settings


def _aware(moment: date, zone: str) -> datetime:
    """The moment in UTC: naive means the site's zone, a date its midnight."""
    full = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)
    return (full if full.tzinfo is not None else full.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _check_together(settings: Settings, problems: Problems) -> None:
    visits = settings.visits
    if not visits.ends_after < visits.cooling_after < visits.lapsed_after:
        message = "visits: `ends_after` has to be shorter than `cooling_after`, and that than `lapsed_after`"
        problems.error("E055", message)
    cookie = settings.cookie
    if len({cookie.name, cookie.consent_name, cookie.arm_name}) < 3:
        problems.error("E055", "cookie: `name`, `consent_name` and `arm_name` have to be three cookies")
    if settings.ingest.batch_size > settings.ingest.queue_size:
        problems.error("E055", "ingest: `batch_size` cannot be more than `queue_size`")
    for section in (settings.cache, settings.privacy, settings.webhooks):
        if (contradiction := section.contradiction()) is not None:
            problems.error("E055", contradiction)
