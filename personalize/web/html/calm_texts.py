"""What stands between the slot tags of pages and holds no written mark: templates write the same again and again."""

from collections import OrderedDict

from personalize.web.html.marks import open_mark
from personalize.web.html.occurrences import occurrences
from personalize.web.html.scanner import may_be_marked
from personalize.web.request.paths import LONGEST_PATH

#: How many paths are remembered, and how long a page may be in bytes: 16 MB at most for a worker.
_MOST_PATHS = 64
_LONGEST_PAGE = 262_144
#: In the place of texts, where one of them did hold a mark: such pages are left to the scanner.
_MARKED: list[bytes] = []


class CalmTexts:
    """The texts between the slot tags of the latest page of each path, where written marks stood in none.

    A page that is never the same twice differs from the last one in a few of them. To compare the others takes a tenth
    of searching them for a word in small and capital letters.
    """

    def __init__(self, token: bytes) -> None:
        self._begin = open_mark(token.decode(), "x").encode().removesuffix(b"x-->")
        self._texts: OrderedDict[str, list[bytes]] = OrderedDict()

    def may_be_marked(self, page: bytes, path: str) -> bool:
        """Whether a written mark may stand in the page that came from there. No is certain: what it had not in common
        with the last one was searched."""
        known = self._texts.get(path)
        if known is _MARKED or len(path) > LONGEST_PATH or len(page) > _LONGEST_PAGE:
            return True
        texts = self._parted(page)
        if len(texts) == 1:
            return True
        before = known or []
        for place, text in enumerate(texts):
            if (place >= len(before) or text != before[place]) and may_be_marked(text.lower()):
                self._remember(path, _MARKED)
                return True
        self._remember(path, texts)
        return False

    def _parted(self, page: bytes) -> list[bytes]:
        """The page, cut before each slot tag: that begins with a `<`, which no word of a written mark holds."""
        texts: list[bytes] = []
        begin = 0
        for end in occurrences(page, self._begin):
            texts.append(page[begin:end])
            begin = end
        texts.append(page[begin:])
        return texts

    def _remember(self, path: str, texts: list[bytes]) -> None:
        self._texts[path] = texts
        self._texts.move_to_end(path)
        if len(self._texts) > _MOST_PATHS:
            self._texts.popitem(last=False)
