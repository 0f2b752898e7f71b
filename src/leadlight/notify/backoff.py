"""When to try again: later each time, and never all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST, TIMES, LONGEST = 5.0, 3.0, 6 * 3600.0
"""Seconds before the second try; how much longer each next one waits; the longest wait."""
BROKEN = 3
"""So many failures in a row, and a destination is left alone for a while; then one message tries it."""
LONGEST_BREAK = 300.0
ASKED_AT_MOST = timedelta(days=1)
"""How long a destination may ask to be left alone."""


def wait(tries: int, draw: float) -> timedelta:
    """Return how long to wait after so many tries; `draw` from [0, 1) spreads it from half to one and a half times.

    >>> [wait(tries, 0.5).total_seconds() for tries in (1, 2, 3, 12)]
    [5.0, 15.0, 45.0, 21600.0]
    """
    return timedelta(seconds=min(FIRST * TIMES ** (tries - 1), LONGEST) * (0.5 + draw))


def pause(failures: int, draw: float) -> timedelta | None:
    """Return how long to leave a destination alone after so many failures in a row; None for not at all.

    >>> pause(2, 0.5), pause(3, 0.5), pause(20, 0.5)
    (None, datetime.timedelta(seconds=8), datetime.timedelta(seconds=300))
    """
    if failures < BROKEN:
        return None
    return timedelta(seconds=min(2.0 ** min(failures, 20), LONGEST_BREAK) * (0.5 + draw))


def retry_after(told: str | None, now: datetime) -> timedelta | None:
    """Read the header Retry-After, in seconds or as a date; None where it says nothing that can be read.

    >>> retry_after("120", datetime(2026, 1, 1)), retry_after("soon", datetime(2026, 1, 1))
    (datetime.timedelta(seconds=120), None)
    >>> retry_after("Thu, 01 Jan 2026 00:01:00 GMT", datetime(2026, 1, 1))
    datetime.timedelta(seconds=60)
    """
    text = (told or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), ASKED_AT_MOST)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is None else (at - (at.utcoffset() or timedelta())).replace(tzinfo=None)
    return min(max(at - now, timedelta()), ASKED_AT_MOST)
