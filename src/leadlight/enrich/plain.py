"""Words from strangers, made plain: without control characters, on one line, and no longer than they may be."""

from __future__ import annotations

import re

VALUE = 500
"""The most characters of a value."""
EVIDENCE = 300
"""The most characters of the words that a value was read from."""
# Control characters, halves of surrogate pairs, and the marks that turn the direction of what follows.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_SPACES = re.compile(r"\s{2,}")


def plain(text: str, limit: int = VALUE) -> str:
    """Return a text on one line, without what cannot be seen, shortened where it is too long.

    >>> plain("Ada\\x00  Lovelace\\u202e\\n")
    'Ada Lovelace'
    """
    if len(text) > 4 * limit:
        text = text[: 4 * limit]
    text = _SPACES.sub(" ", _ODD.sub(" ", text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def around(text: str, start: int, end: int, limit: int = EVIDENCE) -> str:
    """Return the words around a place in a text, as evidence.

    >>> around("We need it urgently, please.", 11, 19, limit=20)
    'need it urgently'
    """
    room = max(0, (limit - (end - start)) // 2)
    left, right = max(0, start - room), min(len(text), end + room)
    left = left if left == 0 else _after_space(text, left, start)
    right = right if right == len(text) else _before_space(text, end, right)
    return plain(text[left:right], limit)


def _after_space(text: str, left: int, start: int) -> int:
    space = text.find(" ", left, start)
    return start if space < 0 else space + 1


def _before_space(text: str, end: int, right: int) -> int:
    space = text.rfind(" ", end, right)
    return end if space < 0 else space
