"""How Salesforce puts records and refusals over the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connect.salesforce import org
from connect.stand_in import Reply
from leadlight.connect.protocol import Value

DATA = "/services/data/{version}"

HISTORY = {
    "Id": "id",
    "Field": "picklist",
    "OldValue": "anyType",
    "NewValue": "anyType",
    "CreatedDate": "datetime",
}
VIRTUAL = {
    **{log: {**HISTORY, record: "reference"} for log, record in org.LOGS.values()},
    "FieldDefinition": {
        "QualifiedApiName": "string",
        "EntityDefinition.QualifiedApiName": "string",
        "IsFieldHistoryTracked": "boolean",
    },
    "PermissionSet": {"Id": "id", "Name": "string"},
    "TaskStatus": {"ApiName": "string", "IsClosed": "boolean", "SortOrder": "int"},
}
DOTTED = {"CampaignMember": ("Campaign.Name", "Campaign.Type")}


def error(code: str, message: str, status: int) -> Reply:
    return Reply([{"message": message, "errorCode": code}], status)


def failed(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def wired(value: Value, kind: str) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if kind == "date" else value.isoformat(timespec="milliseconds") + "+0000"
    return int(value) if isinstance(value, float) and kind == "int" and value.is_integer() else value


def picked(row: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the asked fields of a row; related ones nested, as Salesforce does."""
    found: dict[str, Any] = {"attributes": row.get("attributes", {"type": "Name"})}
    for name in fields:
        head, _, rest = name.partition(".")
        value = row.get(head)
        if rest:
            inner = found.get(head) or {"attributes": {"type": head}}
            value = {**inner, rest: value.get(rest)} if isinstance(value, Mapping) else None
        found[head] = value
    return found
