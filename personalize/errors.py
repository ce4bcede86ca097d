"""Every error that personalize raises on purpose, as one tree; each carries the data needed to react.

PersonalizeError
├── SettingsError         personalize.toml or PERSONALIZE_* cannot be used        .problems
├── InvalidFiles          rule or content files cannot be loaded                  .problems
├── EventRefused          an event does not fit what is declared                  .code .reason .field
├── EventConflict         a sender has told something else under the same id      .sender .event_id
├── StoreError            the store did not do what was asked                     .reason
│   ├── StoreBusy         locked or overloaded: the same call may succeed later
│   ├── StoreUnavailable  gone, full or broken: somebody has to look
│   │   └── NewerStore    a newer version has changed it: start this process with that one   .change
│   ├── ReadOnlyStore     a store of the past, or one opened for reading only
│   └── StaleVersion      another rule set went live meanwhile: follow it and try again  .live
├── TakenOver             an anonymous visitor belongs to a login by now          .into
├── UnknownVersion        no rule set of this version is kept                     .version
├── ExportRefused         an export is cut, altered or none, or cannot be made    .reason
├── NotDelivered          a webhook did not take a message                        .reason .status
│   ├── AddressRefused    its name leads to an address that is not public
│   └── SecretUnreadable  the file with its keys cannot be used                   .path
├── MigrationRefused      one store does not become what another one is        .reason
├── CountingStopped       a process that counted with others ended before its work         .reason
├── ReadingStopped        a process that read rules did not come to its end       .reason
└── AwayFromRequest       a site's own fact asked for the request where there is none
"""

# ruff: noqa: N818 (the names say what happened: a busy store, a refused event)

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from personalize.problems import Problem


class PersonalizeError(Exception):
    """The root: `except PersonalizeError` catches whatever this package raises on purpose."""


class _ProblemsFound(PersonalizeError):
    """Carries all problems at once; as text, one line a problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class SettingsError(_ProblemsFound):
    """The settings cannot be used; `problems` names every one of them."""


class InvalidFiles(_ProblemsFound):
    """Rule or content files cannot be loaded; `problems` names every one of them."""


class EventRefused(PersonalizeError):
    """An event does not fit its declaration.

    `code` is stable and meant for programs, `reason` is a sentence for people, `field` the property at fault.
    `discreet` is the sentence without the value, which may tell of a person: for logs.
    """

    def __init__(self, code: str, reason: str, field: str | None = None, discreet: str | None = None) -> None:
        super().__init__(code, reason, field, discreet)
        self.code = code
        self.reason = reason
        self.field = field
        self.discreet = discreet or reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


class EventConflict(PersonalizeError):
    """A sender has recorded another event under the same id; that one is kept, and nothing of this one."""

    def __init__(self, sender: str, event_id: str) -> None:
        super().__init__(sender, event_id)
        self.sender = sender
        self.event_id = event_id

    def __str__(self) -> str:
        return f'"{self.sender}" has recorded another event as "{self.event_id}", and that one is kept'


class StoreError(PersonalizeError):
    """The store did not do what was asked; nothing of a refused write was kept."""

    def __init__(self, reason: str = "the store did not answer as expected") -> None:
        super().__init__(reason)
        self.reason = reason


class StoreBusy(StoreError):
    """The store is locked or overloaded; the same call may succeed in a moment."""

    def __init__(self, reason: str = "the store is busy") -> None:
        super().__init__(reason)


class StoreUnavailable(StoreError):
    """The store is gone, full or damaged; trying again will not help by itself."""

    def __init__(self, reason: str = "the store cannot be reached") -> None:
        super().__init__(reason)


class NewerStore(StoreUnavailable):
    """A newer version of personalize has changed the store, and this one does not know how to write to it any more.

    `change` names one of those that are new.
    """

    def __init__(self, change: str) -> None:
        super().__init__(
            f'the store was changed by a newer version of personalize (it has "{change}"): start again with that one'
        )
        self.args = (change,)
        self.change = change

    def __str__(self) -> str:
        return self.reason


class ReadOnlyStore(StoreError):
    """Something was to be written to a store of the past, or to one opened for reading."""

    def __init__(self, reason: str = "this store can only be read") -> None:
        super().__init__(reason)


class StaleVersion(StoreError):
    """Events were projected for a rule set that is not live any more; nothing of them was written.

    `live` is the version that is live by now: load it, and apply the same events again.
    """

    def __init__(self, live: str) -> None:
        super().__init__(f'the rule set "{live}" has gone live meanwhile')
        self.args = (live,)
        self.live = live

    def __str__(self) -> str:
        return self.reason


class ExportRefused(PersonalizeError):
    """An export can't be read, or none can be made; `reason` names the place."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MigrationRefused(PersonalizeError):
    """What one store keeps can't be moved to another, which holds something else; `reason` says what."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CountingStopped(PersonalizeError):
    """A process that counted with others ended before its work was done; `reason` is what is known of why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"a process that counted with this one has ended before its work was done: {self.reason}"


class ReadingStopped(PersonalizeError):
    """A process that read rules for this one did not come to its end; `reason` is what is known of why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"a process that read rules did not come to its end: {self.reason}"


class TakenOver(PersonalizeError):
    """An anonymous profile was to be erased by itself, and belongs to the person behind a login by now: `into`."""

    def __init__(self, profile_id: str, into: str) -> None:
        super().__init__(profile_id, into)
        self.profile_id = profile_id
        self.into = into

    def __str__(self) -> str:
        return f'"{self.profile_id}" is a browser that "{self.into}" has logged in with: that is whom to erase'


class UnknownVersion(PersonalizeError):
    """No rule set of this `version` is kept in the store."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return f'no rule set "{self.version}" is kept in the store'


class NotDelivered(PersonalizeError):
    """A webhook did not take a message: `reason` is a sentence without the address, `status` that of the answer."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason, status)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        return self.reason


class AddressRefused(NotDelivered):
    """The name of a webhook's host leads to an address that is not public; the setting `allow_private` permits that."""

    def __init__(self) -> None:
        super().__init__("its address is not public, and `webhooks.allow_private` is off")
        self.args = ()


class SecretUnreadable(NotDelivered):
    """The file with the keys of a webhook, at `path`, cannot be used; nothing of it is quoted."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.args = (path, reason)
        self.path = path

    def __str__(self) -> str:
        return f"the keys in {self.path} can't be used: {self.reason}"


class AwayFromRequest(PersonalizeError):
    """A site's own fact asked for the request where there is none, as when stored visitors are counted.

    Left to rise, it makes the fact missing there.
    """

    def __str__(self) -> str:
        return "no page is asked for"
