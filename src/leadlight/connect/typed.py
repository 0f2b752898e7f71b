"""What a system's JSON holds, as the types that were promised: whatever else is there is no value."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any

from leadlight.connect.protocol import Value
from leadlight.expr.types import Type

TEXT_MOST = 65_536
"""Characters of a text that are kept."""
TRUE, FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


def typed(value: Any, kind: Type) -> Value:
    """Return a value of JSON as one of a type; None where it is none.

    >>> typed("12.50", Type.NUMBER), typed(3, Type.TEXT), typed(["a", "b"], Type.TEXT), typed("soon", Type.TIME)
    (12.5, '3', 'a;b', None)
    """
    if kind is Type.TEXT:
        return text(value)
    if kind is Type.NUMBER:
        return number(value)
    return boolean(value) if kind is Type.BOOL else moment(value)


def text(value: Any) -> str | None:
    """Return a value as text: several are joined by ";", an empty one is none.

    >>> text(True), text(2.0), text({"a": 1})
    ('true', '2', None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else repr(value)) if math.isfinite(value) else None
    if isinstance(value, list):
        return ";".join(filter(None, map(text, value)))[:TEXT_MOST] or None
    if not isinstance(value, str | int):
        return None
    try:
        found = str(value)
    except ValueError:  # a number of thousands of digits
        return None
    return found[:TEXT_MOST].replace("\x00", "").strip() or None


def number(value: Any) -> float | None:
    """Return a value as a finite number."""
    if not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def boolean(value: Any) -> bool | None:
    """Return a value as true or false.

    >>> boolean("1"), boolean("No"), boolean("perhaps")
    (True, False, None)
    """
    said = (text(value) or "").lower() if isinstance(value, str | int) else ""
    return True if said in TRUE else False if said in FALSE else None


def moment(value: Any) -> datetime | None:
    """Return an ISO 8601 time or date as naive UTC; one that names no zone is taken to be UTC.

    >>> moment("2026-03-01T12:00:00-05:00"), moment("2026-03-01 12:00:00"), moment("2026-03-01")
    (datetime.datetime(2026, 3, 1, 17, 0), datetime.datetime(2026, 3, 1, 12, 0), datetime.datetime(2026, 3, 1, 0, 0))
    """
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    else:
        return None
    try:
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return None
