"""Rows of a connector as a table: every value of its field's type, whatever came over the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from leadlight.connect.protocol import Row, Value
from leadlight.connect.typed import typed
from leadlight.expr.types import Type

ARROW: Mapping[Type, pa.DataType] = {
    Type.TEXT: pa.string(), Type.NUMBER: pa.float64(), Type.BOOL: pa.bool_(), Type.TIME: pa.timestamp("us"),
}  # fmt: skip
EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 - all times are naive UTC
"""As early as all engines can hold."""


@dataclass(slots=True)
class Columns:
    """An object's fields with their types, and how many values of each did not fit."""

    fields: Mapping[str, Type]
    created_at: str | None = None
    modified_at: str | None = None
    misfits: Counter[str] = field(default_factory=Counter)

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Return the rows as a table: `_id`, `_at`, `_gone`, `_into`, `_own`, `_created`, `_modified`, the fields.

        `_at` is what the row says of when it came to be so, `_own` is false where it has no values at all. Rows without
        an id are left out.
        """
        whole = [row for row in rows if row.id]
        columns: dict[str, pa.Array] = {
            "_id": pa.array([fitting(row.id, Type.TEXT) for row in whole], pa.string()),
            "_at": pa.array([fitting(row.known_at, Type.TIME) for row in whole], pa.timestamp("us")),
            "_gone": pa.array([bool(row.gone) for row in whole], pa.bool_()),
            "_into": pa.array([fitting(row.into, Type.TEXT) for row in whole], pa.string()),
            "_own": pa.array([bool(row.values) for row in whole], pa.bool_()),
            "_created": self._times(whole, self.created_at),
            "_modified": self._times(whole, self.modified_at),
        }
        for name, type_ in self.fields.items():
            columns[name] = self._column(name, type_, [row.values.get(name) for row in whole])
        return pa.table(columns)

    def _times(self, rows: Sequence[Row], name: str | None) -> pa.Array:
        values = [None if name is None else fitting(row.values.get(name), Type.TIME) for row in rows]
        return pa.array(values, pa.timestamp("us"))

    def _column(self, name: str, type_: Type, values: Sequence[Value]) -> pa.Array:
        made = [fitting(value, type_) for value in values]
        lost = sum(one is None and value not in (None, "") for one, value in zip(made, values, strict=True))
        if lost:
            self.misfits[name] += lost
        return pa.array(made, ARROW[type_])


def fitting(value: Value, type_: Type) -> Value:
    """Return a value as one that every store can hold, or None where it is none of its type.

    >>> fitting(datetime(2026, 1, 31), Type.TEXT), fitting("12", Type.NUMBER), fitting(datetime(1, 1, 1), Type.TIME)
    ('2026-01-31T00:00:00', 12.0, None)
    """
    if isinstance(value, datetime) and type_ is Type.TEXT:
        return value.isoformat()
    made = typed(value, type_)
    if isinstance(made, str) and not made.isascii():
        return made.encode("utf-8", errors="replace").decode("utf-8")
    return None if isinstance(made, datetime) and made < EARLIEST else made
