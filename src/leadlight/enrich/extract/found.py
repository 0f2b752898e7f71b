"""A value found in a page, with how sure it is and the words it was read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_EVIDENCE = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A value, the confidence in it from 0 to 1, where it stood (mailto, text, json-ld …), and the words around it."""

    value: str
    confidence: float
    how: str
    evidence: str = ""


def surest(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return each value once, in the order of its first mention, with its best evidence.

    A value that was found in several ways is surer than by the best of them alone.

    >>> [(one.value, round(one.confidence, 2), one.how) for one in surest([
    ...     Found("a", 0.5, "text"), Found("b", 0.6, "text"), Found("a", 0.8, "mailto")])]
    [('a', 0.9, 'mailto'), ('b', 0.6, 'text')]
    """
    best: dict[str, Found] = {}
    doubt: dict[str, dict[str, float]] = {}
    for one in found:
        known = best.get(one.value)
        if known is None or one.confidence > known.confidence:
            best[one.value] = one
        ways = doubt.setdefault(one.value, {})
        ways[one.how] = min(ways.get(one.how, 1.0), 1 - one.confidence)
    return tuple(replace(one, confidence=_together(doubt[value])) for value, one in best.items())


def _together(doubts: dict[str, float]) -> float:
    product = 1.0
    for doubt in doubts.values():
        product *= doubt
    return min(1 - product, 0.99)


def around(text: str, start: int, end: int, *, width: int = 60) -> str:
    """Return the words around a place in a text, as evidence."""
    return " ".join(text[max(0, start - width) : end + width].split())[:MAX_EVIDENCE]
