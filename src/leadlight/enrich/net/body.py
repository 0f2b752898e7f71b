"""Bodies that cannot grow without end, however they are packed."""

from __future__ import annotations

import zlib
from typing import Any

PLAIN = ("", "identity")
PACKED = ("gzip", "x-gzip", "deflate")
MOST_PIECES = 10_000
"""Pieces (chunks) that one body may come in: more are an attempt to keep us busy."""


class Body:
    """Takes a body piece by piece, unpacking gzip and deflate; never holds more than the limit and one piece.

    With `cut`, what is beyond the limit is left, and is no failure. Other encodings than those that were asked for are
    a LookupError.

    >>> body = Body("gzip", limit=1000)
    >>> body.add(zlib.compress(b"hello", wbits=31))
    >>> body.end()
    b'hello'
    """

    def __init__(self, encoding: str, limit: int, *, cut: bool = False) -> None:
        self.encoding = encoding.strip().lower()
        if self.encoding not in PLAIN + PACKED:
            raise LookupError(encoding)
        self.full = False
        """Whether no more is taken."""
        self._limit, self._cut = limit, cut
        self._taken: list[bytes] = []
        self._size = self._pieces = 0
        self._unpacker: Any = None

    def add(self, piece: bytes) -> None:
        """Take the next piece; raises OverflowError above the limit, zlib.error where it is broken."""
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            raise OverflowError(self._pieces)
        if self.encoding in PLAIN:
            self._keep(piece)
        elif piece:
            self._unpack(piece)

    def _unpack(self, piece: bytes) -> None:
        if self._unpacker is None:
            self._unpacker = zlib.decompressobj(self._format(piece))
        while piece and not self.full:
            self._keep(self._unpacker.decompress(piece, self._limit - self._size + 1))
            piece = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                piece = self._unpacker.unused_data
                if self.encoding == "deflate" or not piece.startswith(b"\x1f\x8b"):
                    return  # what follows the end is no further part
                self._unpacker = zlib.decompressobj(31)

    def _format(self, piece: bytes) -> int:
        """Return zlib's number of the format; "deflate" is zlib's own by the standard, and the bare one by habit."""
        if self.encoding != "deflate":
            return 31
        return 15 if piece[0] & 0x0F == 8 and (len(piece) < 2 or (piece[0] * 256 + piece[1]) % 31 == 0) else -15

    def _keep(self, data: bytes) -> None:
        if self._size + len(data) > self._limit:
            if not self._cut:
                raise OverflowError(self._limit)
            data, self.full = data[: self._limit - self._size], True
        self._size += len(data)
        self._taken.append(data)

    def end(self) -> bytes:
        """Return the whole body; raises zlib.error where it was packed and nothing could be read."""
        if self._unpacker is not None and not self._unpacker.eof and not self._size:
            raise zlib.error("it ends too early")
        return b"".join(self._taken)
