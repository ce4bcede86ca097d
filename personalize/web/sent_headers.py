"""The headers of a request as text, each decoded when somebody asks for it: a page asks for few of them."""

from collections.abc import Iterator, Mapping, Sequence


class SentHeaders(Mapping[str, str]):
    """The values by lower-case name. Of several headers of a name the first counts; cookies are put together.

    `raw` holds the same as bytes, but for the cookies of further headers.
    """

    __slots__ = ("_pairs", "raw")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self.raw = {name.lower(): value for name, value in reversed(pairs)}

    def text(self, name: bytes) -> str:
        """The value, empty where there is none."""
        return self.raw.get(name, b"").decode("latin-1")

    @property
    def cookies(self) -> str:
        """The cookies of all headers."""
        if len(self.raw) == len(self._pairs):
            return self.text(b"cookie")
        found = [value for name, value in self._pairs if name.lower() == b"cookie"]
        return b"; ".join(found).decode("latin-1")

    def __getitem__(self, name: str) -> str:
        value = self.raw[name.encode("latin-1", "replace")]
        return self.cookies if name == "cookie" else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self.raw)

    def __len__(self) -> int:
        return len(self.raw)
