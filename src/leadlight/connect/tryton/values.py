"""Tryton's values in JSON: numbers, dates and times are objects that name their class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.protocol import Value
from leadlight.connect.typed import typed
from leadlight.expr.types import Type

TYPES = {
    "char": Type.TEXT,
    "text": Type.TEXT,
    "fulltext": Type.TEXT,
    "selection": Type.TEXT,
    "multiselection": Type.TEXT,
    "reference": Type.TEXT,
    "many2one": Type.TEXT,
    "one2one": Type.TEXT,
    "one2many": Type.TEXT,
    "many2many": Type.TEXT,
    "time": Type.TEXT,
    "integer": Type.NUMBER,
    "biginteger": Type.NUMBER,
    "float": Type.NUMBER,
    "numeric": Type.NUMBER,
    "timedelta": Type.NUMBER,
    "boolean": Type.BOOL,
    "date": Type.TIME,
    "datetime": Type.TIME,
    "timestamp": Type.TIME,
}
"""Ours for theirs; what is not here (binary, dict …) is not read."""
SCALARS = frozenset(
    {"char", "text", "integer", "biginteger", "float", "numeric", "boolean", "date", "datetime", "timestamp"}
)
"""What can be written to."""
CLASS = "__class__"


def plain(value: Any, kind: Type) -> Value:
    """Return a value of Tryton's JSON as one of our types; None where it is none of it.

    >>> plain({"__class__": "Decimal", "decimal": "12.50"}, Type.NUMBER)
    12.5
    >>> plain({"__class__": "date", "year": 2026, "month": 3, "day": 1}, Type.TIME)
    datetime.datetime(2026, 3, 1, 0, 0)
    >>> plain(12, Type.TEXT), plain([1, 2], Type.TEXT), plain("soon", Type.TIME)
    ('12', '1;2', None)
    """
    return typed([_untagged(one) for one in value] if isinstance(value, list) else _untagged(value), kind)


def moment(value: Any) -> datetime | None:
    """Return a time of Tryton's JSON; None where it is none."""
    found = _untagged(value)
    return found if isinstance(found, datetime) else None


def tagged(value: Value, kind: str) -> Any:
    """Return one of our values as Tryton's JSON for a field of its type `kind`.

    >>> tagged(12.5, "numeric"), tagged(3.0, "integer"), tagged(True, "boolean"), tagged(None, "float")
    ({'__class__': 'Decimal', 'decimal': '12.5'}, 3, True, None)
    >>> tagged(datetime(2026, 3, 1, 9, 30), "date")
    {'__class__': 'date', 'year': 2026, 'month': 3, 'day': 1}
    """
    if value is None:
        return None
    if kind in ("char", "text"):
        return _text(value)
    if kind == "boolean":
        return bool(value)
    if isinstance(value, datetime):
        return _time(value, dated=kind == "date")
    number = float(value)
    if kind == "numeric":
        return {CLASS: "Decimal", "decimal": repr(int(number)) if number.is_integer() else repr(number)}
    return round(number) if kind in ("integer", "biginteger") else number


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(typed(value, Type.TEXT) or "")


def _time(value: datetime, *, dated: bool) -> dict[str, Any]:
    day = {"year": value.year, "month": value.month, "day": value.day}
    if dated:
        return {CLASS: "date", **day}
    clock = {"hour": value.hour, "minute": value.minute, "second": value.second, "microsecond": value.microsecond}
    return {CLASS: "datetime", **day, **clock}


def _untagged(value: Any) -> Any:
    """Return a tagged object as what it stands for; None where it is not as it should be."""
    if not isinstance(value, Mapping):
        return value
    try:
        match value.get(CLASS):
            case "Decimal":
                number = float(value["decimal"])
                return number if math.isfinite(number) else None
            case "datetime":
                clock = timedelta(hours=value["hour"], minutes=value["minute"], seconds=value["second"])
                return _day(value) + clock + timedelta(microseconds=value["microsecond"])
            case "date":
                return _day(value)
            case "time":
                return f"{value['hour']:02}:{value['minute']:02}:{value['second']:02}"
            case "timedelta":
                return timedelta(seconds=value["seconds"]).total_seconds()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return None


def _day(value: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(f"{value['year']:04}-{value['month']:02}-{value['day']:02}")
