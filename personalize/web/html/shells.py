"""Pages whose bytes came before: what stands in them was found then, and is not looked for again.

A site that puts nothing personal into its pages sends the same shell to everybody; only the slots differ.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from personalize.rules.definitions import Placement
from personalize.web.html.charset import declared_until, page_encoding
from personalize.web.html.doubts import Doubt
from personalize.web.html.outlines import Outline, outline_of
from personalize.web.html.pieces import Copy, Layout, Piece, Slot, lay_out
from personalize.web.html.scanner import Scanner
from personalize.web.request.paths import LONGEST_PATH

#: How many shells are kept, and how long one may be in bytes: 32 MB at most for a worker.
MOST_SHELLS = 64
LONGEST_SHELL = 262_144
_MOST_SEEN = 1_000
#: After so many pages of a path of which none was kept, two in a row of so many are looked at: the same may come twice.
_MANY = 32
_A_FEW = 16
#: In the place of pieces, where a page leaves as it came.
_UNTOUCHED = Layout((), [], (), ())
_NO_DOUBTS: Mapping[str, Doubt] = MappingProxyType({})


class KnownSlots(Protocol):
    """The slots that a rule set defines: which they are depends on its version."""

    @property
    def version(self) -> str | None:
        """The rule set, None where there is none."""

    @property
    def placements(self) -> Mapping[str, Placement]:
        """The slots that stand where a selector finds them."""

    def knows(self, slot_id: str) -> bool:
        """Whether it defines this slot."""


class Shell:
    """One page of this content type, with its pieces laid out in order, none where it leaves as it came.

    `encoding` is None where nothing can be found in it. `unknown` names written slots that no rule file defines,
    `doubts` are by slot. `outline` is what the next page from there may have in common with it.
    """

    __slots__ = ("body", "content_type", "doubts", "encoding", "layout", "outline", "unknown")

    def __init__(
        self,
        body: bytes,
        content_type: str,
        encoding: str | None,
        layout: Layout,
        *,
        unknown: frozenset[str] = frozenset(),
        doubts: Mapping[str, Doubt] = _NO_DOUBTS,
        outline: Outline | None = None,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.encoding = encoding
        self.layout = layout
        self.unknown = unknown
        self.doubts = doubts
        self.outline = outline

    @property
    def is_plain(self) -> bool:
        """Whether nothing is in it that is ours to look at."""
        return not (self.layout.pieces or self.unknown or self.doubts or self.encoding is None)


class Shells:
    """Scans whole pages, each distinct one once, and remembers those that came at least twice.

    A page that never comes again is never kept; the one not seen for longest makes room for the next. Which
    slots there are changes with the rule set, so each version begins anew.
    """

    def __init__(self, token: bytes) -> None:
        self._token = token
        #: Takes marks out of what is not read.
        self.without_marks: Callable[[bytes], bytes] = Scanner(token=token, written=False).without_marks
        self._kept: OrderedDict[int, Shell] = OrderedDict()
        self._latest: OrderedDict[str, Shell] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._news: dict[str, int] = {}
        self._version: str | None = None

    def shell(self, body: bytes, path: str, content_type: str, slots: KnownSlots) -> Shell:
        """What stands in this page.

        `path` is where to look first: comparing with what came there last is quicker than hashing a page.
        """
        if (version := slots.version) != self._version:
            self._kept.clear()
            self._latest.clear()
            self._version = version
        latest = self._latest.get(path)
        if latest is not None and latest.content_type == content_type:
            if latest.body == body:
                self._latest.move_to_end(path)
                return latest
            if latest.outline is not None and (shell := _like(latest, latest.outline, body)) is not None:
                self._remember(path, shell)
                return shell
        if self._is_ever_new(path):
            shell = self._scan(body, content_type, slots)
        else:
            shell = self._by_hash(body, content_type, slots)
            if self._kept.get(hash(body)) is shell:
                self._news.pop(path, None)
                self._remember(path, shell)
                return shell
        if shell.outline is not None and len(path) <= LONGEST_PATH:
            self._remember(path, shell)
        return shell

    def _remember(self, path: str, shell: Shell) -> None:
        self._latest[path] = shell
        self._latest.move_to_end(path)
        if len(self._latest) > MOST_SHELLS:
            self._latest.popitem(last=False)

    def _is_ever_new(self, path: str) -> bool:
        """Whether this page is not worth being remembered: where many in a row never came again, only one of a few is
        looked at, since hashing a page takes a fifth of scanning it."""
        if len(path) > LONGEST_PATH:
            return True
        if len(self._news) >= _MOST_SEEN:
            self._news.clear()
        news = self._news[path] = self._news.get(path, 0) + 1
        return news > _MANY and news % _A_FEW > 1

    def _by_hash(self, body: bytes, content_type: str, slots: KnownSlots) -> Shell:
        key = hash(body)
        kept = self._kept.get(key)
        if kept is not None and kept.body == body and kept.content_type == content_type:
            self._kept.move_to_end(key)
            return kept
        shell = self._scan(body, content_type, slots)
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

    def _scan(self, body: bytes, content_type: str, slots: KnownSlots) -> Shell:
        encoding = page_encoding(content_type, body)
        if encoding is None:
            return Shell(body, content_type, None, _UNTOUCHED)
        placements = slots.placements
        scanner = Scanner(token=self._token, known=slots.knows, placements=placements, encoding=encoding)
        pieces = scanner.last(body)
        early = self._keep_early(pieces, declared_until(content_type, body))
        layout = lay_out(pieces, self.without_marks)
        if not layout.slot_ids and all(isinstance(piece, Copy) for piece in pieces):
            layout = _UNTOUCHED
        doubts = {**scanner.doubts.by_slot, **early} if early else scanner.doubts.by_slot
        outline = None
        if not (scanner.reads_written or placements or doubts) and len(body) <= LONGEST_SHELL:
            outline = outline_of(layout, self._token)
        unknown = frozenset(scanner.unknown)
        return Shell(body, content_type, encoding, layout, unknown=unknown, doubts=doubts, outline=outline)

    def _keep_early(self, pieces: list[Piece], until: int) -> Mapping[str, Doubt]:
        """Let slots before the byte where the page says its encoding be as the page has them; the doubts about them."""
        early: dict[str, Doubt] = {}
        passed = 0
        for place, piece in enumerate(pieces):
            if passed >= until:
                break
            if isinstance(piece, Slot):
                early[piece.slot_id] = Doubt.EARLY
                pieces[place] = Copy(piece.kept(self.without_marks(piece.inside)))
            passed += len(piece.data)
        return early


def _like(latest: Shell, outline: Outline, body: bytes) -> Shell | None:
    """The shell of a page that has most in common with the latest one from there, as this outline tells."""
    again = outline.again(body) if len(body) <= LONGEST_SHELL else None
    if again is None:
        return None
    content_type, layout = latest.content_type, again.layout
    encoding, first = page_encoding(content_type, body), layout.pieces[0]
    if encoding is None or declared_until(content_type, body) > (len(first.data) if isinstance(first, Copy) else 0):
        return None
    return Shell(body, content_type, encoding, layout, outline=again)
