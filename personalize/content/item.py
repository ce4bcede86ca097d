"""A content item: what a slot can show, ready to be written into a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from personalize.content.render import Rendering
from personalize.events.event import JSONValue


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One thing an editor wrote, with its markup worked out when it was loaded.

    `item_id` is `collection/name`; `title` is as written, placeholders and all. `from_at` and `until_at` bound
    when it may be shown (until excluded); None is no bound. `fields` hold typed values as events do: money in the
    smallest unit, dates as ISO text, an image as `{"src": …, "alt": …}`; fields left empty are not there.
    """

    item_id: str
    collection: str
    kind: str
    title: str
    rendering: Rendering
    tags: frozenset[str] = frozenset()
    fields: Mapping[str, JSONValue] = field(default_factory=lambda: MappingProxyType({}))
    priority: int = 0
    from_at: datetime | None = None
    until_at: datetime | None = None
    file: str = ""
    line: int = 1

    def is_current(self, now: datetime) -> bool:
        """Whether it may be shown at this moment."""
        return (self.from_at is None or now >= self.from_at) and (self.until_at is None or now < self.until_at)
