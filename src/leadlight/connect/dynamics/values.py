"""Values of columns: of records, and of the audit log, which writes them otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.describe import LABELS, LOOKUPS, SEVERAL, Table
from leadlight.connect.protocol import Field, Value
from leadlight.connect.typed import moment, typed
from leadlight.expr.types import Type

DECIMALS = 6
AUDIT_TIMES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y")


def value_of(record: Mapping[str, Any], table: Table, field: Field) -> Value:
    """Return what a record holds in a column: of choices the label, of lookups the id."""
    asked, own = table.asked(field.name), table.told.get(field.name, "")
    found = record.get(asked)
    if found is not None and own in LABELS:
        shown = record.get(f"{asked}@{odata.FORMATTED}")
        found = shown.replace("; ", ";") if isinstance(shown, str) and own == SEVERAL else shown or found
    return typed(found, field.type)


def audited(told: object, own: str, kind: Type, labels: Mapping[str, str]) -> Value:
    """Return a value of the audit log, where all are texts.

    >>> audited("True", "Boolean", Type.BOOL, {}), audited("2", "Picklist", Type.TEXT, {"2": "Web"})
    (True, 'Web')
    >>> audited("05/12/2022 22:19:12", "DateTime", Type.TIME, {})
    datetime.datetime(2022, 5, 12, 22, 19, 12)
    >>> audited("contact,0e76dc8a-41b5-ec11-983f-0022482bf046", "Lookup", Type.TEXT, {})
    '0e76dc8a-41b5-ec11-983f-0022482bf046'
    """
    if not isinstance(told, str):
        return typed(told, kind)
    if own in LOOKUPS:
        return typed(told.rpartition(",")[2].strip(), kind)
    if own == SEVERAL:
        chosen = [one.strip() for one in told.strip("[]").replace(";", ",").split(",")]
        return typed([labels.get(one, one) for one in chosen if one not in ("", "-1")], kind)
    if own in LABELS:
        return typed(labels.get(told, told), kind)
    return _audited_time(told) if kind is Type.TIME else typed(told, kind)


def plain(value: Value, own: str) -> str | float | int | bool | None:
    """Return a value as it is written to a column of one of Dataverse's types."""
    if isinstance(value, datetime):
        return odata.time(value)
    if isinstance(value, float):
        return int(value) if own in ("Integer", "BigInt") else round(value, DECIMALS)
    return value


def _audited_time(told: str) -> datetime | None:
    for form in AUDIT_TIMES:
        try:
            return datetime.strptime(told, form)  # noqa: DTZ007 - the log is in UTC
        except ValueError:
            continue
    return moment(told)
