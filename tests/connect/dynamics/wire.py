"""How Dataverse puts records and refusals over the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connect.dynamics import environment
from connect.stand_in import Reply
from leadlight.connect.protocol import Value

API = "/api/data/v9.2"
PAGE_MOST = 5000
LANGUAGE = 1031
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
LOOKUP = "@Microsoft.Dynamics.CRM.lookuplogicalname"
MISSING, DUPLICATE, EXPIRED = "0x80040217", "0x80040237", "0x80044352"

VIRTUAL = {
    "audits": {
        "auditid": "guid",
        "_objectid_value": "guid",
        "objecttypecode": "text",
        "operation": "number",
        "createdon": "time",
        "changedata": "text",
    },
    "activityparties": {
        "activitypartyid": "guid",
        "_activityid_value": "guid",
        "_partyid_value": "guid",
        "participationtypemask": "number",
    },
}


def error(code: str, message: str, status: int) -> Reply:
    return Reply({"error": {"code": code, "message": message}}, status)


def refused(message: str) -> Reply:
    told = f"{message} Trace ID: 5a1f Correlation ID: 9b2e Timestamp: 2026-03-02 09:00:00Z"
    return Reply({"error": "invalid_client", "error_description": told, "error_codes": [7]}, 401)


def label(text: str) -> dict[str, Any]:
    return {"UserLocalizedLabel": {"Label": text, "LanguageCode": LANGUAGE}}


def labelled(name: str) -> dict[str, Any]:
    return {"DisplayName": label(name.title())}


def asked_as(column: str, own: str) -> str:
    return f"_{column}_value" if own in environment.LOOKUPS else column


def wired(value: Value, column: str) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if column in environment.DAYS else value.isoformat(timespec="seconds") + "Z"
    return value


def token(value: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def untoken(told: str | None) -> Any:
    return None if told is None else json.loads(base64.urlsafe_b64decode(told))


def beyond(row: Mapping[str, Any], by: Sequence[tuple[str, bool]], after: Sequence[Any]) -> bool:
    """Whether a row comes after the last one of a page."""
    for (column, down), last in zip(by, after, strict=True):
        value = row.get(column)
        if value != last:
            return (value is not None and (last is None or value > last)) != down
    return False


def picked(row: Mapping[str, Any], asked: Sequence[str], key: str) -> dict[str, Any]:
    """Return the asked columns of a row, its key and its annotations."""
    wanted = {*asked, key}
    return {
        name: value for name, value in row.items() if not asked or name.partition("@")[0] in wanted or name[0] == "@"
    }
