"""Bodies of requests: read within a limit, unpacked and parsed by what they are and not by what their headers say."""

from __future__ import annotations

import json
import zlib
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from leadlight.errors import shorten
from leadlight.service.problems import Problem

GZIP = b"\x1f\x8b"
LIKE_JSON = ("", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded")
"""Kinds of content that are read as JSON: also what curl and browsers say unless told."""

Model = TypeVar("Model", bound=BaseModel)


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


def as_json(request: Request, also: tuple[str, ...] = ()) -> None:
    """Let JSON through, and what may be it.

    Raises Problem 415 where the content is said to be something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (*LIKE_JSON, *also) and not kind.endswith("+json"):
        raise Problem(415, f"{shorten(kind)} is not read here, application/json is",
                      headers={"Accept-Post": "application/json"})  # fmt: skip


async def read_as(request: Request, model: type[Model], limit: int = 64 * 1024) -> Model:
    """Return a body of JSON as what it is to be.

    Raises Problem: 415, 413; 400 with all faults, each with the place, for what does not fit, and for a name that
    stands in an object twice.
    """
    as_json(request)
    body = await read_body(request, limit)
    value = parsed(body) if body else {}
    if not isinstance(value, dict):
        raise Problem(400, "the body is a JSON object")
    try:
        json.loads(body or b"{}", object_pairs_hook=_once)
    except RecursionError:
        raise Problem(400, "the body is nested too deep") from None
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        faults = [{"pointer": _pointer(one["loc"]), "detail": one["msg"]} for one in error.errors()]
        told = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults[:10])
        raise Problem(400, told, faults=faults[:50]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Problem(400, f"{shorten(next(name for name in names if names.count(name) > 1))} stands there twice")
    return found


def _pointer(place: tuple[int | str, ...]) -> str:
    """Return a place in a document as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place) or "/"


def too_large(limit: int) -> Problem:
    """Return the refusal of a body that is larger than the limit."""
    return Problem(413, f"the body is larger than {limit // 1024} KB", limit=limit)
