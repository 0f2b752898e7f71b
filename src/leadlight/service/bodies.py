"""Bodies of requests: read within a limit, unpacked and parsed by what they are and not by what their headers say."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from starlette.requests import Request

from leadlight.service.problems import Problem

GZIP = b"\x1f\x8b"


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body, unpacked.

    Raises Problem: 413 where it is larger than the limit, packed or unpacked; 400 where it cannot be unpacked.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return unpacked(b"".join(parts), limit)


def unpacked(body: bytes, limit: int) -> bytes:
    """Return a body without gzip, where it begins as gzip does.

    >>> import gzip
    >>> unpacked(gzip.compress(b"{}"), 100), unpacked(b"{}", 100)
    (b'{}', b'{}')
    """
    if not body.startswith(GZIP):
        return body
    unpack = zlib.decompressobj(wbits=31)
    try:
        plain = unpack.decompress(body, limit + 1)
    except zlib.error as error:
        raise Problem(400, f"the body begins as gzip but is none: {error}") from None
    if len(plain) > limit:
        raise too_large(limit)
    if not unpack.eof:
        raise Problem(400, "the body's gzip ends too early")
    return plain


def parsed(body: bytes) -> Any:
    """Return a body's JSON.

    Raises Problem 400, with the place, where it is none: NaN, numbers without bound, bad UTF-8, too deep.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON: {error}") from None


def too_large(limit: int) -> Problem:
    """Return the refusal of a body that is larger than the limit."""
    return Problem(413, f"the body is larger than {limit // 1024} KB", limit=limit)
