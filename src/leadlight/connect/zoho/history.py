"""What fields of Zoho CRM were before: its timeline, one request a record, so only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from leadlight.connect.http import Http
from leadlight.connect.refusals import odd
from leadlight.connect.typed import moment, text, typed
from leadlight.connect.versions import Change
from leadlight.connect.zoho.describe import API, SYSTEM, Described

FORMS = frozenset(
    {
        *("text", "textarea", "email", "phone", "website", "picklist", "boolean"),
        *("double", "integer", "decimal", "currency", "percent"),
    }
)
"""Types whose values stand in a timeline as they stand in the record (lookups stand there by name, times as shown)."""
PAGES_MOST = 40
NOTHING = (204, 304, 400, 404)


def is_logged(one: Described) -> bool:
    """Say whether what a field was before can be read."""
    return one.form in FORMS


def changes_of(http: Http, module: str, number: str, fields: Mapping[str, Described]) -> tuple[list[Change], bool]:
    """Return what is known of a record's changes, and whether that begins with its creation. Raises RemoteError."""
    changes: list[Change] = []
    whole = False
    for entry in _timeline(http, module, number):
        whole = whole or text(entry.get("action")) == "added"
        at = moment(entry.get("audited_time"))
        listed = entry.get("field_history")
        for raw in listed if isinstance(listed, list) and at is not None else []:
            one = fields.get(text(raw.get("api_name")) or "") if isinstance(raw, dict) else None
            value = raw.get("_value") if one is not None else None
            if one is None or at is None or not is_logged(one) or not isinstance(value, dict):
                continue
            before, after = value.get("old"), value.get("new")
            old, new = typed(before, one.field.type), typed(after, one.field.type)
            if (old is None and text(before)) or (new is None and text(after)):  # shown otherwise than it is kept
                continue
            changes.append(Change(one.field.name, at, new, old))
    return changes, whole


def _timeline(http: Http, module: str, number: str) -> Iterator[Mapping[str, Any]]:
    params: dict[str, Any] = {"sort_by": "audited_time", "sort_order": "asc"}
    for _ in range(PAGES_MOST):
        answer = http.ask("GET", f"{API}/{module}/{quote(number, safe='')}/__timeline", params=params, expect=NOTHING)
        if answer.status in NOTHING:
            return
        body = answer.json()
        listed, info = (body.get("__timeline"), body.get("info")) if isinstance(body, dict) else (None, None)
        if not isinstance(listed, list):
            raise odd(SYSTEM, f"`__timeline` of a record of {module} is no list")
        yield from (one for one in listed if isinstance(one, dict))
        token = text(info.get("next_page_token")) if isinstance(info, dict) else None
        if token is None or token == params.get("page_token"):
            return
        params["page_token"] = token
