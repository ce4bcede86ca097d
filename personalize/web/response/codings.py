"""Pages that the site compresses inside of us: read as they pass, piece by piece."""

import importlib
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

from personalize.web.headers import Pairs, RawHeaders

#: How much one part may hold, and how much of it is read at once: so little that what swells is noticed in time.
_LONGEST = 16 * 1_048_576
_SLICE = 1_024


class CodingError(Exception):
    """The body is not what its `Content-Encoding` says, or holds more than a page does."""


class Decoder(Protocol):
    """Takes the compressed parts of one body in order, and gives what is in each."""

    def __call__(self, data: bytes, /, *, is_last: bool = False) -> bytes:
        """What can be read by now. Raises `CodingError`, also for a body that breaks off with its last part."""


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


class _Stream(Protocol):
    """One compressed stream, as the libraries have it."""

    @property
    def eof(self) -> bool:
        """Whether it has ended."""

    @property
    def unused_data(self) -> bytes:
        """What stood behind its end."""

    def decompress(self, data: bytes, /) -> bytes:
        """What is in the next bytes."""


class _Streams:
    """gzip, deflate and zstd, of which a body may hold several streams, one behind the other."""

    def __init__(self, begin: Callable[[bytes], _Stream], error: type[Exception]) -> None:
        self._begin = begin
        self._error = error
        self._stream: _Stream | None = None

    def __call__(self, data: bytes, /, *, is_last: bool = False) -> bytes:
        try:
            text = self._read(data)
        except self._error as error:
            raise CodingError(str(error)) from error
        if is_last and self._stream is not None and not self._stream.eof:
            raise CodingError("it breaks off")
        return text

    def _read(self, data: bytes) -> bytes:
        texts, size, stream = [], 0, self._stream
        for at in range(0, len(data), _SLICE):
            rest = data[at : at + _SLICE]
            while rest:
                if stream is None or stream.eof:
                    self._stream = stream = self._begin(rest)
                texts.append(stream.decompress(rest))
                size += len(texts[-1])
                if size > _LONGEST:
                    raise CodingError("too long")
                rest = stream.unused_data
        return b"".join(texts)


def _gzip(first_bytes: bytes) -> _Stream:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _deflate(first_bytes: bytes) -> _Stream:
    """With or without its wrapping: browsers take both."""
    return zlib.decompressobj(zlib.MAX_WBITS if first_bytes[0] & 0x0F == 8 else -zlib.MAX_WBITS)


class _Brotli:
    """br, by a library that knows one stream, and since its version 1.2 where to stop."""

    def __init__(self) -> None:
        brotli: Any = importlib.import_module("brotli")
        self._stream = brotli.Decompressor()
        self._error = brotli.error
        self._limit = {"output_buffer_limit": _LONGEST} if hasattr(self._stream, "can_accept_more_data") else {}
        self._begun = False

    def __call__(self, data: bytes, /, *, is_last: bool = False) -> bytes:
        self._begun = self._begun or bool(data)
        try:
            text: bytes = self._stream.process(data, **self._limit) if data else b""
        except self._error as error:
            raise CodingError(str(error)) from error
        if len(text) > _LONGEST or (self._limit and not self._stream.can_accept_more_data()):
            raise CodingError("too long")
        if is_last and self._begun and not self._stream.is_finished():
            raise CodingError("it breaks off")
        return text


def _zstd() -> Decoder:
    zstandard: Any = importlib.import_module("zstandard")
    return _Streams(lambda first_bytes: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError)


_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"gzip": lambda: _Streams(_gzip, zlib.error),
    b"x-gzip": lambda: _Streams(_gzip, zlib.error),
    b"deflate": lambda: _Streams(_deflate, zlib.error),
    **({b"br": _Brotli} if find_spec("brotli") else {}),
    **({b"zstd": _zstd} if find_spec("zstandard") else {}),
}
_UNREADABLE = frozenset({b"br", b"zstd", b"dcb", b"dcz", b"compress", b"*"}).difference(_DECODERS)
