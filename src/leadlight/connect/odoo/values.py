"""Odoo's values in JSON: what is empty is false, times are texts in UTC, a record is its number and its name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from leadlight.connect.protocol import Value
from leadlight.connect.typed import typed
from leadlight.expr.types import Type

TYPES = {
    "char": Type.TEXT,
    "text": Type.TEXT,
    "html": Type.TEXT,
    "selection": Type.TEXT,
    "reference": Type.TEXT,
    "many2one": Type.TEXT,
    "many2one_reference": Type.TEXT,
    "one2many": Type.TEXT,
    "many2many": Type.TEXT,
    "integer": Type.NUMBER,
    "float": Type.NUMBER,
    "monetary": Type.NUMBER,
    "boolean": Type.BOOL,
    "date": Type.TIME,
    "datetime": Type.TIME,
}
"""Ours for theirs; what is not here (binary, properties, json …) is not read."""
SCALARS = frozenset({"char", "text", "integer", "float", "monetary", "boolean", "date", "datetime"})
"""What can be written to."""
NUMBERS = frozenset({"integer", "float", "monetary"})
PAIR = 2


def plain(value: Any, kind: str) -> Value:
    """Return a value of Odoo's JSON for a field of its type `kind`; None where it is empty, or none of it.

    >>> plain([7, "Azure"], "many2one"), plain(False, "char"), plain(False, "boolean"), plain(0.0, "float")
    ('7', None, False, 0.0)
    >>> plain("2026-03-01 09:30:00", "datetime"), plain([3, 4], "many2many")
    (datetime.datetime(2026, 3, 1, 9, 30), '3;4')
    """
    own = TYPES.get(kind, Type.TEXT)
    if value is False and kind != "boolean":
        return None
    if kind == "many2one" and isinstance(value, list):
        value = value[0] if value else None
    return typed(value, own)


def name_of(value: Any) -> str | None:
    """Return the name of a record that a field leads to.

    >>> name_of([7, "Azure"]), name_of(False)
    ('Azure', None)
    """
    return value[1] if isinstance(value, list) and len(value) == PAIR and isinstance(value[1], str) else None


def stamp(moment: datetime) -> str:
    """Return a time as Odoo writes it.

    >>> stamp(datetime(2026, 3, 1, 9, 30))
    '2026-03-01 09:30:00'
    """
    return moment.isoformat(sep=" ", timespec="seconds")


def told(value: Value, kind: str) -> Any:
    """Return one of our values as Odoo's JSON for a field of its type `kind`.

    >>> told(None, "char"), told(datetime(2026, 3, 1, 9, 30), "date"), told(3.0, "integer"), told(True, "boolean")
    (False, '2026-03-01', 3, True)
    """
    if value is None:
        return False
    if isinstance(value, datetime):
        return stamp(value)[:10] if kind == "date" else stamp(value)
    if kind in ("char", "text"):
        return typed(value, Type.TEXT) or False
    if kind == "integer":
        return round(float(value))
    return value
