"""The headers of a request as text, each decoded when somebody asks for it: a page asks for few of them."""

from collections.abc import Iterator, KeysView, Mapping, Sequence


class SentHeaders(Mapping[str, str]):
    """The values by lower-case name. Of several headers of a name the first counts; cookies are put together."""

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self._values = {name.decode("latin-1").lower(): value for name, value in reversed(pairs)}

    def __getitem__(self, name: str) -> str:
        value = self._values[name]
        if name == "cookie":
            value = b"; ".join([cookies for header, cookies in self._pairs if header.lower() == b"cookie"])
        return value.decode("latin-1")

    def text(self, name: str) -> str:
        """The value, empty where there is none; nothing is raised on the way, as `get` does."""
        return self[name] if name in self._values else ""

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
