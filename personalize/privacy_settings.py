"""What may be remembered of whom, and for how long: the section `[privacy]` of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

from personalize.durations import format_duration
from personalize.problems import quoted
from personalize.setting_kinds import DATE, DURATION, PURPOSES, TEXT, Kind, choice, of_kind


@dataclass(frozen=True, slots=True)
class Ages:
    """How old what is kept may become: `events` for whatever visitors did, `purposes` for whatever serves one of them.
    What is left out may become as old as it likes."""

    events: timedelta | None = None
    purposes: Mapping[str, timedelta] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class PurposeAge:
    """How old what serves a purpose may become."""

    purpose: str
    age: timedelta

    def __str__(self) -> str:
        return f"{self.purpose}={format_duration(self.age)}"


def _purpose_ages(value: object) -> tuple[PurposeAge, ...]:
    if not isinstance(value, Mapping):
        raise ValueError('it takes purposes with a length of time each, such as measure = "90 days"')
    return tuple(PurposeAge(_purpose(name), _age(name, age)) for name, age in value.items())


def _purpose(name: str) -> str:
    PURPOSES.check([name])
    return name


def _age(name: str, value: object) -> timedelta:
    try:
        age = DURATION.check(value)
    except ValueError as error:
        raise ValueError(f"{quoted(name)}: {error}") from None
    assert isinstance(age, timedelta)
    return age


def _read_purpose_ages(text: str) -> object:
    """Ages in a variable: `measure=90 days, mail=730 days`."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): age.strip() for name, _, age in pairs}


PURPOSE_AGES = Kind("length of time by purpose", _purpose_ages, _read_purpose_ages)
#: Where a site says that it honours Global Privacy Control.
GPC_RESOURCE = "/.well-known/gpc.json"


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What may be remembered of whom."""

    gpc: Literal["refuse", "ignore"] = field(
        default="refuse",
        metadata=of_kind(choice("refuse", "ignore"), "What Sec-GPC: 1 means until the visitor says otherwise."),
    )
    gpc_since: date | None = field(
        default=None,
        metadata=of_kind(DATE, "The site says in /.well-known/gpc.json that it honours Sec-GPC, since this day."),
    )
    purposes: tuple[str, ...] = field(
        default=("measure", "personalize"), metadata=of_kind(PURPOSES, "What visitors are asked to agree to.")
    )
    consent_text: str | None = field(
        default=None, metadata=of_kind(TEXT, "Which text they agree to, such as 2026-05; kept with every decision.")
    )
    forget_after: timedelta = field(
        default=timedelta(days=760),
        metadata=of_kind(DURATION, "Silence after which a browser that never logged in is forgotten."),
    )
    keep_events: timedelta | None = field(
        default=None, metadata=of_kind(DURATION, "What visitors did longer ago is removed, and not taken any more.")
    )
    keep: tuple[PurposeAge, ...] = field(
        default=(), metadata=of_kind(PURPOSE_AGES, "What serves a purpose is removed when it is so old.")
    )
    shared_device_header: str | None = field(
        default=None,
        metadata=of_kind(TEXT, "Header of requests from devices of many people: a login there takes no past over."),
    )

    @property
    def ages(self) -> Ages:
        """How old what is kept may become, by these settings."""
        return Ages(self.keep_events, MappingProxyType({each.purpose: each.age for each in self.keep}))

    def contradiction(self) -> str | None:
        """A sentence on settings that don't go together; None where all do."""
        if self.gpc_since is not None and self.gpc == "ignore":
            return "privacy: `gpc_since` says that Sec-GPC is honoured, and `gpc` that it is ignored"
        return None
