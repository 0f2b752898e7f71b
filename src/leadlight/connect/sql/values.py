"""Values on their way out of a database and into it, and as a cursor keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from leadlight.connect.protocol import Value
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from sqlalchemy import Column


def value_of(held: Any, kind: Type, zone: ZoneInfo) -> Value:
    """Return what a column holds as a value of its type; what is not of it is null.

    >>> value_of(3, Type.NUMBER, ZoneInfo("UTC")), value_of(3, Type.TEXT, ZoneInfo("UTC"))
    (3.0, '3')
    >>> value_of(datetime(2026, 7, 1, 12), Type.TIME, ZoneInfo("Europe/Berlin"))
    datetime.datetime(2026, 7, 1, 10, 0)
    """
    if held is None:
        return None
    if kind is Type.TIME:
        return moment_of(held, zone)
    if kind is Type.BOOL:
        return bool(held)
    if kind is Type.NUMBER:
        try:
            return float(held)
        except (TypeError, ValueError, OverflowError):
            return None
    return text_of(held)


def text_of(held: Any) -> str:
    """Return a value as text: lists joined by ";", what is nested as JSON."""
    if isinstance(held, list | tuple | set):
        return ";".join(text_of(one) for one in held)
    return json.dumps(held, ensure_ascii=False, default=str) if isinstance(held, dict) else str(held)


def moment_of(held: Any, zone: ZoneInfo) -> datetime | None:
    """Return a time as naive UTC; one without a zone is `zone`'s."""
    if isinstance(held, date) and not isinstance(held, datetime):
        held = datetime.combine(held, time())
    if not isinstance(held, datetime):
        return None
    aware = held if held.tzinfo is not None else held.replace(tzinfo=zone)
    return aware.astimezone(UTC).replace(tzinfo=None)


def stored(value: Value, column: Column[Any], zone: ZoneInfo) -> Any:
    """Return a value as a column takes it."""
    from sqlalchemy import types

    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC)
        return aware if getattr(column.type, "timezone", False) else aware.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, float) and isinstance(column.type, types.Integer):
        return round(value)
    return value


def kept(held: Any) -> Any:
    """Return a value of a key or of a column that grows, as JSON that `put_back` understands."""
    if isinstance(held, bool | int | str) or held is None:
        return held
    return {"as": type(held).__name__, "is": held.isoformat() if isinstance(held, date) else str(held)}


def put_back(told: Any) -> Any:
    """Return what `kept` kept. Raises ValueError.

    >>> put_back(kept(datetime(2026, 3, 2, 9)))
    datetime.datetime(2026, 3, 2, 9, 0)
    """
    from decimal import Decimal
    from uuid import UUID

    makers: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "UUID": UUID,
        "Decimal": Decimal,
    }
    if not isinstance(told, dict):
        return told
    return makers.get(str(told.get("as")), str)(str(told.get("is")))


def id_from(text: str, column: Column[Any]) -> Any:
    """Return a record's id as its column holds it. Raises ValueError where it cannot be one."""
    from uuid import UUID

    from sqlalchemy import types

    if isinstance(column.type, types.Integer):
        return int(text)
    if isinstance(column.type, types.Uuid) and column.type.as_uuid:
        return UUID(text)
    return text
