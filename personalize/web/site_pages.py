"""What all responses of one wrapped site go by."""

from dataclasses import dataclass

from personalize.web.head_policy import HeadPolicy
from personalize.web.paths import PathMemory
from personalize.web.shells import Shells


@dataclass(frozen=True, slots=True)
class SitePages:
    """The `token` of the slot tag, the pages and paths that were seen before, and what heads say to caches."""

    token: bytes
    shells: Shells
    paths: PathMemory
    policy: HeadPolicy
