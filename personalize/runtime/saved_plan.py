"""A plan kept in a file: which draft is to go live over which version, so that exactly that can be published."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from personalize.runtime.draft import Draft

#: The form of the file; another one is refused instead of being guessed at.
_FORM = 1


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What was planned: `version` goes live over `base`, None where nothing was live. `digests` are of the files that
    make the version, by path."""

    base: str | None
    version: str
    digests: Mapping[str, str]

    @classmethod
    def of(cls, draft: Draft, base: str | None) -> "SavedPlan":
        """The plan to publish this draft over that version."""
        return cls(base, draft.version, {path: _digest(text) for path, text in draft.files.items()})

    def as_data(self) -> dict[str, object]:
        """The plan as it is written to a file, to be put into JSON."""
        return {"form": _FORM, "base": self.base, "version": self.version, "files": dict(self.digests)}

    def files_changed(self, draft: Draft) -> Iterator[tuple[str, str]]:
        """What became of files since then: `new`, `changed` or `removed`, and the path."""
        for path in sorted({*draft.files, *self.digests}):
            if path not in self.digests:
                yield "new", path
            elif path not in draft.files:
                yield "removed", path
            elif _digest(draft.files[path]) != self.digests[path]:
                yield "changed", path


def read_plan(text: str) -> SavedPlan:
    """The plan in the text of a file. Raises ValueError with a sentence for one that is none."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(data, dict) or data.get("form") != _FORM:
        raise ValueError("it was not written by `personalize plan --out`, or by another version of it")
    base, version, files = data.get("base"), data.get("version"), data.get("files")
    if not (isinstance(base, str | None) and isinstance(version, str) and isinstance(files, dict)):
        raise ValueError("`base`, `version` or `files` is missing in it")
    return SavedPlan(base, version, {str(path): str(digest) for path, digest in files.items()})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
