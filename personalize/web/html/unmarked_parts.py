"""A page in parts that is not filled, such as an error page of the site: its slot tags leave no marks behind."""

from personalize.web.html.pieces import Piece, Slot, Stray
from personalize.web.html.scanner import Scanner


class UnmarkedParts:
    """Takes the parts of one page in order, and gives them without the marks of this token."""

    def __init__(self, token: bytes) -> None:
        self._scanner = Scanner(token=token, written=False)

    def without_marks(self, data: bytes, *, is_last: bool) -> bytes:
        """What can leave by now: all but what may still become a mark, and slots that have only begun."""
        pieces = self._scanner.last(data) if is_last else self._scanner.feed(data)
        return b"".join(map(self._kept, pieces))

    def rest(self) -> bytes:
        """What is held of a page that has no end."""
        return b"".join(map(self._kept, self._scanner.close()))

    def _kept(self, piece: Piece) -> bytes:
        if isinstance(piece, Slot):
            return self._scanner.without_marks(piece.inside)
        return b"" if isinstance(piece, Stray) else piece.data
