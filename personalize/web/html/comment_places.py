"""Where in a page a comment is a comment, and no letters in a title, a script or an attribute."""

from personalize.web.html.leaping_reader import MOST_UNREAD, LeapingReader
from personalize.web.html.page_context import RAW_TEXT


class CommentPlaces(LeapingReader):
    """Follows one page, in any pieces, as far as it takes to know what a comment would be there."""

    def __init__(self) -> None:
        super().__init__()
        self._unread: list[bytes] = []
        self._unread_size = 0

    @property
    def takes_comment(self) -> bool:
        """Whether a browser would read a comment here as one. In doubt, no."""
        self._catch_up()
        return not (self.is_lost or self.waits)

    def pass_by(self, data: bytes) -> None:
        """Go on over these bytes of the page, which are read when that is asked."""
        self._unread.append(data)
        self._unread_size += len(data)
        if self._unread_size > MOST_UNREAD:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._unread_size and not self.is_lost:
            self.read_chunk(b"".join(self._unread))
        self._unread, self._unread_size = [], 0

    def on_tag(self, name: bytes, is_end: bool, self_closing: bool, start: int, end: int) -> int:
        """Go into elements that hold text alone."""
        if not is_end:
            if name == b"script":
                self.expect_script()
            elif name in RAW_TEXT:
                self.expect_text(name)
            elif name == b"plaintext":
                self.lose()
        return end

    def on_comment(self, text: bytes, start: int, end: int) -> None:
        """The page's own comments mean nothing here."""
