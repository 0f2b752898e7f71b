"""Values: HubSpot sends all of them as text, whatever the property's type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from leadlight.connect import typed as plain
from leadlight.connect.protocol import Value
from leadlight.expr.types import Type

TYPES = {"number": Type.NUMBER, "bool": Type.BOOL, "datetime": Type.TIME, "date": Type.TIME}
"""Properties of other types (string, enumeration, phone_number, json …) are text; several options come joined by ;"""
MILLIS_DIGITS = 15
"""Of a time in milliseconds: more would be after the year 9999."""


def typed(value: Any, kind: Type) -> Value:
    """Return a property's value as its type; None where it is empty, or is not what its type promises.

    >>> typed("17", Type.NUMBER), typed("true", Type.BOOL), typed("", Type.TEXT), typed(12, Type.TEXT)
    (17.0, True, None, '12')
    """
    return time(value) if kind is Type.TIME else plain.typed(value, kind)


def time(value: Any) -> datetime | None:
    """Return a time as naive UTC, from ISO 8601, a date, or milliseconds since 1970.

    >>> time("2019-12-07T16:50:06.678Z")
    datetime.datetime(2019, 12, 7, 16, 50, 6, 678000)
    >>> time("1572480000000"), time("2019-10-31"), time("soon")
    (datetime.datetime(2019, 10, 31, 0, 0), datetime.datetime(2019, 10, 31, 0, 0), None)
    """
    digits = str(value).removeprefix("-") if isinstance(value, str | int) else ""
    if not digits.isdecimal():
        return plain.moment(value)
    if len(digits) > MILLIS_DIGITS:
        return None
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC).replace(tzinfo=None)
    except (ValueError, OSError, OverflowError):
        return None


def sent(value: Value) -> str:
    """Return a value as HubSpot takes it; nothing empties the property.

    >>> sent(72.0), sent(0.25), sent(True), sent(None), sent(datetime(2026, 11, 29, 2, 30))
    ('72', '0.25', 'true', '', '2026-11-29T02:30:00.000Z')
    """
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, str):
        return value
    return plain.text(value) or ""
