"""From Stripe's records to rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from leadlight.connect import typed as plain
from leadlight.connect.protocol import Field, Row, Value
from leadlight.connect.stripe import api
from leadlight.connect.stripe.amounts import major
from leadlight.connect.stripe.describe import METADATA, Part, Thing

LAST_SECOND = 253_402_300_799
"""Of the year 9999."""
EVENTS = {"succeeded": "payment", "failed": "payment_failed", "pending": "payment_pending"}


def row(thing: Thing, fields: Iterable[Field], found: Mapping[str, Any], at: datetime | None = None) -> Row:
    """Return the row of a record, as it was at a moment (None: as it is now)."""
    parts = {part.name: part for part in thing.parts}
    return Row(api.id_of(found), {field.name: _value(thing, parts, field.name, found) for field in fields}, at)


def moment(value: Any) -> datetime | None:
    """Return seconds since 1970 as naive UTC.

    >>> moment(1680644467), moment(None), moment(10**15)
    (datetime.datetime(2023, 4, 4, 21, 41, 7), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)


def _value(thing: Thing, parts: Mapping[str, Part], name: str, found: Mapping[str, Any]) -> Value:
    if name.startswith(METADATA) and name not in parts:
        return plain.text(_at(found, ("metadata", name.removeprefix(METADATA))))
    part = parts.get(name)
    if part is None:
        return None
    if thing.name == "subscriptions" and name == "amount":
        return _amount(found)
    if thing.name == "charges" and name == "event":
        return EVENTS.get(str(found.get("status")))
    held = _at(found, part.path or (part.name,))
    if thing.name == "invoices" and name == "subscription" and held is None:
        held = found.get("subscription")  # where it stood before 2025
    match part.kind:
        case "money":
            return major(held, found.get("currency"))
        case "time":
            return moment(held)
        case "id":
            return plain.text(held.get("id") if isinstance(held, dict) else held)
        case _:
            return plain.typed(held, part.type)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if len(value) > step else None
        else:
            return None
    return value


def _amount(found: Mapping[str, Any]) -> float | None:
    """Return what all items of a subscription cost in one period; None where it depends on use."""
    items = _at(found, ("items", "data"))
    total = 0.0
    for item in items if isinstance(items, list) else ():
        unit, quantity = _at(item, ("price", "unit_amount")), _at(item, ("quantity",))
        price = major(unit, _at(item, ("price", "currency")) or found.get("currency"))
        if price is None or not isinstance(quantity, int | float):
            return None
        total += price * quantity
    return total if items else None
