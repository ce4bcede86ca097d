"""Pages whose bytes came before: what stands in them was found then, and is not looked for again.

A site that puts nothing personal into its pages sends the same shell to everybody; only the slots differ.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from personalize.rules.definitions import Placement
from personalize.web.html.doubts import Doubt
from personalize.web.html.pieces import Copy, Layout
from personalize.web.html.scanner import NO_PLACEMENTS, Scanner
from personalize.web.request.paths import LONGEST_PATH

#: How many shells are kept, and how long one may be in bytes: 32 MB at most for a worker.
MOST_SHELLS = 64
LONGEST_SHELL = 262_144
_MOST_SEEN = 1_000
#: After so many pages of a path of which none was kept, two in a row of so many are looked at: the same may come twice.
_MANY = 32
_A_FEW = 16


@dataclass(frozen=True, slots=True)
class Shell:
    """One page with its pieces laid out in order, none where it leaves as it came. `unknown` names written slots that
    no rule file defines, `doubts` are by slot."""

    body: bytes
    layout: Layout
    unknown: frozenset[str]
    doubts: Mapping[str, Doubt]


class Shells:
    """Scans whole pages, each distinct one once, and remembers those that came at least twice.

    A page that never comes again is never kept; the one not seen for longest makes room for the next. Which
    slots there are changes with the rule set, so each `version` begins anew.
    """

    def __init__(self, token: bytes) -> None:
        self._token = token
        #: For filling pages whose pieces are known: it was fed nothing, and knows how to take marks out.
        self.unfed = Scanner(token=token, written=False)
        self._kept: OrderedDict[int, Shell] = OrderedDict()
        self._latest: OrderedDict[str, Shell] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._news: dict[str, int] = {}
        self._version: str | None = None

    def shell(
        self,
        body: bytes,
        path: str,
        version: str | None,
        known: Callable[[str], bool],
        placements: Mapping[str, Placement] = NO_PLACEMENTS,
        encoding: str = "utf-8",
    ) -> Shell:
        """What stands in this page, under the rule set of this version, whose slots are `known`; those with
        `placements` stand where a selector finds them in a page of this encoding.

        `path` is where to look first: comparing with what came there last is quicker than hashing a page.
        """
        if version != self._version:
            self._kept.clear()
            self._latest.clear()
            self._version = version
        latest = self._latest.get(path)
        if latest is not None and latest.body == body:
            self._latest.move_to_end(path)
            return latest
        if self._is_ever_new(path):
            return self._scan(body, known, placements, encoding)
        shell = self._by_hash(body, lambda: self._scan(body, known, placements, encoding))
        if self._kept.get(hash(body)) is shell:
            self._news.pop(path, None)
            self._latest[path] = shell
            if len(self._latest) > MOST_SHELLS:
                self._latest.popitem(last=False)
        return shell

    def _is_ever_new(self, path: str) -> bool:
        """Whether this page is not worth being remembered: where many in a row never came again, only one of a few is
        looked at, since hashing a page takes a fifth of scanning it."""
        if len(path) > LONGEST_PATH:
            return True
        if len(self._news) >= _MOST_SEEN:
            self._news.clear()
        news = self._news[path] = self._news.get(path, 0) + 1
        return news > _MANY and news % _A_FEW > 1

    def _by_hash(self, body: bytes, scan: Callable[[], Shell]) -> Shell:
        key = hash(body)
        kept = self._kept.get(key)
        if kept is not None and kept.body == body:
            self._kept.move_to_end(key)
            return kept
        shell = scan()
        if len(body) <= LONGEST_SHELL and self._came_before(key):
            self._kept[key] = shell
            if len(self._kept) > MOST_SHELLS:
                self._kept.popitem(last=False)
        return shell

    def _came_before(self, key: int) -> bool:
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return False

    def _scan(
        self, body: bytes, known: Callable[[str], bool], placements: Mapping[str, Placement], encoding: str
    ) -> Shell:
        scanner = Scanner(token=self._token, known=known, placements=placements, encoding=encoding)
        pieces = scanner.last(body)
        if all(isinstance(piece, Copy) for piece in pieces):
            pieces = []  # it leaves as it came
        return Shell(body, Layout(pieces), frozenset(scanner.unknown), scanner.doubts.by_slot)
