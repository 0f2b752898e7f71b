"""What PHP's `serialize` has written, as Mautic keeps the details of its audit log: plain values only."""

from __future__ import annotations

from typing import Any

SIZE_MOST = 1 << 20
DEPTH_MOST = 20


class UnreadableError(ValueError):
    """It is none of PHP's plain values."""


def unserialized(written: str) -> Any:
    """Return what was written: texts, numbers, true, false, null, and arrays of them as dicts. Raises UnreadableError.

    Lengths are counted in bytes of UTF-8, as PHP does; objects are refused.

    >>> unserialized('a:1:{s:6:"fields";a:1:{s:4:"city";a:2:{i:0;N;i:1;s:5:"Köln";}}}')
    {'fields': {'city': {0: None, 1: 'Köln'}}}
    """
    raw = written.encode()
    if len(raw) > SIZE_MOST:
        raise UnreadableError("too long")
    try:
        value, end = _value(raw, 0, 0)
    except (ValueError, IndexError):
        raise UnreadableError("not what PHP writes") from None
    if end != len(raw):
        raise UnreadableError("something follows")
    return value


def _value(raw: bytes, at: int, depth: int) -> tuple[Any, int]:
    kind = raw[at : at + 2]
    if kind == b"N;":
        return None, at + 2
    if kind == b"s:":
        return _text(raw, at + 2)
    if kind == b"a:":
        return _array(raw, at + 2, depth)
    end = raw.index(b";", at)
    word = raw[at + 2 : end].decode()
    if kind == b"i:":
        return int(word), end + 1
    if kind == b"d:":
        return float(word), end + 1
    if kind == b"b:":
        return word == "1", end + 1
    raise ValueError(kind)


def _text(raw: bytes, at: int) -> tuple[str, int]:
    colon = raw.index(b":", at)
    start = colon + 2
    end = start + int(raw[at:colon])
    if raw[colon:start] != b':"' or raw[end : end + 2] != b'";':
        raise ValueError("text")
    return raw[start:end].decode(errors="replace"), end + 2


def _array(raw: bytes, at: int, depth: int) -> tuple[dict[Any, Any], int]:
    if depth == DEPTH_MOST:
        raise ValueError("too deep")
    colon = raw.index(b":", at)
    count, at = int(raw[at:colon]), colon + 2
    found: dict[Any, Any] = {}
    for _ in range(count):
        key, at = _value(raw, at, depth + 1)
        found[key], at = _value(raw, at, depth + 1)
    if raw[at : at + 1] != b"}":
        raise ValueError("array")
    return found, at + 1
