"""What became of records: merged, deactivated, and leads that were qualified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.derived import FIRST
from leadlight.connect.dynamics.describe import MASTER, MERGED, STATE, Table
from leadlight.errors import RemoteError

INACTIVE = frozenset({"contact", "account"})
"""Tables whose `statecode` 1 means: deactivated, out of everybody's views. (Of a lead it means: qualified.)"""
LEAD = "lead"
ORIGIN, PARENT = "_originatingleadid_value", "_parentcontactid_value"


class Fates:
    """Tells what became of a table's records."""

    def __init__(self, tables: odata.Tables, table: Table) -> None:
        self._tables, self._table = tables, table

    def gone(self, record: Mapping[str, Any]) -> bool:
        """Say whether a record is out of sight: merged into another one, or deactivated."""
        return record.get(MERGED) is True or (self._table.object.name in INACTIVE and record.get(STATE) == FIRST)

    def into(self, records: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Return what records have become, by id: what they were merged into, or a lead's contact.

        Raises RemoteError.
        """
        key, found, asked = self._table.object.id, dict[str, str](), list[str]()
        for record in records:
            master, parent = record.get(f"_{MASTER}_value"), record.get(PARENT)
            if record.get(MERGED) is True:
                if odata.is_id(master):
                    found[record[key]] = str(master)
            elif self._table.object.name == LEAD and record.get(STATE) == FIRST:
                asked.append(record[key])
                if odata.is_id(parent):
                    found[record[key]] = str(parent)
        return {**found, **self._contacts(asked)} if asked else found

    def _contacts(self, leads: Sequence[str]) -> Mapping[str, str]:
        """Return the contacts that leads were qualified into: they name the lead they came of."""
        try:
            told = self._tables.of(
                "contacts", ORIGIN, leads, select=f"contactid,{ORIGIN}", orderby="createdon desc,contactid asc"
            )
            pairs = [(one.get(ORIGIN), one.get("contactid")) for one in told]
        except RemoteError as error:
            if error.trouble not in ("scope", "absent", "invalid"):
                raise
            return {}
        return {str(lead): str(contact) for lead, contact in pairs if odata.is_id(lead) and odata.is_id(contact)}
