"""Values of fields: Salesforce's types, and ours."""

from __future__ import annotations

from datetime import datetime

from leadlight.connect.protocol import Value
from leadlight.connect.salesforce.soql import moment
from leadlight.expr.types import Type

TYPES = {
    "boolean": Type.BOOL,
    "double": Type.NUMBER,
    "currency": Type.NUMBER,
    "percent": Type.NUMBER,
    "int": Type.NUMBER,
    "long": Type.NUMBER,
    "date": Type.TIME,
    "datetime": Type.TIME,
}
"""Those that are no text."""
PARTS = frozenset({"address", "location", "base64", "complexvalue", "json"})
"""Those that are no single value: an address comes by its fields (`City`, `Country`) as well."""
SCALE = 6
"""Decimals of the numbers that are written, and of the fields that are made for them."""


def type_of(told: str) -> Type | None:
    """Return our type for one of Salesforce's; None for what is no single value.

    >>> type_of("currency"), type_of("multipicklist"), type_of("address")
    (<Type.NUMBER: 'number'>, <Type.TEXT: 'text'>, None)
    """
    return None if told in PARTS else TYPES.get(told, Type.TEXT)


def plain(value: Value, told: str) -> str | float | bool | None:
    """Return a value as it is written to a field of one of Salesforce's types.

    >>> plain(datetime(2026, 3, 1, 12), "date"), plain(0.1234567, "double")
    ('2026-03-01', 0.123457)
    """
    if isinstance(value, datetime):
        return value.date().isoformat() if told == "date" else moment(value)
    if isinstance(value, float):
        return round(value, 0 if told in ("int", "long") else SCALE)
    return value
