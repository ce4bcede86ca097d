"""Paths: which are never touched, and which were seen to hold slots, or none."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, TypeVar

V = TypeVar("V")

#: How many paths of each kind are remembered, and how long one may be; the one not asked for for longest goes first.
MOST_PATHS: Final = 2_000
LONGEST_PATH: Final = 512
_NEVER_SEEN: Final = "never seen"


#: What caches in front of sites keep for everybody by its name alone, as Cloudflare does by default.
_ASSET: Final = re.compile(
    r"[^/]*\.(?:7z|apk|avif?|bin|bmp|bz2|class|css|csv|dmg|docx?|ejs|eot|eps|exe|flac|gif|gz|ico|iso|jar|jpe?g|js|json|"
    r"map|midi?|mkv|mp[34]|ogg|otf|pdf|pict|pls|png|pptx?|ps|rar|svgz?|swf|tar|tiff?|ttf|txt|wasm|web[mp]|woff2?|xlsx?|"
    r"xml|zip|zst)",
    re.ASCII | re.IGNORECASE,
)


def is_asset(path: str) -> bool:
    """Whether the name at the end of a path is one that a cache may take for a file for all, whatever comes from
    there: `/account/x.css` shows the account on many sites."""
    name = path.rpartition("/")[2]
    return "." in name and _ASSET.fullmatch(name) is not None


def pattern_of(paths: Iterable[str]) -> re.Pattern[str]:
    """What matches a whole path that is among these; one that ends in `*` stands for all that begin so."""
    patterns = (re.escape(one.removesuffix("*")) + (".*" if one.endswith("*") else "") for one in paths)
    return re.compile("|".join(patterns), re.DOTALL)


class PathMemory:
    """What was learned of paths: which hold slots, so that their next response is made right in time, and which hold
    none, so that nothing of theirs is looked at twice.

    That a path has slots stays true. That it has none is true of one rule set: the next may define a slot that the
    page has already. No path is in both at once: that it has slots counts.
    """

    def __init__(self) -> None:
        self._slotted: OrderedDict[str, None] = OrderedDict()
        self._plain: OrderedDict[str, str | None] = OrderedDict()

    def has_slots(self, path: str, version: str | None) -> bool | None:
        """Whether this path has slots under the rule set of this version; None where it is not known yet."""
        if self._plain.get(path, _NEVER_SEEN) == version:
            return False
        if path not in self._slotted:
            return None
        self._slotted.move_to_end(path)
        return True

    def add(self, path: str) -> None:
        """Remember that a path has slots."""
        self._plain.pop(path, None)
        remember(self._slotted, path, None, most=MOST_PATHS)

    def add_plain(self, path: str, version: str | None) -> None:
        """Remember that a path has none under the rule set of this version, unless it had any before."""
        if path not in self._slotted:
            remember(self._plain, path, version, most=MOST_PATHS)


def remember(by_path: OrderedDict[str, V], path: str, what: V, *, most: int) -> None:
    """Keep something of a path, in place of that of the path that came last longest ago where there are `most`."""
    if len(path) > LONGEST_PATH:
        return
    by_path[path] = what
    by_path.move_to_end(path)
    if len(by_path) > most:
        by_path.popitem(last=False)
