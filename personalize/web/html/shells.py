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
from personalize.web.request.paths import LONGEST_PATH, remember

#: How many shells are kept, and how long one may be in bytes: 32 MB at most for a worker, and 16 more of outlines.
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
    `doubts` are by slot.
    """

    __slots__ = ("body", "content_type", "doubts", "encoding", "layout", "unknown")

    def __init__(
        self,
        body: bytes,
        content_type: str,
        encoding: str | None,
        layout: Layout,
        *,
        unknown: frozenset[str] = frozenset(),
        doubts: Mapping[str, Doubt] = _NO_DOUBTS,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.encoding = encoding
        self.layout = layout
        self.unknown = unknown
        self.doubts = doubts

    @property
    def is_plain(self) -> bool:
        """Whether nothing is in it that is ours to look at."""
        return not (self.layout.pieces or self.unknown or self.doubts or self.encoding is None)


class Shells:
    """Scans whole pages, each distinct one once, and remembers those that came at least twice.

    A page that never comes again is never kept: of the latest one from there it is known what the next may have in
    common with it. The one not seen for longest makes room for the next. Which slots there are changes with the rule
    set, so each version begins anew.
    """

    def __init__(self, token: bytes) -> None:
        self._token = token
        #: Takes marks out of what is not read.
        self.without_marks: Callable[[bytes], bytes] = Scanner(token=token, written=False).without_marks
        self._kept: OrderedDict[int, Shell] = OrderedDict()
        self._latest: OrderedDict[str, Shell] = OrderedDict()
        self._outlines: OrderedDict[str, Outline] = OrderedDict()
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
            self._outlines.clear()
            self._version = version
        latest = self._latest.get(path)
        if latest is not None and latest.body == body and latest.content_type == content_type:
            self._latest.move_to_end(path)
            return latest
        outline = self._outlines.get(path)
        if outline is None and path not in self._news:
            outline = self._outlines.get(_folder(path))  # one template often makes the pages beside one another
        shell = None if outline is None else self._like(outline, body, path, content_type)
        return shell or self._searched(body, path, content_type, slots)

    def _like(self, outline: Outline, body: bytes, path: str, content_type: str) -> Shell | None:
        """The shell of a page that has this outline, but for a few texts."""
        again = outline.again(body) if len(body) <= LONGEST_SHELL else None
        if again is None:
            return None
        encoding, layout = page_encoding(content_type, body), again.layout
        if encoding is None or declared_until(content_type, body) > layout.first_slot_at:
            return None
        shell = Shell(body, content_type, encoding, layout if layout.slot_ids else _UNTOUCHED)
        if again is outline:
            remember(self._latest, path, shell, most=MOST_SHELLS)
        else:
            self._keep_outline(again, path)
        return shell

    def _searched(self, body: bytes, path: str, content_type: str, slots: KnownSlots) -> Shell:
        """The shell of a page that is not like the last one from there; if it came before, as it was then."""
        if self._is_ever_new(path):
            return self._scan(body, path, content_type, slots)
        shell = self._by_hash(body, path, content_type, slots)
        if self._kept.get(hash(body)) is shell:
            self._news.pop(path, None)
            remember(self._latest, path, shell, most=MOST_SHELLS)
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

    def _by_hash(self, body: bytes, path: str, content_type: str, slots: KnownSlots) -> Shell:
        key = hash(body)
        kept = self._kept.get(key)
        if kept is not None and kept.body == body and kept.content_type == content_type:
            self._kept.move_to_end(key)
            return kept
        shell = self._scan(body, path, content_type, slots)
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

    def _scan(self, body: bytes, path: str, content_type: str, slots: KnownSlots) -> Shell:
        encoding = page_encoding(content_type, body)
        if encoding is None:
            return Shell(body, content_type, None, _UNTOUCHED)
        placements = slots.placements
        scanner = Scanner(token=self._token, known=slots.knows, placements=placements, encoding=encoding)
        pieces = scanner.last(body)
        early = self._keep_early(pieces, declared_until(content_type, body))
        layout = lay_out(pieces, self.without_marks)
        doubts = {**scanner.doubts.by_slot, **early} if early else scanner.doubts.by_slot
        if not (scanner.reads_written or placements or doubts):
            outline = outline_of(layout, self._token)
            if outline is not None and len(body) <= LONGEST_SHELL:
                self._keep_outline(outline, path)
        if not layout.slot_ids and all(isinstance(piece, Copy) for piece in pieces):
            layout = _UNTOUCHED
        return Shell(body, content_type, encoding, layout, unknown=frozenset(scanner.unknown), doubts=doubts)

    def _keep_outline(self, outline: Outline, path: str) -> None:
        """Keep what the next page from there may have in common with this one, or the first from a path beside it."""
        if path not in self._outlines:
            remember(self._outlines, _folder(path), outline, most=MOST_SHELLS)
        remember(self._outlines, path, outline, most=MOST_SHELLS)

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


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]
