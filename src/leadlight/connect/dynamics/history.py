"""What columns were before: the audit log of the records of a page."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.describe import LABELS, Environment, Table
from leadlight.connect.dynamics.values import audited
from leadlight.connect.protocol import Field
from leadlight.connect.typed import moment
from leadlight.connect.versions import Change
from leadlight.errors import RemoteError

SELECT = "_objectid_value,createdon,changedata"
UPDATE = 2
"""The `operation` of an entry that tells of a change."""
KINDS = {"MultiSelectPicklistType": "MultiSelectPicklist"}


class History:
    """Reads the audit log of a table."""

    def __init__(self, tables: odata.Tables, environment: Environment, table: Table, fields: Sequence[Field]) -> None:
        self._tables, self._environment, self._table = tables, environment, table
        self._fields = {field.name: field for field in fields if field.name in table.audited}
        self._labels: dict[str, Mapping[str, str]] | None = None
        self._closed = not self._fields

    def changes(self, ids: Sequence[str], since: datetime | None) -> Mapping[str, Sequence[Change]]:
        """Return what changed of records since a moment (None: since ever), by record. Raises RemoteError.

        Nothing where we may not read the log: then what changes is known from the day it is first read.
        """
        found: dict[str, list[Change]] = defaultdict(list)
        if self._closed:
            return found
        where = f"objecttypecode eq {odata.text(self._table.object.name)} and operation eq {UPDATE}"
        if since is not None:
            where += f" and createdon ge {odata.time(since)}"
        try:
            for one in self._tables.of(
                "audits", "_objectid_value", ids, select=SELECT, where=where, orderby="createdon asc"
            ):
                at, record = moment(one.get("createdon")), one.get("_objectid_value")
                if at is not None and isinstance(record, str):
                    found[record].extend(self._told(one.get("changedata"), at))
        except RemoteError as error:
            if error.trouble not in ("scope", "absent", "invalid"):
                raise
            self._closed = True
        return found

    def _told(self, data: Any, at: datetime) -> Iterator[Change]:
        """Yield the changes of an entry of the log."""
        try:
            told = json.loads(data) if isinstance(data, str) else None
        except ValueError:
            return
        changed = told.get("changedAttributes") if isinstance(told, dict) else None
        for one in changed if isinstance(changed, list) else ():
            field = self._fields.get(str(one.get("logicalName"))) if isinstance(one, dict) else None
            if field is not None:
                old, new = self._value(field, one.get("oldValue")), self._value(field, one.get("newValue"))
                yield Change(field.name, at, new, old)

    def _value(self, field: Field, told: Any) -> Any:
        own = self._table.told[field.name]
        return audited(told, own, field.type, self._choices().get(field.name, {}) if own in LABELS else {})

    def _choices(self) -> Mapping[str, Mapping[str, str]]:
        if self._labels is None:
            self._labels = {}
            for own in sorted({self._table.told[name] for name in self._fields} & LABELS):
                self._labels |= self._environment.labels(self._table.object.name, KINDS.get(own, own))
        return self._labels
