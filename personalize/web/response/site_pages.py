"""What all responses of one wrapped site go by."""

from dataclasses import dataclass

from personalize.web.caching.head_policy import HeadPolicy
from personalize.web.html.shells import Shells
from personalize.web.request.paths import PathMemory


@dataclass(frozen=True, slots=True)
class SitePages:
    """The `token` of the slot tag, the pages and paths that were seen before, and what heads say to caches."""

    token: bytes
    shells: Shells
    paths: PathMemory
    policy: HeadPolicy
