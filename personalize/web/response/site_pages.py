"""What all responses of one wrapped site go by."""

from dataclasses import dataclass

from personalize.runtime.seen import SeenMarks
from personalize.web.caching.head_policy import HeadPolicy
from personalize.web.html.shells import Shells
from personalize.web.request.paths import PathMemory


@dataclass(frozen=True, slots=True)
class SitePages:
    """The `token` of the slot tag, the pages and paths that came before, what heads say to caches, and what writes
    the marks of slots, where it is counted which came into view."""

    token: bytes
    shells: Shells
    paths: PathMemory
    policy: HeadPolicy
    seen_marks: SeenMarks | None = None
