"""What may be remembered of whom, and for how long: the section `[privacy]` of the settings."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from personalize.setting_kinds import DURATION, PURPOSES, TEXT, choice, of_kind


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What may be remembered of whom."""

    gpc: Literal["refuse", "ignore"] = field(
        default="refuse",
        metadata=of_kind(choice("refuse", "ignore"), "What Sec-GPC: 1 means until the visitor says otherwise."),
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
    shared_device_header: str | None = field(
        default=None,
        metadata=of_kind(TEXT, "Header of requests from devices of many people: a login there takes no past over."),
    )
