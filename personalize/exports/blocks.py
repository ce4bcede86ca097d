"""Digests of a file block by block, so that it can be said where it was altered."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file: its SHA-256 in hex, how long it is, and how many lines end in it."""

    digest: str
    size_bytes: int
    line_ends: int


def block_digests(source: BinaryIO) -> Iterator[Block]:
    """The blocks of an open file, in order."""
    while data := source.read(BLOCK_BYTES):
        yield Block(hashlib.sha256(data).hexdigest(), len(data), data.count(b"\n"))
