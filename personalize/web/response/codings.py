"""Pages that the site compresses inside of us: read as they pass, piece by piece."""

import importlib
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

from personalize.web.headers import Pairs, RawHeaders

_LONGEST = 16 * 1_048_576


class CodingError(Exception):
    """The body is not what its `Content-Encoding` says, or holds more than a page does."""


class Decoder(Protocol):
    """Takes the compressed parts of one body in order, and gives what is in each."""

    def __call__(self, data: bytes, /) -> bytes:
        """What can be read by now. Raises `CodingError`."""


def decoder_of(coding: bytes) -> Decoder | None:
    """A fresh decoder for a coding as it stands in `Content-Encoding`, in small letters.

    `gzip` and `deflate` always, `br` and `zstd` where the site has a library for them; None for any other.
    """
    make = _DECODERS.get(coding)
    return make() if make is not None else None


def is_readable(coding: bytes) -> bool:
    """Whether there is a decoder for a coding."""
    return coding in _DECODERS


def readable_only(headers: Pairs) -> RawHeaders:
    """The headers of a request that asks for no coding that we can't read."""
    return [(name, _readable(value) if name.lower() == b"accept-encoding" else value) for name, value in headers]


def _readable(accepted: bytes) -> bytes:
    codings = [one for one in accepted.split(b",") if one.partition(b";")[0].strip().lower() not in _UNREADABLE]
    return b",".join(codings).strip() or b"identity"


class _Deflated:
    """gzip, or deflate with or without its wrapping (browsers take both)."""

    def __init__(self, window: int) -> None:
        self._stream = zlib.decompressobj(window)
        self._is_deflate = window == zlib.MAX_WBITS
        self._begun = False

    def __call__(self, data: bytes) -> bytes:
        try:
            return self._read(data)
        except zlib.error as error:
            raise CodingError(str(error)) from error

    def _read(self, data: bytes) -> bytes:
        if not data:
            return b""
        if self._is_deflate and not self._begun and data[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._begun = True
        text = self._stream.decompress(data, _LONGEST)
        while self._stream.eof and self._stream.unused_data:  # gzip may have several members
            rest, self._stream = self._stream.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 16)
            text += self._stream.decompress(rest, _LONGEST)
        if self._stream.unconsumed_tail:
            raise CodingError("too long")
        return text


class _Borrowed:
    """A library's own decoder."""

    def __init__(self, read: Callable[[bytes], bytes], error: type[Exception]) -> None:
        self._read = read
        self._error = error

    def __call__(self, data: bytes) -> bytes:
        try:
            return self._read(data) if data else b""
        except self._error as error:
            raise CodingError(str(error)) from error


def _brotli() -> Decoder:
    brotli: Any = importlib.import_module("brotli")
    return _Borrowed(brotli.Decompressor().process, brotli.error)


def _zstd() -> Decoder:
    zstandard: Any = importlib.import_module("zstandard")
    return _Borrowed(zstandard.ZstdDecompressor().decompressobj().decompress, zstandard.ZstdError)


_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"gzip": lambda: _Deflated(zlib.MAX_WBITS | 16),
    b"x-gzip": lambda: _Deflated(zlib.MAX_WBITS | 16),
    b"deflate": lambda: _Deflated(zlib.MAX_WBITS),
    **({b"br": _brotli} if find_spec("brotli") else {}),
    **({b"zstd": _zstd} if find_spec("zstandard") else {}),
}
_UNREADABLE = frozenset({b"br", b"zstd", b"dcb", b"dcz", b"compress", b"*"}) - _DECODERS.keys()
