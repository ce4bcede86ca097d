"""The headers of a request: by name, and as text, each decoded when somebody asks for it."""

from collections.abc import Iterator, Mapping
from typing import Any


class SentHeaders(Mapping[str, str]):
    """The values by lower-case name. Of several headers of a name the first counts; cookies are put together.

    `pairs` are the headers as they were sent, their names in lower case; `raw` are the values as bytes, and knows
    nothing of the cookies of further headers, `cookies` are those of all headers.
    """

    __slots__ = ("cookies", "pairs", "raw")

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs
        self.raw: dict[bytes, bytes] = dict(pairs)
        if not b"".join(self.raw).islower():  # as ASGI says that they are, which not every server knows
            self.pairs = pairs = [(name.lower(), value) for name, value in pairs]
            self.raw = dict(pairs)
        self.cookies = self.raw.get(b"cookie", b"")
        if len(self.raw) < len(pairs):  # some come several times
            self.raw = dict(reversed(pairs))
            self.cookies = b"; ".join([value for name, value in pairs if name == b"cookie"])

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
