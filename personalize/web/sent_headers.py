"""The headers of a request as text, each decoded when somebody asks for it: a page asks for few of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class SentHeaders(Mapping[str, str]):
    """The values by lower-case name. Of several headers of a name the first counts; cookies are put together.

    `raw` holds the same as bytes, but for the cookies of further headers.
    """

    __slots__ = ("_pairs", "raw")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self.raw = {name.lower(): value for name, value in reversed(pairs)}

    @property
    def cookies(self) -> bytes:
        """The cookies of all headers."""
        if len(self.raw) == len(self._pairs):
            return self.raw.get(b"cookie", b"")
        return b"; ".join([value for name, value in self._pairs if name.lower() == b"cookie"])

    def __getitem__(self, name: str) -> str:
        value = self.raw[name.encode("latin-1", "replace")]
        return (self.cookies if name == "cookie" else value).decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        """The value or the default; nothing is raised on the way, since most of what is asked for is not there."""
        return self[name] if name.encode("latin-1", "replace") in self.raw else default

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self.raw)

    def __len__(self) -> int:
        return len(self.raw)
