"""Moments as users write them: `2026-06-30`, `2026-06-30 14:00`, `2026-06-30T14:00:00+02:00`, `now`, `30d` (ago)."""

from __future__ import annotations

from datetime import UTC, datetime

from leadlight.errors import UsageError
from leadlight.spec.durations import parse_duration


def parse_moment(text: str | datetime, now: datetime) -> datetime:
    """Read a moment as naive UTC; a day means its beginning, a duration means so long before `now`.

    Raises UsageError, with what is allowed, for anything else.

    >>> parse_moment("2026-06-30T14:00+02:00", datetime(2026, 7, 1))
    datetime.datetime(2026, 6, 30, 12, 0)
    >>> parse_moment("2d", datetime(2026, 7, 1))
    datetime.datetime(2026, 6, 29, 0, 0)
    """
    if isinstance(text, datetime):
        return to_utc(text)
    if text.strip().lower() == "now":
        return now
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    except OverflowError:
        raise _unreadable(text) from None
    try:
        return to_utc(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise _unreadable(text) from None


def to_utc(value: datetime) -> datetime:
    """Return a moment as naive UTC; one without a zone is taken as UTC already."""
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"{text!r} is not a moment",
        fix="Write a date (2026-06-30), a time (2026-06-30T14:00, UTC unless it names a zone), now, or a duration "
        "back from now (30d).",
    )
