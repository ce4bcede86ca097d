"""The headers of a request: by name, and as text, each decoded when somebody asks for it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class SentHeaders(Mapping[str, str]):
    """The values by lower-case name. Of several headers of a name the first counts; cookies are put together.

    `pairs` are the headers as they were sent; `raw` are the values as bytes, and knows nothing of the cookies of
    further headers, `cookies` are those of all headers.
    """

    __slots__ = ("cookies", "pairs", "raw")

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self.pairs = list(pairs)
        self.raw: Mapping[bytes, bytes] = {name.lower(): value for name, value in reversed(self.pairs)}
        self.cookies = self.raw.get(b"cookie", b"")
        if len(self.raw) < len(self.pairs):
            self.cookies = b"; ".join([value for name, value in self.pairs if name.lower() == b"cookie"])

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
