"""What records of Odoo's were, from the changes of tracked fields that stand in their chatter; and who was merged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.odoo.describe import LEAD, NAME, Model, Models
from leadlight.connect.odoo.rpc import Rpc
from leadlight.connect.odoo.values import TYPES, plain
from leadlight.connect.protocol import Value
from leadlight.connect.typed import typed
from leadlight.connect.versions import Change
from leadlight.expr.types import Type

MESSAGE, TRACKING = "mail.message", "mail.tracking.value"
SUFFIXES = {
    Type.NUMBER: ("float", "monetary", "integer"),
    Type.TIME: ("datetime",),
    Type.BOOL: ("integer",),
    Type.TEXT: ("char", "text"),
}
"""In which columns a value stands, by our type."""
WHOLE = ("integer",)
ORIGIN = re.compile(r"-openerp-(\d+)-crm\.lead@")
"""The lead that a message was written on; when leads are merged, their messages go along."""


class Chatter:
    """The messages of records: what they tell of changes and of merges."""

    def __init__(self, rpc: Rpc, models: Models, model: Model) -> None:
        self._rpc, self._models, self._model = rpc, models, model
        self._changes: dict[int, list[Change]] = {}
        self.merged: dict[int, int] = {}
        """Leads that are no more → the lead that they were merged into."""

    def prepare(self, numbers: Sequence[int], *, history: bool) -> None:
        """Read the messages of a page of records."""
        self._changes, self.merged = {}, {}
        tracked = history and bool(self._model.tracked)
        if not tracked and self._model.name != LEAD:
            return
        domain = [["model", "=", self._model.name], ["res_id", "in", list(numbers)]]
        more = ["tracking_value_ids"] if tracked else []
        found = self._rpc.search(MESSAGE, domain, ["res_id", "message_id", "date", *more])
        if tracked:
            self._changes = self._tracked(found)
        if self._model.name == LEAD:
            self._merges(found)

    def changes(self, number: int) -> Sequence[Change]:
        """Return the changes of a record."""
        return self._changes.get(number, ())

    def _merges(self, found: Sequence[Mapping[str, Any]]) -> None:
        into = {}
        for one in found:
            origin = ORIGIN.search(str(one.get("message_id")))
            if origin is not None and int(origin[1]) != one.get("res_id") and isinstance(one.get("res_id"), int):
                into[int(origin[1])] = one["res_id"]
        if into:
            there = {one["id"] for one in self._rpc.search(LEAD, [["id", "in", sorted(into)]], ["id"])}
            self.merged = {loser: winner for loser, winner in into.items() if loser not in there}

    def _tracked(self, found: Sequence[Mapping[str, Any]]) -> dict[int, list[Change]]:
        by_message = {one["id"]: one for one in found if one.get("tracking_value_ids")}
        changes: dict[int, list[Change]] = defaultdict(list)
        if not by_message:
            return changes
        columns = self._models.model(TRACKING).fields
        field = "field_id" if "field_id" in columns else "field"
        values = [name for name in columns if name.startswith(("old_value_", "new_value_"))]
        domain = [["mail_message_id", "in", sorted(by_message)]]
        names: dict[int, str] = {}
        rows = self._rpc.search(TRACKING, domain, ["mail_message_id", field, *values], order="id")
        self._name(names, [row.get(field) for row in rows])
        for row in rows:
            message = by_message.get(_number(row.get("mail_message_id")) or 0, {})
            at, name = plain(message.get("date"), "datetime"), names.get(_number(row.get(field)) or 0)
            if isinstance(at, datetime) and name is not None and isinstance(message.get("res_id"), int):
                changes[message["res_id"]] += self._both(name, at, row)
        return changes

    def _name(self, names: dict[int, str], fields: Sequence[Any]) -> None:
        numbers = sorted({number for one in fields if (number := _number(one)) is not None})
        if numbers:
            rows = self._rpc.search("ir.model.fields", [["id", "in", numbers]], ["name"])
            names |= {row["id"]: str(row.get("name")) for row in rows}

    def _both(self, name: str, at: datetime, row: Mapping[str, Any]) -> list[Change]:
        kind = self._model.type(name)
        if kind not in TYPES:
            return []
        if kind == "many2one":
            number = [plain(row.get(f"{when}_value_integer") or False, "many2one") for when in ("new", "old")]
            label = [plain(row.get(f"{when}_value_char"), "char") for when in ("new", "old")]
            return [Change(name, at, *number), Change(f"{name}.{NAME}", at, *label)]
        return [Change(name, at, self._value(name, kind, row, "new"), self._value(name, kind, row, "old"))]

    def _value(self, name: str, kind: str, row: Mapping[str, Any], when: str) -> Value:
        own = TYPES[kind]
        suffixes = WHOLE if kind == "integer" else SUFFIXES[own]
        held = [value for one in suffixes if (value := row.get(f"{when}_value_{one}")) not in (None, False)]
        value = typed(next((one for one in held if one != 0), held[0] if held else None), own)
        if own is Type.NUMBER:
            return value if value is not None else 0.0
        if kind == "selection":
            options = self._model.fields[name].get("selection") or []
            return next((str(one[0]) for one in options if isinstance(one, list) and one[-1] == value), value)
        return bool(value) if own is Type.BOOL else value


def _number(value: Any) -> int | None:
    if isinstance(value, list) and value and isinstance(value[0], int):
        return value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) else None
